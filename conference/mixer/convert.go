package mixer

import "github.com/conclave-voice/conclave/media/resample"

// converter resamples one stream of frames, whose rates may change.
type converter struct {
	from, to int
	last     uint64 // the tick that it was used in
	stream   *resample.Resampler
}

// run converts the frame of a tick. After a pause, or at other rates, it begins anew.
func (c *converter) run(dst, src []int16, from, to int, tick uint64) {
	if c.stream == nil || c.from != from || c.to != to {
		stream, err := resample.New(from, to)
		if err != nil {
			clear(dst) // silence for a rate that nothing is known of
			return
		}
		c.stream, c.from, c.to = stream, from, to
	} else if c.last+1 != tick {
		c.stream.Reset()
	}
	c.last = tick
	c.stream.Process(dst, src)
}

// resized gives a slice of n, whose content is not to be relied on: the same one as long
// as the rate stays.
func resized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// mixRate is the rate of the mix for the best rate that anyone has.
func mixRate(best int) int {
	switch {
	case best <= 8000:
		return 8000
	case best <= 16000:
		return 16000
	}
	return MaxRate
}
