package noise

import (
	"math"
	"testing"
)

func level(pcm []int16) float64 {
	sum := 0.0
	for _, v := range pcm {
		sum += float64(v) * float64(v)
	}
	return 10*math.Log10(sum/float64(len(pcm))) - 20*math.Log10(32768)
}

// SPEC CD3: comfort noise has the level that was asked for, at every rate.
func TestLevel(t *testing.T) {
	for _, rate := range []int{8000, 16000, 48000} {
		for _, want := range []float64{-70, -60, -40} {
			pcm := make([]int16, 2*rate)
			New(rate, want).AddTo(pcm)
			if got := level(pcm); math.Abs(got-want) > 1 {
				t.Errorf("%d Hz: %.1f dBFS, want %v", rate, got, want)
			}
		}
	}
	if got := FromDBm0(-60); math.Abs(got+66.2) > 0.1 {
		t.Errorf("-60 dBm0 are %.1f dBFS", got)
	}
}

// CD3: it does not repeat itself, and is softer above the corner than below.
func TestShape(t *testing.T) {
	const rate = 8000
	pcm := make([]int16, 4*rate)
	New(rate, -40).AddTo(pcm)
	power := func(from, to float64) float64 {
		sum := 0.0
		for f := from; f < to; f += 25 {
			var re, im float64
			for i, v := range pcm {
				at := 2 * math.Pi * f * float64(i) / rate
				re += float64(v) * math.Cos(at)
				im += float64(v) * math.Sin(at)
			}
			sum += re*re + im*im
		}
		return 10 * math.Log10(sum)
	}
	if d := power(250, 750) - power(3000, 3500); d < 6 || d > 16 {
		t.Errorf("%.1f dB between 500 Hz and 3.25 kHz", d)
	}
	for lag := 40; lag < rate; lag += 40 {
		var same, all float64
		for i := range rate {
			same += float64(pcm[i]) * float64(pcm[i+lag])
			all += float64(pcm[i]) * float64(pcm[i])
		}
		if same > all/8 {
			t.Fatalf("it repeats itself after %d samples", lag)
		}
	}
}

func TestNoAllocation(t *testing.T) {
	g, sum := New(48000, -60), make([]int32, 960)
	if n := testing.AllocsPerRun(100, func() { g.Add(sum) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkAdd(b *testing.B) {
	g, sum := New(8000, -60), make([]int32, 160)
	for b.Loop() {
		g.Add(sum)
	}
}
