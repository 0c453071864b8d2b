package tone

import (
	"math"
	"math/bits"
	"path/filepath"
	"testing"
	"time"
)

const second = time.Second

func TestLevelsMeasureWhatSineMakes(t *testing.T) {
	for _, rate := range []int{8000, 16000} {
		for _, frequency := range []float64{50, 420, 1004, 3400} {
			for _, want := range []float64{-3.02, -20, -50} {
				s := Sine(rate, frequency, want, second)
				for _, l := range Levels(s.Samples, rate, 100*time.Millisecond, frequency, frequency+300)[1:9] {
					if math.Abs(l.Tones[0]-want) > 0.3 || math.Abs(l.RMS-want) > 0.3 || l.Tones[1] > want-40 {
						t.Errorf("%.0f Hz at %.0f dBFS, rate %d: measured %+v", frequency, want, rate, l)
					}
				}
			}
		}
	}
}

func TestHeard(t *testing.T) {
	const rate = 8000
	a, b, c := Caller(0), Caller(1), Caller(2)
	chorus := Mix(Sine(rate, a, -20, second), Sine(rate, b, -20, second))
	for _, test := range []struct {
		name  string
		sound Sound
		f     float64
		want  bool
	}{
		{"alone", Sine(rate, a, -20, second), a, true},
		{"very quiet", Sine(rate, a, -48, second), a, true},
		{"under the threshold", Sine(rate, a, -53, second), a, false},
		{"one of two", chorus, b, true},
		{"not one of the two", chorus, c, false},
		{"in noise 6 dB under it", Mix(Sine(rate, a, -26, second), Noise(rate, -32, second)), a, true},
		{"noise alone", Noise(rate, -20, second), a, false},
		{"silence", Silence(rate, second), a, false},
		{"20 dB under another", Mix(Sine(rate, a, -30, second), Sine(rate, b, -10, second)), a, true},
		{"30 dB under another", Mix(Sine(rate, a, -40, second), Sine(rate, b, -10, second)), a, false},
		{"half the time", Join(Sine(rate, a, -20, second/2), Silence(rate, second/2)), a, false},
		{"too short", Sine(rate, a, -20, second/2), a, false},
	} {
		if got := Heard(test.sound.Samples, rate, 0, second, test.f); got != test.want {
			t.Errorf("%s: heard %v", test.name, got)
		}
	}
}

// A mix of up to three callers, or of all, shows those who are in it and nobody
// else.
func TestCallersAreToldApart(t *testing.T) {
	const rate = 8000
	for set := range 1 << len(callers) {
		if n := bits.OnesCount(uint(set)); n > 3 && n < len(callers) {
			continue
		}
		mix := Silence(rate, 200*time.Millisecond)
		for n, f := range callers {
			if set>>n&1 == 1 {
				mix = Mix(mix, Sine(rate, f, -26, 200*time.Millisecond))
			}
		}
		for n, f := range callers {
			share := Share(mix.Samples, rate, 0, 200*time.Millisecond, f)
			if in := set>>n&1 == 1; in && share < heardShare || !in && share > 0 {
				t.Fatalf("set %09b, caller %d (%.0f Hz): share %.2f", set, n, f, share)
			}
		}
	}
}

// Many tones at once are measured as each alone is.
func TestStrengths(t *testing.T) {
	const rate = 8000
	mix := Mix(Sine(rate, Caller(0), -20, second), Sine(rate, Caller(3), -32, second/2))
	all := Strengths(mix, Caller(0), Caller(1), Caller(3))
	for i, f := range []float64{Caller(0), Caller(1), Caller(3)} {
		if want := Share(mix.Samples, rate, 0, second, f); all[i].Share != want {
			t.Errorf("%.0f Hz: share %v, alone %v", f, all[i].Share, want)
		}
	}
	if math.Abs(all[0].Level+20) > 0.5 || all[1].Level > -100 || math.Abs(all[2].Level+32) > 0.5 {
		t.Errorf("levels %+v", all)
	}
}

func TestOnsetGapsAndClipping(t *testing.T) {
	const rate = 8000
	s := Join(Silence(rate, 300*time.Millisecond), Sine(rate, 420, -20, second),
		Silence(rate, 60*time.Millisecond), Sine(rate, 420, -20, second))
	at, ok := Onset(s.Samples, rate, 420)
	if !ok || (at-300*time.Millisecond).Abs() > heardWindow {
		t.Errorf("onset at %v, %v", at, ok)
	}
	if _, ok := Onset(s.Samples, rate, 1010); ok {
		t.Error("an onset of what is not there")
	}
	gaps := Gaps(s.Samples, rate, -50, 40*time.Millisecond)
	if len(gaps) != 2 || gaps[0] != (Gap{0, 300 * time.Millisecond}) ||
		gaps[1] != (Gap{1300 * time.Millisecond, 60 * time.Millisecond}) {
		t.Errorf("gaps %v", gaps)
	}
	if n := Clipped(s.Samples); n != 0 {
		t.Errorf("%d samples clipped of a clean sound", n)
	}
	if n := Clipped(Sine(rate, 420, 0, second).Samples); n < 1000 {
		t.Errorf("%d samples clipped of a sine 3 dB too loud", n)
	}
}

func TestWAVRoundTrip(t *testing.T) {
	want := Join(Sine(16000, 1000, -10, second/10), Keys(16000, "1#", -13, second/10, second/20))
	path := filepath.Join(t.TempDir(), "x.wav")
	if err := want.WriteWAV(path); err != nil {
		t.Fatal(err)
	}
	got, err := ReadWAV(path)
	if err != nil || got.Rate != want.Rate || len(got.Samples) != len(want.Samples) {
		t.Fatalf("%d samples at %d Hz, %v", len(got.Samples), got.Rate, err)
	}
	for i := range want.Samples {
		if got.Samples[i] != want.Samples[i] {
			t.Fatalf("sample %d differs", i)
		}
	}
	if _, err := ReadWAV("tone_test.go"); err == nil {
		t.Error("a Go file is read as WAV")
	}
}
