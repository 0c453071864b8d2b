package prompt

import (
	"math"

	"github.com/conclave-voice/conclave/media/resample"
)

// edge says what lies beyond the ends of a clip.
type edge int

const (
	once edge = iota // silence: the clip is played once
	loop             // the clip itself: it is played round and round
)

// The low-pass filter between 8 and 16 kHz: a sinc cut by a Kaiser window. With
// these figures it is flat (0.1 dB) to 3,400 Hz and 70 dB down from 4,300 Hz on, so
// that nothing audible folds back.
const (
	cutoff   = 3850.0 // Hz, of the half level
	halfTaps = 48     // samples at 16 kHz on either side of the middle; even
	beta     = 7.0    // of the Kaiser window
)

// lowPass returns the 2*halfTaps+1 coefficients at 16 kHz, with a sum of one.
func lowPass() []float64 {
	taps := make([]float64, 2*halfTaps+1)
	sum := 0.0
	for i := range taps {
		x := float64(i - halfTaps)
		ideal := 2 * cutoff / Wideband
		if x != 0 {
			ideal = math.Sin(2*math.Pi*cutoff/Wideband*x) / (math.Pi * x)
		}
		r := x / (halfTaps + 1)
		taps[i] = ideal * bessel(beta*math.Sqrt(1-r*r)) / bessel(beta)
		sum += taps[i]
	}
	for i := range taps {
		taps[i] /= sum
	}
	return taps
}

// bessel is the modified Bessel function of the first kind and order zero.
func bessel(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > 1e-12*sum; k++ {
		term *= (x / 2 / k) * (x / 2 / k)
		sum += term
	}
	return sum
}

// downsample turns 16 kHz into 8 kHz, without delay.
func downsample(pcm []int16, e edge) []int16 {
	taps, padded := lowPass(), widen(pcm, halfTaps, e)
	out := make([]int16, (len(pcm)+1)/2)
	for i := range out {
		out[i] = saturate(dot(taps, padded[2*i:]))
	}
	return out
}

// upsample turns 8 kHz into 16 kHz, without delay. It filters the clip with a
// zero put after each sample; only the taps that meet a sample are computed: the
// even ones for the samples that were there, the odd ones for those between.
func upsample(pcm []int16, e edge) []int16 {
	taps, padded := lowPass(), widen(pcm, halfTaps/2, e)
	var even, odd []float64
	for i, tap := range taps {
		if i%2 == 0 {
			even = append(even, 2*tap) // twice, for the zeros halve the level
		} else {
			odd = append(odd, 2*tap)
		}
	}
	out := make([]int16, 2*len(pcm))
	for i := range pcm {
		out[2*i] = saturate(dot(even, padded[i:]))
		out[2*i+1] = saturate(dot(odd, padded[i+1:]))
	}
	return out
}

// triple turns 16 kHz into 48 kHz, without delay.
func triple(pcm []int16, e edge) []int16 {
	const delay = 15 // samples of package resample, which is fast: a minute of music has to be made at once
	stream, err := resample.New(Wideband, Fullband)
	if err != nil || len(pcm) == 0 {
		return nil
	}
	before, after := make([]int16, 2*delay), make([]int16, delay)
	if e == loop {
		for i := range before {
			before[i] = pcm[(len(pcm)*len(before)-len(before)+i)%len(pcm)]
		}
		for i := range after {
			after[i] = pcm[i%len(pcm)]
		}
	}
	out := make([]int16, 3*(len(pcm)+delay))
	stream.Process(out, before)
	n := stream.Process(out, pcm)
	stream.Process(out[n:], after)
	return out[3*delay:]
}

func dot(taps, samples []float64) float64 {
	samples = samples[:len(taps)]
	sum := 0.0
	for i, tap := range taps {
		sum += tap * samples[i]
	}
	return sum
}

// widen returns the clip with n samples of what lies beyond on either side, and
// one more at the end, which a clip of odd length needs.
func widen(pcm []int16, n int, e edge) []float64 {
	padded := make([]float64, len(pcm)+2*n+1)
	for i := range padded {
		k := i - n
		if e == loop {
			k = (k%len(pcm) + len(pcm)) % len(pcm)
		}
		if k >= 0 && k < len(pcm) {
			padded[i] = float64(pcm[k])
		}
	}
	return padded
}

func saturate(x float64) int16 {
	return int16(math.Round(max(math.MinInt16, min(math.MaxInt16, x))))
}
