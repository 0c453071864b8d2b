package speech

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/testenv/tone"
)

// noise returns white noise, the same in each run.
func noise(rate int, level float64, d time.Duration) tone.Sound {
	random := rand.New(rand.NewPCG(1, 2))
	s := tone.Silence(rate, d)
	for i := range s.Samples {
		s.Samples[i] = int16(max(-32768, min(32767, random.NormFloat64()*32768*math.Pow(10, level/20))))
	}
	return s
}

// A sentence is found through a codec's noise, under a steady tone, across a lost
// packet, and at the other rate; another one of the same voice is not taken for it.
func TestASentenceIsFound(t *testing.T) {
	const full, locked = "This conference is full. Goodbye.", "This conference is locked. Goodbye."
	said, other := Say(t, 8000, full), Say(t, 8000, locked)
	lead := 1500 * time.Millisecond
	heard := tone.Join(tone.Silence(8000, lead), said, tone.Silence(8000, 2*time.Second))
	lost := tone.Join(heard.Between(0, lead+time.Second), heard.Between(lead+time.Second+20*time.Millisecond, heard.Duration()))
	for name, in := range map[string]tone.Sound{
		"alone":              heard,
		"in noise":           tone.Mix(heard, noise(8000, -50, heard.Duration())),
		"under a caller":     tone.Mix(heard, tone.Sine(8000, tone.Caller(1), -20, heard.Duration())),
		"with a packet lost": lost,
		"at the other rate":  tone.Join(tone.Silence(16000, lead), Say(t, 16000, full)),
	} {
		at, likeness := tone.Find(in, said)
		if likeness < tone.Alike || (at-lead).Abs() > 40*time.Millisecond {
			t.Errorf("%s: %.2f alike at %v, it is at %v", name, likeness, at, lead)
		}
		if _, likeness := tone.Find(in, other); likeness >= tone.Alike {
			t.Errorf("%s: another sentence is %.2f alike", name, likeness)
		}
	}
	for name, in := range map[string]tone.Sound{
		"silence": tone.Silence(8000, 5*time.Second), "nothing": {Rate: 8000}, "a tone": tone.Sine(8000, 620, -20, 5*time.Second),
		"noise": noise(8000, -20, 5*time.Second), "only its beginning": said.Between(0, time.Second),
	} {
		if _, likeness := tone.Find(in, said); likeness >= tone.Alike {
			t.Errorf("%s is %.2f alike", name, likeness)
		}
	}
}

func TestSpeechIsNotTakenForACaller(t *testing.T) {
	said := Say(t, 8000, "Please enter your access code, followed by the pound key.")
	for n := range 9 {
		if tone.Heard(said.Samples, 8000, 0, said.Duration(), tone.Caller(n)) {
			t.Errorf("%.0f Hz is heard in speech", tone.Caller(n))
		}
	}
}
