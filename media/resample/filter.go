package resample

import "math"

const (
	reach   = 15  // samples of the lower rate on either side of the middle
	tapBits = 15  // fractional bits of a tap
	kaiser  = 5.5 // shape of the window: some 60 dB
)

// filter is a low-pass in polyphase form: for each place between two samples that come
// in on which one that goes out may lie, the taps for the samples around it.
type filter struct {
	up, down int // samples out and in of the smallest piece
	taps     int // in a phase
	phases   [][]int32
	// through: a sample that goes out at the place of one that came in is that one.
	through bool
}

// ratio is a conversion in lowest terms: samples out and in.
type ratio struct{ up, down int }

// design makes the filter at a rate that both rates divide, where it is a low-pass at half
// of the lower one, and deals its taps out to the phases. Each phase is scaled so that a
// constant passes exactly.
func design(r ratio) *filter {
	wide := max(r.up, r.down) // of that rate's samples in one of the lower rate
	f := &filter{up: r.up, down: r.down, taps: 2 * reach * wide / r.up, through: r.up > r.down && r.down == 1}
	for phase := range r.up {
		ideal := make([]float64, f.taps)
		sum := 0.0
		for i := range ideal {
			distance := float64((i-f.taps/2+1)*r.up - phase)
			ideal[i] = sinc(distance/float64(wide)) * window(distance/float64(reach*wide+1))
			sum += ideal[i]
		}
		f.phases = append(f.phases, quantized(ideal, sum))
	}
	return f
}

// quantized rounds taps so that they add up to one; the middle takes what is left over.
func quantized(ideal []float64, sum float64) []int32 {
	taps := make([]int32, len(ideal))
	left, middle := int32(1<<tapBits), 0
	for i, v := range ideal {
		taps[i] = int32(math.Round(v / sum * (1 << tapBits)))
		left -= taps[i]
		if taps[i] > taps[middle] {
			middle = i
		}
	}
	taps[middle] += left
	return taps
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// window is Kaiser's, from -1 to 1.
func window(x float64) float64 {
	if x <= -1 || x >= 1 {
		return 0
	}
	return bessel(kaiser*math.Sqrt(1-x*x)) / bessel(kaiser)
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
