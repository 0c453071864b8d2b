package ilbc

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestSpectrumAndFilterAreInverse(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 951))
	for range 1000 {
		s := received([3]uint8{uint8(random.IntN(64)), uint8(random.IntN(128)), uint8(random.IntN(128))})
		a := s.filter()
		var back spectrum
		if !back.fromFilter(&a) {
			t.Fatalf("no ten frequencies in the filter of %v", s)
		}
		for i := range s {
			if math.Abs(s[i]-back[i]) > 0.001 {
				t.Fatalf("%v comes back as %v", s, back)
			}
		}
	}
	flat := filter{1}
	var s spectrum
	if !s.fromFilter(&flat) || math.Abs(s[4]-5*math.Pi/11) > 0.001 {
		t.Errorf("of no filter at all: %v", s)
	}
}

// TestReceivedSpectraAreOrdered: of all that can be sent. Two rounds leave some with two
// frequencies that are the same, but none out of order, which would be an unstable filter.
func TestReceivedSpectraAreOrdered(t *testing.T) {
	for i := range 64 {
		for j := range 128 {
			for k := range 128 {
				s := received([3]uint8{uint8(i), uint8(j), uint8(k)})
				for n := 1; n < order; n++ {
					if s[n] < s[n-1] || s[0] <= 0 || s[n] >= math.Pi {
						t.Fatalf("%d %d %d: %v", i, j, k, s)
					}
				}
			}
		}
	}
}

func TestQuantizerFindsWhatWasSent(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		indices := [3]uint8{uint8(random.IntN(64)), uint8(random.IntN(128)), uint8(random.IntN(128))}
		var s spectrum
		from := 0
		for i, part := range parts {
			copy(s[from:from+part.width], part.codebook[int(indices[i])*part.width:])
			from += part.width
		}
		if got := s.quantize(); got != indices {
			t.Errorf("%v is quantized to %v", indices, got)
		}
	}
}

// TestRestoreUndoesRemove: synthesis is the inverse of analysis.
func TestRestoreUndoesRemove(t *testing.T) {
	a := meanSpectrum.filter()
	random := rand.New(rand.NewPCG(5, 6))
	speech := make([]float64, order+subBlock)
	for i := range speech {
		speech[i] = random.NormFloat64() * 1000
	}
	signal := append([]float64{}, speech[:order]...)
	signal = append(signal, make([]float64, subBlock)...)
	a.remove(signal[order:], speech)
	a.restore(signal)
	for i := range speech {
		if math.Abs(speech[i]-signal[i]) > 1e-6 {
			t.Fatalf("sample %d is %f, was %f", i, signal[i], speech[i])
		}
	}
}
