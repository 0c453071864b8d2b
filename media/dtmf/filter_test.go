package dtmf

import (
	"math"
	"slices"
	"testing"
	"time"
)

func filterFor(t testing.TB, rate int) *Filter {
	t.Helper()
	f, err := NewFilter(rate)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestNothingOfAToneIsHeard measures what a filter lets out of tones that begin
// and end anywhere in a frame (SPEC CD3).
func TestNothingOfAToneIsHeard(t *testing.T) {
	for _, rate := range []int{8000, 16000, 48000} {
		for i := range len(keys) {
			for offset := 0; offset < 20; offset++ {
				for _, length := range []time.Duration{50, 73, 120} {
					tone, err := Generate(Digit(keys[i]), rate, length*time.Millisecond, -8)
					if err != nil {
						t.Fatal(err)
					}
					pcm := make([]int16, rate/2)
					copy(pcm[rate/10+offset*rate/1000:], tone)
					heard, digits := pass(filterFor(t, rate), pcm)
					if digits != string(keys[i]) {
						t.Fatalf("%d Hz: heard %q, want %c", rate, digits, keys[i])
					}
					// A millisecond of the tone at full strength would be 1000.
					if leak := leaked(heard, tone, rate); leak > 300 {
						t.Errorf("%d Hz, key %c at %d ms for %d ms: leaked %.0f µs of tone", rate, keys[i], offset, length, leak)
					}
				}
			}
		}
	}
}

// leaked is the energy of what was heard, as µs of the tone.
func leaked(heard, tone []int16, rate int) float64 {
	return energy(heard) / (energy(tone) / float64(len(tone))) / float64(rate) * 1e6
}

func energy(pcm []int16) float64 {
	sum := 0.0
	for _, s := range pcm {
		sum += float64(s) * float64(s)
	}
	return sum
}

func pass(f *Filter, pcm []int16) (out []int16, digits string) {
	out = slices.Clone(pcm)
	n := f.frame
	for i := 0; i+n <= len(out); i += n {
		if d, ok := f.Process(out[i : i+n]); ok {
			digits += d.String()
		}
	}
	return out, digits
}

// TestOtherAudioPassesUntouchedOneFrameLater, and fades where a tone cuts in.
func TestOtherAudioPassesUntouchedOneFrameLater(t *testing.T) {
	for _, rate := range []int{8000, 16000, 48000} {
		pcm := make([]int16, rate/2)
		for i := range pcm {
			pcm[i] = int16(6000 * math.Sin(2*math.Pi*300*float64(i)/float64(rate)))
		}
		out, digits := pass(filterFor(t, rate), pcm)
		n := rate / 50
		if digits != "" || !slices.Equal(out[n:], pcm[:len(pcm)-n]) || energy(out[:n]) != 0 {
			t.Errorf("%d Hz: audio changed on its way", rate)
		}
		// The same with a key pressed over it in the middle.
		tone, _ := Generate('6', rate, 100*time.Millisecond, -3)
		begin, end := rate/5, rate/5+len(tone)
		copy(pcm[begin:], tone)
		out, digits = pass(filterFor(t, rate), pcm)
		if digits != "6" {
			t.Errorf("heard %q", digits)
		}
		margin := rate / 50 // at most 20 ms before and 10 ms after the tone are lost
		if !slices.Equal(out[n:begin-margin+n], pcm[:begin-margin]) {
			t.Errorf("%d Hz: lost more than 20 ms before the tone", rate)
		}
		if !slices.Equal(out[end+margin+n:], pcm[end+margin:len(pcm)-n]) {
			t.Errorf("%d Hz: lost more than 20 ms after the tone", rate)
		}
	}
}

func TestFilterLeavesOtherLengthsAlone(t *testing.T) {
	f := filterFor(t, 8000)
	pcm := []int16{1, 2, 3}
	if _, ok := f.Process(pcm); ok || pcm[0] != 1 {
		t.Error("touched a frame of three samples")
	}
	for _, rate := range []int{0, 44100, -8000} {
		if _, err := NewFilter(rate); err == nil {
			t.Errorf("made a filter for %d Hz", rate)
		}
	}
}

func TestNoAllocation(t *testing.T) {
	narrow, _ := Generate('5', 8000, 20*time.Millisecond, -10)
	wide, _ := Generate('5', 16000, 20*time.Millisecond, -10)
	d, f, w := NewDetector(), filterFor(t, 8000), filterFor(t, 16000)
	var r Receiver
	payload, at := []byte{5, 10, 0, 160}, uint32(0)
	for name, step := range map[string]func(){
		"detector": func() { d.Process(narrow) },
		"filter":   func() { f.Process(narrow) },
		"wide":     func() { w.Process(wide) },
		"receiver": func() { at += 1000; r.Packet(at, true, payload) },
	} {
		if a := testing.AllocsPerRun(100, step); a != 0 {
			t.Errorf("%s: %v allocations", name, a)
		}
	}
}

func BenchmarkDetector(b *testing.B) {
	tone, _ := Generate('5', 8000, 20*time.Millisecond, -10)
	for name, pcm := range map[string][]int16{"tone": tone, "silence": make([]int16, 160)} {
		b.Run(name, func(b *testing.B) {
			d := NewDetector()
			b.ReportAllocs()
			for b.Loop() {
				d.Process(pcm)
			}
		})
	}
}

func BenchmarkFilter(b *testing.B) {
	for name, rate := range map[string]int{"narrow": 8000, "wide": 16000} {
		b.Run(name, func(b *testing.B) {
			f := filterFor(b, rate)
			pcm := make([]int16, rate/50)
			for i := range pcm {
				pcm[i] = int16(6000 * math.Sin(2*math.Pi*300*float64(i)/float64(rate)))
			}
			b.ReportAllocs()
			for b.Loop() {
				f.Process(pcm)
			}
		})
	}
}
