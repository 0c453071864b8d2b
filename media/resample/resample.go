package resample

import "fmt"

// Known says whether there are conversions from and to a rate in Hz.
func Known(rate int) bool {
	switch rate {
	case 8000, 12000, 16000, 24000, 32000, 48000:
		return true
	}
	return false
}

// Resampler converts one stream. It keeps the end of the last frame, so that
// frames join without a seam. Process does not allocate.
type Resampler struct {
	filter *filter // nil: the rates are equal
	chunk  int     // samples that are worked on at a time, a multiple of filter.down
	work   []int16 // the last samples of the past, as many as a phase has taps, then the present
}

// New makes a resampler between two rates in Hz, which must be Known, or equal, which
// copies.
func New(from, to int) (*Resampler, error) {
	if from == to && from > 0 {
		return &Resampler{}, nil
	}
	if !Known(from) || !Known(to) {
		return nil, fmt.Errorf("resample: %d to %d Hz, only 8, 12, 16, 24, 32 and 48 kHz are known", from, to)
	}
	common := divisor(from, to)
	f := design(ratio{up: to / common, down: from / common})
	chunk := from / 50 / f.down * f.down
	return &Resampler{filter: f, chunk: chunk, work: make([]int16, f.taps+chunk)}, nil
}

func divisor(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// Process converts src into dst and returns how many samples were written: len(src)
// times to/from. src must have a whole number of pieces of from/to in lowest terms, such
// as two samples going from 16 to 8 kHz; what is over at its end is left out. If dst is
// shorter than the result, only as much of src as fits is converted.
func (r *Resampler) Process(dst, src []int16) int {
	f := r.filter
	if f == nil {
		return copy(dst, src)
	}
	pieces := min(len(src)/f.down, len(dst)/f.up)
	src = src[:pieces*f.down]
	written := 0
	for len(src) > 0 {
		n := copy(r.work[f.taps:], src[:min(len(src), r.chunk)])
		src = src[n:]
		written += f.run(dst[written:], r.work[:f.taps+n], n)
		copy(r.work, r.work[n:n+f.taps])
	}
	return written
}

// Reset forgets the past, for another stream.
func (r *Resampler) Reset() { clear(r.work) }

// run filters the n samples at the end of work, which has as many before them as there
// are taps.
func (f *filter) run(dst, work []int16, n int) int {
	count := n / f.down * f.up
	dst = dst[:count]
	at, phase := 0, 0
	for j := range dst {
		if phase == 0 && f.through {
			dst[j] = work[at+f.taps/2]
		} else {
			dst[j] = dot(f.phases[phase], work[at+1:])
		}
		for phase += f.down; phase >= f.up; phase -= f.up {
			at++
		}
	}
	return count
}

func dot(taps []int32, samples []int16) int16 {
	samples = samples[:len(taps)]
	sum := 1 << (tapBits - 1)
	for i, tap := range taps {
		sum += int(tap) * int(samples[i])
	}
	return int16(max(-32768, min(sum>>tapBits, 32767)))
}
