package resample

import "math"

const (
	// taps of the filter at the higher rate; odd, so that the delay is a whole
	// number of samples: (taps-1)/2, 2.9 ms at 16 kHz.
	taps = 95
	// half of the taps fall on each phase of the polyphase form.
	half = (taps + 1) / 2
	// maxFrame is the longest frame at the lower rate: 60 ms.
	maxFrame = 480
	// shift is the fixed-point position of the coefficients.
	shift = 15
)

// Resampler converts one stream. It keeps the tail of the last frame, so frames
// join without a seam. It allocates nothing after New.
type Resampler struct {
	from, to int
	filter   [taps]int32
	history  [taps]int32
	work     [taps + 2*maxFrame]int32
}

// New converts from one rate to the other: 8000 and 16000 Hz in either order, or
// equal rates, which copies. Other rates panic: they are a mistake in the program.
func New(from, to int) *Resampler {
	if !(from == to || from == 2*to || to == 2*from) {
		panic("resample: the rates must be equal or differ by a factor of two")
	}
	r := &Resampler{from: from, to: to}
	r.filter = lowPass()
	return r
}

// lowPass designs the filter for the higher rate: cut-off at 0.235 of it (3.76 of
// 16 kHz), Kaiser window with 60 dB of rejection.
func lowPass() (filter [taps]int32) {
	const cutoff, beta = 0.235, 5.65
	var h [taps]float64
	sum := 0.0
	for i := range h {
		x := float64(i) - (taps-1)/2
		h[i] = 2 * cutoff
		if x != 0 {
			h[i] = math.Sin(2*math.Pi*cutoff*x) / (math.Pi * x)
		}
		edge := 2*float64(i)/(taps-1) - 1
		h[i] *= bessel(beta*math.Sqrt(1-edge*edge)) / bessel(beta)
		sum += h[i]
	}
	for i := range h {
		filter[i] = int32(math.Round(h[i] / sum * (1 << shift)))
	}
	return filter
}

// bessel is the modified Bessel function of the first kind and order zero.
func bessel(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > 1e-12*sum; k++ {
		term *= (x / (2 * k)) * (x / (2 * k))
		sum += term
	}
	return sum
}

// Process converts in to out, whose length must be len(in)*to/from. At most 60 ms
// are converted at once.
func (r *Resampler) Process(out, in []int16) {
	switch {
	case r.from == r.to:
		copy(out, in)
	case r.to > r.from:
		r.up(out, in)
	default:
		r.down(out, in)
	}
}

// up puts a zero after each sample and filters; the zeros are never multiplied.
func (r *Resampler) up(out, in []int16) {
	work := r.load(half-1, in)
	for i := range in {
		var even, odd int64
		for k := range half {
			even += int64(work[i+k]) * int64(r.filter[taps-1-2*k])
		}
		for k := range half - 1 {
			odd += int64(work[i+1+k]) * int64(r.filter[taps-2-2*k])
		}
		out[2*i] = round(2 * even)
		out[2*i+1] = round(2 * odd)
	}
	r.keep(half-1, len(in))
}

// down filters and takes every second sample.
func (r *Resampler) down(out, in []int16) {
	work := r.load(taps-1, in)
	for i := range out {
		var sum int64
		for k := range taps {
			sum += int64(work[2*i+k]) * int64(r.filter[k])
		}
		out[i] = round(sum)
	}
	r.keep(taps-1, len(in))
}

// load puts the last n samples of the past before the new ones.
func (r *Resampler) load(n int, in []int16) []int32 {
	copy(r.work[:n], r.history[:n])
	for i, v := range in {
		r.work[n+i] = int32(v)
	}
	return r.work[:n+len(in)]
}

func (r *Resampler) keep(n, added int) { copy(r.history[:n], r.work[added:added+n]) }

func round(v int64) int16 {
	v = (v + 1<<(shift-1)) >> shift
	return int16(min(max(v, math.MinInt16), math.MaxInt16))
}
