package mixer

import "testing"

// SPEC CF13: who watches is told when a voice begins and ends, a word's pause apart; a
// mute, and leaving, end it at once.
func TestTalking(t *testing.T) {
	l := newLab(t, nil)
	a, b := l.join("PCMU", 0, talk), l.join("PCMU", 0, talk)
	changes, dropped := make(chan Talk, 8), 0
	stop := l.mixer.Watch(changes, func() { dropped++ })
	expect := func(what string, c *caller, talking bool) {
		t.Helper()
		select {
		case got := <-changes:
			if got.Port != c.port || got.Talking != talking {
				t.Errorf("%s: %v, talking %v", what, got.Port == c.port, got.Talking)
			}
			if talking && (got.Level < -24 || got.Level > -19) {
				t.Errorf("%s: a level of %.1f dBFS", what, got.Level)
			}
		default:
			t.Errorf("%s: nothing was told", what)
		}
	}
	nothing := func(what string) {
		t.Helper()
		if len(changes) > 0 {
			t.Errorf("%s: %v", what, <-changes)
		}
	}
	l.run(40)
	nothing("nobody speaks")
	a.freq = 500
	l.run(15)
	expect("a speaks", a, true)
	if list := l.mixer.Talking(); len(list) != 1 || list[0].Port != a.port {
		t.Errorf("%v are talking", list)
	}
	a.freq = 0
	l.run(10)
	a.freq = 500
	l.run(10)
	nothing("a pauses for 0.2 s")
	b.freq = 700
	l.run(15)
	expect("b speaks, too", b, true)
	b.port.SetMode(Mode{Hears: true})
	l.run(1)
	expect("b is muted", b, false)
	a.freq = 0
	l.run(40)
	expect("a has spoken", a, false)
	a.freq = 500
	l.run(15)
	expect("a speaks again", a, true)
	l.mixer.Remove(a.port)
	l.callers = l.callers[1:]
	expect("a leaves", a, false)
	full := make(chan Talk)
	l.mixer.Watch(full, func() { dropped++ })
	stop()
	b.port.SetMode(talk)
	l.run(30)
	nothing("the watch has ended")
	if dropped != 1 {
		t.Errorf("%d changes were dropped for want of room", dropped)
	}
}
