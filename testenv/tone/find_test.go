package tone

import (
	"testing"
	"time"
)

// A sentence is found through a codec's noise, under a steady tone, across a lost
// packet, and at the other rate; another one of the same voice is not taken for it.
func TestFind(t *testing.T) {
	const full, locked = "This conference is full. Goodbye.", "This conference is locked. Goodbye."
	said, other := Speech(t, 8000, full), Speech(t, 8000, locked)
	lead := 1500 * time.Millisecond
	heard := Join(Silence(8000, lead), said, Silence(8000, 2*second))
	lost := Join(heard.Between(0, lead+second), heard.Between(lead+second+20*time.Millisecond, heard.Duration()))
	for name, in := range map[string]Sound{
		"alone":              heard,
		"in noise":           Mix(heard, noise(8000, -50, heard.Duration())),
		"under a caller":     Mix(heard, Sine(8000, Caller(1), -20, heard.Duration())),
		"with a packet lost": lost,
		"at the other rate":  Join(Silence(16000, lead), Speech(t, 16000, full)),
	} {
		at, likeness := Find(in, said)
		if likeness < Alike || (at-lead).Abs() > 2*pictureStep {
			t.Errorf("%s: %.2f alike at %v, it is at %v", name, likeness, at, lead)
		}
		if _, likeness := Find(in, other); likeness >= Alike {
			t.Errorf("%s: another sentence is %.2f alike", name, likeness)
		}
	}
	for name, in := range map[string]Sound{
		"silence": Silence(8000, 5*second), "nothing": {Rate: 8000}, "a tone": Sine(8000, 620, -20, 5*second),
		"noise": noise(8000, -20, 5*second), "only its beginning": said.Between(0, second),
	} {
		if _, likeness := Find(in, said); likeness >= Alike {
			t.Errorf("%s is %.2f alike", name, likeness)
		}
	}
}
