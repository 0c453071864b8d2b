package load

import "time"

// Distribution counts times in steps of 100 µs up to 200 ms; what is beyond counts as
// that.
type Distribution struct {
	counts [2001]uint64
	total  uint64
	max    time.Duration
}

const distributionStep = 100 * time.Microsecond

func (d *Distribution) add(t time.Duration) {
	i := min(max(int(t/distributionStep), 0), len(d.counts)-1)
	d.counts[i]++
	d.total++
	d.max = max(d.max, t)
}

// Add adds all of another distribution.
func (d *Distribution) Add(x Distribution) {
	for i, n := range x.counts {
		d.counts[i] += n
	}
	d.total += x.total
	d.max = max(d.max, x.max)
}

// Quantile is the time that a share q of all, 0 to 1, do not pass.
func (d *Distribution) Quantile(q float64) time.Duration {
	want, seen := uint64(q*float64(d.total)), uint64(0)
	for i, n := range d.counts {
		if seen += n; n > 0 && seen >= want {
			return min(time.Duration(i+1)*distributionStep, d.max)
		}
	}
	return 0
}

// Beyond is how many were longer than t, which is at most 200 ms, to the length of a step.
func (d *Distribution) Beyond(t time.Duration) (n uint64) {
	for _, count := range d.counts[min(int(t/distributionStep)+1, len(d.counts)):] {
		n += count
	}
	return n
}

// Max is the longest time.
func (d *Distribution) Max() time.Duration { return d.max }
