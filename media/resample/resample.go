package resample

import "fmt"

// chunk is how many input samples are worked on at a time: 20 ms at 8 kHz.
const chunk = 160

// history is how many samples before the current chunk either filter reaches.
const history = 4*pairs - 2

// Resampler converts one stream. It keeps the end of the last frame, so that
// frames join without a seam. It does not allocate.
type Resampler struct {
	from, to int
	taps     *halfBand
	work     [history + chunk]int16 // the last samples of the past, then the present
}

// New makes a resampler between two rates in Hz: 8000 and 16000 in either order,
// or any two that are equal, which copies.
func New(from, to int) (*Resampler, error) {
	r := &Resampler{from: from, to: to}
	switch {
	case from == to && from > 0:
	case from == 8000 && to == 16000, from == 16000 && to == 8000:
		r.taps = design()
	default:
		return nil, fmt.Errorf("resample: %d to %d Hz, only 8000 and 16000 are known", from, to)
	}
	return r, nil
}

// Process converts src into dst and returns how many samples were written:
// len(src) times to/from. Going down, src must have an even length; a last odd
// sample is left out. If dst is shorter than the result, only as much of src as
// fits is converted.
func (r *Resampler) Process(dst, src []int16) int {
	switch {
	case r.from == r.to:
		return copy(dst, src)
	case r.from < r.to:
		return r.run(dst, src[:min(len(src), len(dst)/2)], (*Resampler).up)
	default:
		return r.run(dst, src[:min(len(src)&^1, 2*len(dst))], (*Resampler).down)
	}
}

// Reset forgets the past, for another stream.
func (r *Resampler) Reset() { clear(r.work[:]) }

func (r *Resampler) run(dst, src []int16, convert func(*Resampler, []int16, int) int) int {
	written := 0
	for len(src) > 0 {
		n := copy(r.work[history:], src)
		src = src[n:]
		written += convert(r, dst[written:], n)
		copy(r.work[:history], r.work[n:n+history])
	}
	return written
}

// up writes two samples for each of the n in work: an old one, and the one that
// lies between it and its successor.
func (r *Resampler) up(dst []int16, n int) int {
	dst = dst[:2*n]
	for i := range n {
		window := (*[2 * pairs]int16)(r.work[history-2*pairs+1+i:])
		dst[2*i], dst[2*i+1] = window[pairs-1], r.taps.between(window)
	}
	return 2 * n
}

// down writes one sample for each two.
func (r *Resampler) down(dst []int16, n int) int {
	dst = dst[:n/2]
	for i := range dst {
		dst[i] = r.taps.below((*[4*pairs - 1]int16)(r.work[2*i+1:]))
	}
	return n / 2
}
