package resample

import (
	"math"
	"testing"
)

// sine is one second of a tone.
func sine(rate int, freq, amplitude float64) []int16 {
	s := make([]int16, rate)
	for i := range s {
		s[i] = int16(math.Round(amplitude * math.Sin(2*math.Pi*freq*float64(i)/float64(rate))))
	}
	return s
}

// convert runs a whole signal through in frames of 20 ms.
func convert(r *Resampler, in []int16, from, to int) []int16 {
	out := make([]int16, len(in)*to/from)
	for i := 0; i < len(in); i += from / 50 {
		r.Process(out[i*to/from:i*to/from+to/50], in[i:i+from/50])
	}
	return out
}

// level is the amplitude of one frequency, by Goertzel's sum over whole periods.
func level(s []int16, rate int, freq float64) float64 {
	s = s[rate/10:] // past the filter's start
	var re, im float64
	for i, v := range s {
		phase := 2 * math.Pi * freq * float64(i) / float64(rate)
		re += float64(v) * math.Cos(phase)
		im += float64(v) * math.Sin(phase)
	}
	return 2 * math.Hypot(re, im) / float64(len(s))
}

func decibel(ratio float64) float64 { return 20 * math.Log10(max(ratio, 1e-9)) }

func TestSpeechBandPassesFlat(t *testing.T) {
	for _, way := range [][2]int{{8000, 16000}, {16000, 8000}} {
		for _, f := range []float64{100, 300, 1000, 2000, 3000, 3400} {
			out := convert(New(way[0], way[1]), sine(way[0], f, 10000), way[0], way[1])
			if db := decibel(level(out, way[1], f) / 10000); math.Abs(db) > 0.5 {
				t.Errorf("%d to %d Hz: %v Hz comes out %+.2f dB", way[0], way[1], f, db)
			}
		}
	}
}

func TestImagesAndAliasesAreRejected(t *testing.T) {
	for _, f := range []float64{300, 1000, 2500, 3300} {
		out := convert(New(8000, 16000), sine(8000, f, 10000), 8000, 16000)
		if db := decibel(level(out, 16000, 8000-f) / 10000); db > -50 {
			t.Errorf("image of %v Hz at %.1f dB", f, db)
		}
	}
	for _, f := range []float64{4700, 5000, 6000, 7500} {
		out := convert(New(16000, 8000), sine(16000, f, 10000), 16000, 8000)
		if db := decibel(level(out, 8000, 8000-f) / 10000); db > -50 {
			t.Errorf("%v Hz aliases at %.1f dB", f, db)
		}
	}
}

func TestFramesJoinWithoutSeam(t *testing.T) {
	in := sine(8000, 440, 10000)
	framed := convert(New(8000, 16000), in, 8000, 16000)
	whole := make([]int16, len(framed))
	r := New(8000, 16000)
	for i := 0; i < len(in); i += maxFrame {
		end := min(i+maxFrame, len(in))
		r.Process(whole[2*i:2*end], in[i:end])
	}
	for i := range whole {
		if whole[i] != framed[i] {
			t.Fatalf("sample %d: %d in frames of 20 ms, %d in frames of 60 ms", i, framed[i], whole[i])
		}
	}
}

func TestNoAllocation(t *testing.T) {
	up, down := New(8000, 16000), New(16000, 8000)
	narrow, wide := make([]int16, 160), make([]int16, 320)
	if n := testing.AllocsPerRun(100, func() { up.Process(wide, narrow); down.Process(narrow, wide) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkUp(b *testing.B) {
	r, in, out := New(8000, 16000), sine(8000, 440, 10000)[:160], make([]int16, 320)
	for b.Loop() {
		r.Process(out, in)
	}
}

func BenchmarkDown(b *testing.B) {
	r, in, out := New(16000, 8000), sine(16000, 440, 10000)[:320], make([]int16, 160)
	for b.Loop() {
		r.Process(out, in)
	}
}
