package dtmf

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// dual makes two sines of dBm0 each, n samples of 8 kHz from offset on in a
// frame-aligned second of silence.
func dual(low, high, lowLevel, highLevel float64, offset, n int) []int16 {
	pcm := make([]int16, sampleRate)
	al, ah := amplitude(lowLevel), amplitude(highLevel)
	for i := range n {
		at := 2 * math.Pi * float64(i) / sampleRate
		pcm[offset+i] = int16(math.Round(al*math.Sin(at*low) + ah*math.Sin(at*high+1)))
	}
	return pcm
}

// listen runs a detector over audio, frame by frame.
func listen(pcm []int16) string {
	d, heard := NewDetector(), ""
	for ; len(pcm) >= 160; pcm = pcm[160:] {
		if digit, ok := d.Process(pcm[:160]); ok {
			heard += digit.String()
		}
	}
	return heard
}

// each calls f with every key, at offsets all over a frame.
func each(f func(want string, low, high float64, offset int)) {
	for row, l := range lowTones {
		for col, h := range highTones {
			for offset := 0; offset < 160; offset += 9 {
				f(keypad[row][col].String(), l, h, offset)
			}
		}
	}
}

const ms = sampleRate / 1000

func TestAllKeysAtAllLevels(t *testing.T) { // SPEC CA4, CD3
	for level := -5.0; level >= -30; level-- {
		each(func(want string, low, high float64, offset int) {
			if got := listen(dual(low, high, level, level, offset, 40*ms)); got != want {
				t.Errorf("%v dBm0, offset %d: heard %q, want %q", level, offset, got, want)
			}
		})
	}
	each(func(want string, low, high float64, offset int) {
		if got := listen(dual(low, high, -45, -45, offset, 100*ms)); got != "" {
			t.Errorf("-45 dBm0: heard %q", got)
		}
	})
}

func TestFrequencyTolerance(t *testing.T) {
	for _, c := range []struct {
		deviation float64
		taken     bool
	}{{0.015, true}, {-0.015, true}, {0.018, true}, {0.035, false}, {-0.035, false}, {0.05, false}, {-0.05, false}} {
		missed, heard, all := 0, 0, 0
		each(func(want string, low, high float64, offset int) {
			all++
			low *= 1 + c.deviation
			for _, h := range []float64{high, high * (1 + c.deviation), high * (1 - c.deviation)} {
				got := listen(dual(low, h, -12, -12, offset, 50*ms))
				if got != want {
					missed++
				}
				if got != "" {
					heard++
				}
			}
		})
		if c.taken && missed > 0 {
			t.Errorf("%+.1f %%: %d of %d missed", 100*c.deviation, missed, 3*all)
		}
		if !c.taken && heard > 0 {
			t.Errorf("%+.1f %%: %d of %d taken", 100*c.deviation, heard, 3*all)
		}
	}
}

func TestTwist(t *testing.T) {
	for twist, taken := range map[float64]bool{4: true, 0: true, -4: true, -8: true, 10: false, -14: false} {
		each(func(want string, low, high float64, offset int) {
			if got := listen(dual(low, high, -15, -15+twist, offset, 40*ms)); (got == want) != taken {
				t.Errorf("high %+v dB against low, key %s: heard %q", twist, want, got)
			}
		})
	}
}

func TestShortestToneAndPause(t *testing.T) {
	each(func(want string, low, high float64, offset int) {
		if got := listen(dual(low, high, -10, -10, offset, 23*ms)); got != "" {
			t.Errorf("heard %q in 23 ms", got)
		}
		// 40 ms on, 40 ms off, 40 ms on: twice the key.
		pcm := dual(low, high, -10, -10, offset, 120*ms)
		clear(pcm[offset+40*ms : offset+80*ms])
		if got := listen(pcm); got != want+want {
			t.Errorf("heard %q, want %s twice", got, want)
		}
		// A tone with a break of 10 ms is one.
		pcm = dual(low, high, -10, -10, offset, 120*ms)
		clear(pcm[offset+55*ms : offset+65*ms])
		if got := listen(pcm); got != want {
			t.Errorf("heard %q with a break of 10 ms, want %s once", got, want)
		}
		if got := listen(dual(low, high, -10, -10, offset, 800*ms)); got != want {
			t.Errorf("heard %q in a long tone, want %s once", got, want)
		}
	})
}

func TestNoise(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	missed, all := 0, 0
	for range 5 {
		each(func(want string, low, high float64, offset int) {
			pcm := dual(low, high, -15, -15, offset, 50*ms)
			rms := amplitude(-15) * math.Pow(10, -15.0/20) // 15 dB under the two tones together
			for i := range pcm {
				pcm[i] = int16(max(-32768, min(float64(pcm[i])+rms*random.NormFloat64(), 32767)))
			}
			all++
			if listen(pcm) != want {
				missed++
			}
		})
	}
	if missed*1000 > all {
		t.Errorf("%d of %d missed at 15 dB over noise", missed, all)
	}
}

func TestNoiseAloneAndMusicalTonesAreNoKeys(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	pcm := make([]int16, 120*sampleRate)
	for i := range pcm {
		pcm[i] = int16(3000 * random.NormFloat64())
	}
	if got := listen(pcm); got != "" {
		t.Errorf("heard %q in two minutes of noise", got)
	}
	// Dial tone, ring back, busy; one DTMF frequency alone; two of one group.
	for _, pair := range [][2]float64{{350, 440}, {440, 480}, {480, 620}, {425, 425}, {697, 697}, {1209, 1209}, {697, 852}, {1209, 1477}, {1400, 2060}, {1700, 1300}} {
		if got := listen(dual(pair[0], pair[1], -10, -10, 0, 900*ms)); got != "" {
			t.Errorf("heard %q in %v Hz", got, pair)
		}
	}
}

func TestGenerateAndItsRefusals(t *testing.T) {
	for i := range len(keys) {
		pcm, err := Generate(Digit(keys[i]), 8000, 60*time.Millisecond, -10)
		if err != nil || len(pcm) != 480 {
			t.Fatalf("%d samples, %v", len(pcm), err)
		}
		if got := listen(append(pcm, make([]int16, 480)...)); got != string(keys[i]) {
			t.Errorf("generated %c, heard %q", keys[i], got)
		}
	}
	if _, err := Generate('E', 8000, time.Second, -10); err == nil {
		t.Error("generated E")
	}
	for _, c := range []struct {
		rate int
		dur  time.Duration
	}{{0, time.Second}, {8000, -1}, {8000, time.Hour}} {
		if _, err := Generate('1', c.rate, c.dur, -10); err == nil {
			t.Errorf("generated %v at %d Hz", c.dur, c.rate)
		}
	}
	if pcm, err := Generate('1', 8000, time.Second, 100); err != nil || len(pcm) != 8000 {
		t.Error("a level over the scale must clip")
	}
}
