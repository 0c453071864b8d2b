package resample

import (
	"fmt"
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

// telephony are the pairs of rates that rooms have.
var telephony = [][2]int{{8000, 16000}, {16000, 8000}, {16000, 48000}, {48000, 16000}, {8000, 48000}, {48000, 8000}}

// SPEC CD2: narrow and wide callers in one room.
func TestPassBandIsFlat(t *testing.T) {
	for _, rates := range telephony {
		from, to := rates[0], rates[1]
		low := float64(min(from, to))
		worst := 0.0
		for f := low / 160; f <= 0.425*low; f += low / 80 {
			g := gain(convert(t, from, to, sine(from, f, 10000, from+from/8)), to, f, 10000)
			worst = max(worst, math.Abs(g))
		}
		if worst > 0.05 {
			t.Errorf("%d to %d Hz: %.3f dB", from, to, worst)
		}
	}
}

// CD2: going up, no image of what was there appears; going down, what the lower rate
// cannot carry does not fold into the telephone band.
func TestImagesAndAliasesAreRejected(t *testing.T) {
	for _, rates := range telephony {
		from, to := rates[0], rates[1]
		low, high := float64(min(from, to)), float64(max(from, to))
		worst := -200.0
		for f := low / 80; f <= 0.425*low; f += low / 40 {
			for around := low; around <= high/2+low/2; around += low {
				for _, image := range []float64{around - f, around + f} {
					if image >= high/2 {
						continue
					}
					if from < to {
						worst = max(worst, gain(convert(t, from, to, sine(from, f, 10000, from+from/8)), to, image, 10000))
					} else {
						worst = max(worst, gain(convert(t, from, to, sine(from, image, 10000, from+from/8)), to, f, 10000))
					}
				}
			}
		}
		if worst > -55 {
			t.Errorf("%d to %d Hz: %.1f dB", from, to, worst)
		}
	}
}

// CD2: codecs with other rates are in the room, too.
func TestOtherRates(t *testing.T) {
	for _, from := range []int{8000, 12000, 24000, 32000, 48000} {
		for _, to := range []int{8000, 16000, 24000, 32000, 48000} {
			if g := gain(convert(t, from, to, sine(from, 1000, 10000, from+from/8)), to, 1000, 10000); math.Abs(g) > 0.05 {
				t.Errorf("%d to %d Hz: 1 kHz comes out at %.2f dB", from, to, g)
			}
		}
	}
}

// TestThereAndBack: up and down again is the signal, delayed by a whole number of
// samples, but for rounding.
func TestThereAndBack(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	pcm := make([]int16, 4000)
	level := 0.0
	for i := range pcm { // noise of the lower half of the band
		level = 0.9*level + 800*(2*random.Float64()-1)
		pcm[i] = int16(level)
	}
	for _, rates := range [][2]int{{8000, 16000}, {8000, 48000}, {16000, 48000}} {
		back := convert(t, rates[1], rates[0], convert(t, rates[0], rates[1], pcm))
		worst := 0.0
		for i := 100; i+2*reach < len(pcm); i++ {
			worst = max(worst, math.Abs(float64(pcm[i]-back[i+2*reach])))
		}
		if worst > 100 {
			t.Errorf("%v: differs by %v", rates, worst)
		}
	}
}

// TestFramesJoinWithoutSeam: the result does not depend on how it is cut.
func TestFramesJoinWithoutSeam(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		rates := rapid.SampledFrom(append(telephony, [2]int{32000, 48000})).Draw(rt, "rates")
		pcm := sine(rates[0], 440, 20000, 2400)
		whole := convert(t, rates[0], rates[1], pcm)
		r, _ := New(rates[0], rates[1])
		var parts []int16
		for at := 0; at < len(pcm); {
			n := min(6*rapid.IntRange(1, 200).Draw(rt, "pieces"), len(pcm)-at)
			out := make([]int16, 6*n)
			parts = append(parts, out[:r.Process(out, pcm[at:at+n])]...)
			at += n
		}
		if !slices.Equal(parts, whole) {
			rt.Error("cut into frames it is another signal")
		}
	})
}

// TestLoudestInputSaturates: overshoot is cut off, it does not wrap around.
func TestLoudestInputSaturates(t *testing.T) {
	for _, rates := range telephony {
		pcm := make([]int16, rates[0]/5)
		for i := range pcm {
			pcm[i] = [2]int16{-32768, 32767}[i/(7*rates[0]/8000)%2]
		}
		out := convert(t, rates[0], rates[1], pcm)
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
	for _, rates := range [][2]int{{8000, 11025}, {0, 0}, {-1, -1}, {16000, 44100}} {
		if _, err := New(rates[0], rates[1]); err == nil {
			t.Errorf("took %v", rates)
		}
	}
}

func TestNoAllocation(t *testing.T) {
	for _, rates := range append(telephony, [2]int{8000, 8000}) {
		r, _ := New(rates[0], rates[1])
		in, out := make([]int16, rates[0]/50), make([]int16, rates[1]/50)
		if a := testing.AllocsPerRun(100, func() { r.Process(out, in) }); a != 0 {
			t.Errorf("%v: %v allocations", rates, a)
		}
	}
}

func BenchmarkFrame(b *testing.B) {
	for _, rates := range telephony {
		b.Run(fmt.Sprintf("%d-%d", rates[0], rates[1]), func(b *testing.B) {
			r, _ := New(rates[0], rates[1])
			in, out := sine(rates[0], 1000, 10000, rates[0]/50), make([]int16, rates[1]/50)
			b.ReportAllocs()
			for b.Loop() {
				r.Process(out, in)
			}
		})
	}
}
