package resample

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func sine(rate int, frequency, amplitude float64, n int) []int16 {
	pcm := make([]int16, n)
	for i := range pcm {
		pcm[i] = int16(math.Round(amplitude * math.Sin(2*math.Pi*frequency*float64(i)/float64(rate))))
	}
	return pcm
}

func convert(t testing.TB, from, to int, pcm []int16) []int16 {
	t.Helper()
	r, err := New(from, to)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]int16, len(pcm)*to/from)
	if n := r.Process(out, pcm); n != len(out) {
		t.Fatalf("%d samples, want %d", n, len(out))
	}
	return out
}

// gain is the level in dB of one frequency in pcm against an amplitude, past the
// filter's start.
func gain(pcm []int16, rate int, frequency, amplitude float64) float64 {
	pcm = pcm[200:]
	pcm = pcm[:len(pcm)/rate*rate] // whole seconds: whole periods
	var re, im float64
	for i, s := range pcm {
		at := 2 * math.Pi * frequency * float64(i) / float64(rate)
		re += float64(s) * math.Cos(at)
		im += float64(s) * math.Sin(at)
	}
	return 20 * math.Log10(2*math.Hypot(re, im)/float64(len(pcm))/amplitude+1e-9)
}

// SPEC CD2: narrow and wide callers in one room.
func TestPassBandIsFlat(t *testing.T) {
	for f := 50.0; f <= 3400; f += 50 {
		up := gain(convert(t, 8000, 16000, sine(8000, f, 10000, 9000)), 16000, f, 10000)
		down := gain(convert(t, 16000, 8000, sine(16000, f, 10000, 18000)), 8000, f, 10000)
		if math.Abs(up) > 0.05 || math.Abs(down) > 0.05 {
			t.Errorf("%v Hz: %.3f dB up, %.3f dB down", f, up, down)
		}
	}
}

func TestImagesAndAliasesAreRejected(t *testing.T) {
	for f := 100.0; f <= 3400; f += 100 {
		image := 8000 - f
		if g := gain(convert(t, 8000, 16000, sine(8000, f, 10000, 9000)), 16000, image, 10000); g > -55 {
			t.Errorf("%v Hz leaves an image at %v Hz of %.1f dB", f, image, g)
		}
		if g := gain(convert(t, 16000, 8000, sine(16000, image, 10000, 18000)), 8000, f, 10000); g > -55 {
			t.Errorf("%v Hz folds to %v Hz with %.1f dB", image, f, g)
		}
	}
}

// TestThereAndBack: up and down again is the signal, delayed by a whole number of
// samples, but for rounding.
func TestThereAndBack(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	pcm := make([]int16, 4000)
	level := 0.0
	for i := range pcm { // noise of the telephone band
		level = 0.9*level + 800*(2*random.Float64()-1)
		pcm[i] = int16(level)
	}
	back := convert(t, 16000, 8000, convert(t, 8000, 16000, pcm))
	const delay = 2*pairs - 1
	worst := 0.0
	for i := 100; i+delay < len(pcm); i++ {
		worst = max(worst, math.Abs(float64(pcm[i]-back[i+delay])))
	}
	if worst > 100 {
		t.Errorf("differs by %v", worst)
	}
}

// TestFramesJoinWithoutSeam: the result does not depend on how it is cut.
func TestFramesJoinWithoutSeam(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		from := rapid.SampledFrom([]int{8000, 16000}).Draw(rt, "from")
		pcm := sine(from, 440, 20000, 2000)
		whole := convert(t, from, 24000-from, pcm)
		r, _ := New(from, 24000-from)
		var parts []int16
		for at := 0; at < len(pcm); {
			n := min(2*rapid.IntRange(0, 200).Draw(rt, "pairs"), len(pcm)-at)
			out := make([]int16, 2*n)
			parts = append(parts, out[:r.Process(out, pcm[at:at+n])]...)
			at += n
			if n == 0 {
				r.Process(nil, nil)
				at += 2
				out = make([]int16, 4)
				parts = append(parts, out[:r.Process(out, pcm[at-2:at])]...)
			}
		}
		if !slices.Equal(parts, whole) {
			rt.Error("cut into frames it is another signal")
		}
	})
}

// TestLoudestInputSaturates: overshoot is cut off, it does not wrap around.
func TestLoudestInputSaturates(t *testing.T) {
	pcm := make([]int16, 800)
	for i := range pcm {
		pcm[i] = [2]int16{-32768, 32767}[i/7%2]
	}
	for _, out := range [][]int16{convert(t, 8000, 16000, pcm), convert(t, 16000, 8000, slices.Repeat(pcm, 2))} {
		for i := 100; i+2 < len(out); i++ {
			if out[i] > 20000 && out[i+2] > 20000 && out[i+1] < 0 || out[i] < -20000 && out[i+2] < -20000 && out[i+1] > 0 {
				t.Fatalf("samples %d to %d are %v", i, i+2, out[i:i+3])
			}
		}
	}
}

func TestShortDestinationTakesWhatFits(t *testing.T) {
	up, _ := New(8000, 16000)
	down, _ := New(16000, 8000)
	same, _ := New(48000, 48000)
	if n := up.Process(make([]int16, 5), make([]int16, 160)); n != 4 {
		t.Errorf("up wrote %d", n)
	}
	if n := down.Process(make([]int16, 5), make([]int16, 161)); n != 5 {
		t.Errorf("down wrote %d", n)
	}
	if n := down.Process(make([]int16, 500), make([]int16, 161)); n != 80 {
		t.Errorf("down wrote %d", n)
	}
	if n := same.Process(make([]int16, 5), make([]int16, 160)); n != 5 {
		t.Errorf("the copy wrote %d", n)
	}
	for _, rates := range [][2]int{{8000, 48000}, {0, 0}, {-1, -1}, {16000, 44100}} {
		if _, err := New(rates[0], rates[1]); err == nil {
			t.Errorf("took %v", rates)
		}
	}
}

func TestNoAllocation(t *testing.T) {
	for _, rates := range [][2]int{{8000, 16000}, {16000, 8000}, {8000, 8000}} {
		r, _ := New(rates[0], rates[1])
		in, out := make([]int16, rates[0]/50), make([]int16, rates[1]/50)
		if a := testing.AllocsPerRun(100, func() { r.Process(out, in) }); a != 0 {
			t.Errorf("%v: %v allocations", rates, a)
		}
	}
}

func BenchmarkFrame(b *testing.B) {
	for name, rates := range map[string][2]int{"up": {8000, 16000}, "down": {16000, 8000}} {
		b.Run(name, func(b *testing.B) {
			r, _ := New(rates[0], rates[1])
			in, out := sine(rates[0], 1000, 10000, rates[0]/50), make([]int16, rates[1]/50)
			b.ReportAllocs()
			for b.Loop() {
				r.Process(out, in)
			}
		})
	}
}
