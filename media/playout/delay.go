package playout

import "time"

const (
	buckets       = 42 // of 5 ms: 0 to 205 ms above the base
	bucketTime    = 5 * time.Millisecond
	baseWindows   = 8         // the base is the least transit of this many seconds
	forget        = 1.0 / 256 // weight of a packet: five seconds are remembered
	lateForget    = 8.0 / 256 // of a packet that came too late: one is enough to raise the target
	beyond        = 0.01      // share of packets that the target lets come too late
	firstGuess    = 40 * time.Millisecond
	firstGuessFor = 0.05 // weight of the guess: it is forgotten within seconds
)

// estimator finds out how much delay the network asks for. Transits and delays
// are in samples.
type estimator struct {
	second, unit int64 // samples in a second and a bucket
	least, most  int64 // bounds of the target

	minima    [baseWindows]int64 // least transit in each of the last seconds
	known     [baseWindows]bool
	window    int
	windowEnd int64 // on the buffer's clock
	base      int64
	based     bool

	weight   [buckets]float32 // share of packets by how much above origin they are
	origin   int64            // the base that weight counts from; follows base in whole buckets
	required int64            // the target
}

func newEstimator(rate int, least, most time.Duration) estimator {
	e := estimator{second: int64(rate), unit: samples(bucketTime, rate), least: samples(least, rate), most: samples(most, rate)}
	e.weight[firstGuess/bucketTime] = firstGuessFor
	e.retarget()
	return e
}

func samples(d time.Duration, rate int) int64 { return int64(d) * int64(rate) / int64(time.Second) }

// rebase forgets the base: the next packet gives a new one. What is known of the
// jitter stays.
func (e *estimator) rebase() {
	e.known, e.based = [baseWindows]bool{}, false
}

// above is how much a transit is over the base, or 0 if there is none.
func (e *estimator) above(transit int64) int64 {
	if !e.based {
		return 0
	}
	return transit - e.base
}

// observe takes the transit of a packet at a time on the buffer's clock.
func (e *estimator) observe(transit, clock int64, late bool) {
	e.roll(clock)
	if !e.known[e.window] || transit < e.minima[e.window] {
		e.minima[e.window], e.known[e.window] = transit, true
	}
	e.settleBase()
	jitter := max(0, transit-e.origin)
	if jitter > e.most+e.unit {
		return // no delay that we allow would help it
	}
	share := float32(forget)
	if late {
		share = lateForget
	}
	for i := range e.weight {
		e.weight[i] *= 1 - share
	}
	e.weight[min((jitter+e.unit-1)/e.unit, buckets-1)] += share
	e.retarget()
}

// roll opens a new window when a second has passed, and drops all after a pause
// that is longer than they reach.
func (e *estimator) roll(clock int64) {
	if clock >= e.windowEnd+baseWindows*e.second {
		e.known = [baseWindows]bool{}
		e.windowEnd = clock + e.second
	}
	for clock >= e.windowEnd {
		e.window = (e.window + 1) % baseWindows
		e.known[e.window] = false
		e.windowEnd += e.second
	}
}

// settleBase finds the base. Where it rises, because what was faster lies too far
// back, what was jitter above the old base is less above the new one. Where it
// falls, because the path got shorter or our own clock stood still, nothing says
// that the next packets have more jitter than the last: the distribution stays.
func (e *estimator) settleBase() {
	first := true
	for i, known := range e.known {
		if known && (first || e.minima[i] < e.base) {
			e.base, first = e.minima[i], false
		}
	}
	if !e.based || e.base < e.origin {
		e.based, e.origin = true, e.base
	}
	if rise := (e.base - e.origin) / e.unit; rise > 0 {
		e.origin += rise * e.unit
		e.lower(rise)
	}
}

// lower moves the distribution down by n buckets; what falls below 0 is at 0.
func (e *estimator) lower(n int64) {
	n = min(n, buckets)
	var moved [buckets]float32
	for i, w := range e.weight {
		moved[max(0, int64(i)-n)] += w
	}
	e.weight = moved
}

// retarget finds the delay that all but the share beyond of the packets need.
func (e *estimator) retarget() {
	total := float32(0)
	for _, w := range e.weight {
		total += w
	}
	over := float32(0)
	at := buckets - 1
	for ; at > 0; at-- {
		if over += e.weight[at]; over > beyond*total {
			break
		}
	}
	e.required = max(e.least, min(int64(at)*e.unit, e.most))
}
