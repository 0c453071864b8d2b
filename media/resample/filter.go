package resample

import "math"

const (
	pairs    = 15        // of taps that are not zero, beside the middle one
	reach    = 2 * pairs // samples of history that the filter needs, at the lower or higher rate
	tapBits  = 15        // fractional bits of a tap
	kaiser   = 5.5       // shape of the window: some 60 dB
	rounding = 1 << (tapBits - 1)
)

// halfBand are the taps at the distances 1, 3, 5 ... from the middle, for a gain
// of 1 going up; going down it is half of that. The middle tap is 1, all others
// are 0.
type halfBand [pairs]int

// design makes the filter: the ideal low-pass at a quarter of the higher rate
// under a Kaiser window, scaled so that a constant passes exactly.
func design() *halfBand {
	var ideal [pairs]float64
	sum := 0.0
	for i := range ideal {
		distance := float64(2*i + 1)
		x := distance / (reach + 1)
		ideal[i] = 2 * math.Sin(math.Pi*distance/2) / (math.Pi * distance) * bessel(kaiser*math.Sqrt(1-x*x)) / bessel(kaiser)
		sum += 2 * ideal[i]
	}
	var taps halfBand
	total := 0
	for i := pairs - 1; i > 0; i-- {
		taps[i] = int(math.Round(ideal[i] / sum * (1 << tapBits)))
		total += 2 * taps[i]
	}
	taps[0] = (1<<tapBits - total) / 2
	return &taps
}

// bessel is the modified Bessel function I0, by its power series.
func bessel(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > 1e-12*sum; k++ {
		term *= x * x / (4 * k * k)
		sum += term
	}
	return sum
}

// between is the sample halfway between window[pairs-1] and window[pairs], all at
// the lower rate.
func (h *halfBand) between(window *[2 * pairs]int16) int16 {
	sum := rounding
	for i, tap := range h {
		sum += tap * (int(window[pairs-1-i]) + int(window[pairs+i]))
	}
	return clip(sum >> tapBits)
}

// below is the sample at the place of window[2*pairs-1], low-passed, all at the
// higher rate.
func (h *halfBand) below(window *[4*pairs - 1]int16) int16 {
	const middle = 2*pairs - 1
	sum := rounding<<1 + int(window[middle])<<tapBits
	for i, tap := range h {
		sum += tap * (int(window[middle-1-2*i]) + int(window[middle+1+2*i]))
	}
	return clip(sum >> (tapBits + 1))
}

func clip(v int) int16 { return int16(max(-32768, min(v, 32767))) }
