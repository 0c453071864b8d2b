package mixer

import (
	"math"
	"slices"
	"testing"
)

// audience are ports without a session, for choosing among.
type audience []*Port

func newAudience(n int) audience {
	c := make(audience, n)
	for i := range c {
		c[i] = NewPort(nil, nil)
	}
	return c
}

// tick lets those who are named make a sound of a level.
func (c audience) tick(n int, levels map[int]float32) {
	for i, p := range c {
		p.turn.level, p.turn.sound = 0, false
		if level, ok := levels[i]; ok {
			p.turn.level, p.turn.sound = level, true
		}
	}
	choose(c, n)
}

func (c audience) run(ticks, n int, levels map[int]float32) {
	for range ticks {
		c.tick(n, levels)
	}
}

// heard are those with a place.
func (c audience) heard() (list []int) {
	for i, p := range c {
		if p.turn.placed {
			list = append(list, i)
		}
	}
	return list
}

func (c audience) want(t *testing.T, when string, want ...int) {
	t.Helper()
	if got := c.heard(); !slices.Equal(got, want) {
		t.Errorf("%s: %v are heard, want %v", when, got, want)
	}
}

// SPEC CF13: of many, the loudest are heard, at once.
func TestLoudestAreHeard(t *testing.T) {
	c := newAudience(20)
	c.tick(4, map[int]float32{3: -20})
	c.want(t, "one speaks", 3)
	c.tick(4, map[int]float32{3: -20, 5: -30, 7: -25, 9: -22})
	c.want(t, "four speak", 3, 5, 7, 9)
	c.run(50, 4, map[int]float32{3: -20, 5: -30, 7: -25, 9: -22, 11: -27})
	c.want(t, "a fifth is a little louder than the softest", 3, 5, 7, 9)
	c.tick(4, map[int]float32{3: -20, 5: -30, 7: -25, 9: -22, 11: -18})
	c.want(t, "it shouts once", 3, 5, 7, 9)
	c.run(10, 4, map[int]float32{3: -20, 5: -30, 7: -25, 9: -22, 11: -18})
	c.want(t, "it goes on shouting", 3, 7, 9, 11)
}

// CF13: who pauses between words keeps the place, unless another one wants it.
func TestPauses(t *testing.T) {
	c := newAudience(20)
	all := map[int]float32{0: -20, 1: -20, 2: -20, 3: -20}
	c.run(50, 4, all)
	c.run(30, 4, nil)
	c.want(t, "all pause for 0.6 s", 0, 1, 2, 3)
	c.tick(4, map[int]float32{9: -30})
	if !slices.Contains(c.heard(), 9) || len(c.heard()) != 4 {
		t.Errorf("a soft one speaks in the pause: %v are heard", c.heard())
	}
	c.run(60, 4, map[int]float32{9: -30})
	c.want(t, "only one goes on for more than a second", 9)
	c = newAudience(20)
	c.run(50, 4, all)
	c.run(5, 4, map[int]float32{1: -20, 2: -20, 3: -20, 9: -20})
	c.want(t, "another one speaks within 0.1 s of a pause", 0, 1, 2, 3)
}

// CF13: where there is no crowd, all are heard, even in silence; when it becomes one, the
// loudest few are, soon.
func TestFewAreAlwaysHeard(t *testing.T) {
	c := newAudience(9)
	all := map[int]float32{0: -20, 1: -20, 2: -20, 3: -20, 4: -26, 5: -26, 6: -26, 7: -26}
	c[:8].run(200, 4, nil)
	c[:8].want(t, "eight who are silent", 0, 1, 2, 3, 4, 5, 6, 7)
	c[:8].run(50, 4, all)
	c.run(4, 4, all)
	c.want(t, "a ninth comes", 0, 1, 2, 3)
}

// rms is the level of what was heard, in dBFS.
func (c *caller) rms() float64 {
	sum := 0.0
	for _, v := range c.heard {
		sum += float64(v) * float64(v)
	}
	return 10*math.Log10(sum/float64(len(c.heard))+1e-9) - 90.3
}

// CF13: the noise of 200 open lines at -50 dBFS does not build up: -27 dBFS if all were
// added, which would drown the one who speaks.
func TestNoiseOf200LinesDoesNotBuildUp(t *testing.T) {
	l := newLab(t, nil)
	l.settle()
	for range 200 {
		l.join("PCMU", 0, talk).noise = 32768 * math.Pow(10, -50./20)
	}
	speaker := l.join("PCMU", 0, talk)
	listener := l.join("PCMU", 0, Mode{Hears: true})
	l.run(100)
	listener.heard = nil
	l.run(50)
	if level := listener.rms(); level > -55 {
		t.Errorf("nobody speaks, and %.1f dBFS are heard", level)
	}
	speaker.freq = 500
	l.run(10)
	listener.heard = nil
	l.run(50)
	if level := listener.level(500); math.Abs(level-4000) > 400 {
		t.Errorf("the speaker is heard at %.0f", level)
	}
	if d := distortion(listener.heard, 8000, 500); d > -30 {
		t.Errorf("beside the speaker %.1f dB of noise are heard", d)
	}
}

// CF13: a soft and a loud speaker come to one loudness; a pause does not raise noise.
func TestAutomaticGain(t *testing.T) {
	l := newLab(t, nil)
	soft, loud := l.join("PCMU", 400, talk), l.join("PCMA", 700, talk)
	soft.loud, loud.loud = 700, 14_000
	soft.noise = 8
	listener := l.join("PCMU", 0, Mode{Hears: true})
	l.run(30)
	listener.heard = nil
	l.run(10)
	if s := listener.level(400); s > 1400 {
		t.Errorf("the soft speaker is at %.0f soon after the beginning", s)
	}
	for range 10 { // a pause shows the noise of the line
		soft.freq = 0
		l.run(10)
		soft.freq = 400
		l.run(30)
	}
	listener.heard = nil
	l.run(50)
	if s, d := listener.level(400), listener.level(700); s < 2500 || d > 8000 || d > 2.6*s {
		t.Errorf("the soft speaker is heard at %.0f, the loud one at %.0f", s, d)
	}
	soft.freq, loud.freq = 0, 0
	l.run(100)
	listener.heard = nil
	l.run(50)
	if level := listener.rms(); level > -48 {
		t.Errorf("in the pause %.1f dBFS are heard", level)
	}
}

// CF13: of callers whom nobody hears, nothing is decoded; of those who speak, all is.
func TestMutedCallersAreNotDecoded(t *testing.T) {
	l := newLab(t, nil)
	muted, speaker := l.join("G722", 400, Mode{Hears: true}), l.join("PCMU", 700, talk)
	l.run(50)
	if s := muted.port.Media().Stats().Playout; s.Passed != 50 || s.Voice != 0 {
		t.Errorf("the muted one: %+v", s)
	}
	if s := speaker.port.Media().Stats().Playout; s.Passed != 0 {
		t.Errorf("the speaker: %+v", s)
	}
	muted.port.SetMode(talk)
	l.settle()
	l.run(50)
	speaker.hears(t, "the speaker", l, 400)
}

// CF13: in a room of 1,000 open lines with five who speak, the four loudest are heard, the
// fifth and the noise are not, and a speaker hears the others but not itself.
func TestHallOf1000(t *testing.T) {
	if testing.Short() {
		t.Skip("1,000 callers on real sockets")
	}
	l := newLab(t, nil)
	frequencies := []float64{400, 700, 1100, 1500, 1900}
	for i, f := range frequencies {
		c := l.join("PCMU", f, talk)
		if i == 4 {
			c.loud = 1500
		}
	}
	for range 995 {
		l.join("PCMU", 0, talk).noise = 32768 * math.Pow(10, -55./20)
	}
	speaker, listener := l.callers[0], l.callers[500]
	for i := range 60 {
		for _, c := range l.callers {
			c.speak(t)
		}
		l.tick()
		for _, c := range []*caller{speaker, listener} {
			if c.listen(t); i < 40 {
				c.heard = nil
			}
		}
	}
	for i, f := range frequencies {
		of, to := speaker.level(f), listener.level(f)
		switch {
		case i == 4 && to > 100:
			t.Errorf("the softest of five is heard at %.0f", to)
		case i < 4 && math.Abs(to-4000) > 400:
			t.Errorf("speaker %d is heard at %.0f", i, to)
		case i == 0 && of > 100:
			t.Errorf("a speaker hears itself at %.0f", of)
		case i > 0 && i < 4 && math.Abs(of-4000) > 400:
			t.Errorf("a speaker hears speaker %d at %.0f", i, of)
		}
	}
	if d := distortion(listener.heard, 8000, frequencies...); d > -30 {
		t.Errorf("%.1f dB of noise are heard beside them", d)
	}
	if heard := len(l.mixer.Talking()); heard != 4 {
		t.Errorf("%d are talking", heard)
	}
}
