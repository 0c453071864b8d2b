package judge

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/testenv/tone"
)

const rate = 8000

var begin = time.Unix(1_700_000_000, 0)

func at(seconds float64) time.Time { return begin.Add(time.Duration(seconds * float64(time.Second))) }

// always is a speaker who is there all the time.
func always(seat, voice int) Presence {
	return Presence{Seat: seat, Voice: voice, Called: at(-100), In: at(-90)}
}

// trio has three speakers, voices 0 to 2; seat 0 listens.
var trio = Room{Speakers: []Presence{always(0, 0), always(1, 1), always(2, 2)}}

func voice(v int, level float64, seconds int) tone.Sound {
	return tone.Sine(rate, Tone(v), level, time.Duration(seconds)*time.Second)
}

// good is what seat 0 of trio hears.
func good(seconds int) tone.Sound { return tone.Mix(voice(1, -20, seconds), voice(2, -20, seconds)) }

func silence(d time.Duration) tone.Sound { return tone.Silence(rate, d) }

func hears(s tone.Sound) Findings {
	return Listen(Ear{Who: "caller 0", Kind: "PCMU", Begin: begin, Sound: s}, trio)
}

// Each fault that is planted is found, and no other is; what is right has none.
func TestPlantedFaults(t *testing.T) {
	loud := good(10)
	for i := 0; i < len(loud.Samples); i += 400 {
		loud.Samples[i] = math.MaxInt16
	}
	for _, test := range []struct {
		name  string
		sound tone.Sound
		want  string // the only reason; empty: none
	}{
		{"good", good(10), ""},
		{"a muted tone", voice(1, -20, 10), "are missing"},
		{"all muted", silence(10 * time.Second), "are missing; silent for 10s while somebody spoke, in 1 gaps of up to 10s"},
		{"muted for a second of 10", tone.Mix(voice(1, -20, 10), tone.Join(voice(2, -20, 4), silence(time.Second), voice(2, -20, 5))), "5.0 % of the tones of its room are missing"},
		{"a foreign tone", tone.Mix(good(10), voice(5, -20, 10)), "10 s of tones that nobody else in the room has"},
		{"its own tone", tone.Mix(good(10), tone.Join(silence(5*time.Second), voice(0, -30, 3))), "3 s of tones that nobody else in the room has"},
		{"clipped", loud, "0.25 % of the samples are clipped"},
		{"too soft", tone.Mix(voice(1, -30, 10), voice(2, -30, 10)), "a tone is 10.0 dB from the usual -20.0 dBFS"},
		{"a gap", tone.Join(good(5), silence(60*time.Millisecond), good(5)), "silent for 60ms while somebody spoke, in 1 gaps of up to 60ms"},
		{"one frame in 10 s", tone.Join(good(5), silence(10*time.Millisecond), good(5)), ""},
		{"too short", good(1).Between(0, time.Second/2), "heard 500ms of sound"},
	} {
		t.Run(test.name, func(t *testing.T) {
			// The others are well, so that the level is known.
			v := Judge([]Findings{hears(test.sound), hears(good(3)), hears(good(4)), hears(good(5))}, DefaultLimits())
			if test.want == "" {
				if len(v.Faulty) > 0 {
					t.Errorf("%v", v.Faulty)
				}
				return
			}
			if len(v.Faulty) != 1 {
				t.Fatalf("%d faulty: %v", len(v.Faulty), v.Faulty)
			}
			got := strings.Join(v.Faulty[0].Reasons, "; ")
			if !strings.Contains(got, test.want) || strings.Count(got, ";") != strings.Count(test.want, ";") {
				t.Errorf("%s\nwant %s", got, test.want)
			}
		})
	}
}

// A coarse codec may hide one tone behind another, but does not excuse silence.
func TestCoarse(t *testing.T) {
	one, none := hears(voice(1, -33, 10)), hears(silence(10*time.Second))
	one.Coarse, none.Coarse = true, true
	v := Judge([]Findings{one, none, hears(good(5)), hears(good(5))}, DefaultLimits())
	if len(v.Faulty) != 1 || !strings.Contains(v.Faulty[0].String(), "are missing; silent for 10s") {
		t.Errorf("%v", v.Faulty)
	}
}

func TestWorstComesFirst(t *testing.T) {
	half, foreign := hears(voice(1, -20, 10)), hears(tone.Mix(good(10), voice(5, -20, 10)))
	gap := hears(tone.Join(good(5), silence(40*time.Millisecond), good(5)))
	half.Who, foreign.Who, gap.Who = "half", "foreign", "gap"
	v := Judge([]Findings{gap, half, hears(good(5)), foreign}, DefaultLimits())
	if len(v.Faulty) != 3 || v.Faulty[0].Who != "foreign" || v.Faulty[1].Who != "half" || v.Faulty[2].Who != "gap" || v.Faulty[0].Index != 3 {
		t.Errorf("%v", v.Faulty)
	}
	if v.Listeners != 4 || v.Gaps != 1 || v.Longest != 40*time.Millisecond || v.Foreign != 10 {
		t.Errorf("%+v", v)
	}
}

// Who comes and goes must be heard in between, may be heard while it comes and goes, and
// must not be heard before and after.
func TestComingAndGoing(t *testing.T) {
	room := Room{Speakers: []Presence{always(0, 0), always(1, 1),
		{Seat: 2, Voice: 2, Called: at(3), In: at(5), Out: at(12), Gone: at(13)},
		{Seat: 2, Voice: 2, Called: at(14), In: at(16)}}}
	listen := func(from, to int) Findings {
		guest := tone.Join(silence(time.Duration(from)*time.Second), voice(2, -20, to-from))
		return Listen(Ear{Begin: begin, Sound: tone.Mix(voice(1, -20, 14), guest)}, room)
	}
	for _, test := range []struct{ from, to, absent, foreign int }{
		{3, 13, 0, 0}, {5, 12, 0, 0}, {4, 12, 0, 0}, {6, 12, 1, 0}, {5, 10, 2, 0}, {1, 13, 0, 2}, {5, 14, 0, 1},
	} {
		f := listen(test.from, test.to)
		if f.Absent != test.absent || f.Foreign != test.foreign || f.Expected != 14+7 {
			t.Errorf("heard from %d to %d s: %d absent, %d foreign of %d", test.from, test.to, f.Absent, f.Foreign, f.Expected)
		}
	}
}

// Alone, one hears nothing and nothing is missing.
func TestAlone(t *testing.T) {
	f := Listen(Ear{Begin: begin, Sound: silence(5 * time.Second)}, Room{Speakers: []Presence{always(0, 0)}})
	if f.Expected != 0 || f.Absent != 0 || f.Gaps != 0 || f.Spoken != 0 {
		t.Errorf("%+v", f)
	}
}

// Of a crowd the loudest are heard: any of those who speak, but so many. A recording hears
// all of them; one who is itself heard, one less.
func TestCrowd(t *testing.T) {
	room := Room{Chosen: 3}
	for seat := range 5 {
		room.Speakers = append(room.Speakers, always(seat, seat))
	}
	three := tone.Mix(voice(1, -20, 2), voice(3, -20, 2), voice(4, -20, 2))
	for _, test := range []struct {
		seat  int
		sound tone.Sound
		want  int
	}{
		{Nobody, three, 0}, {77, three, 0}, {0, three, 0}, {Nobody, good(2), 2}, {0, good(2), 0}, {77, voice(1, -20, 2), 4},
	} {
		if f := Listen(Ear{Seat: test.seat, Begin: begin, Sound: test.sound}, room); f.Absent != test.want || f.Foreign != 0 {
			t.Errorf("seat %d: %d absent, want %d; %d foreign", test.seat, f.Absent, test.want, f.Foreign)
		}
	}
}

// In a crowd larger than the number of tones, two of the chosen may have the same; then one
// of all is enough, and its level says nothing. Who came one after the other shares none.
func TestSharedVoices(t *testing.T) {
	room := Room{Chosen: 3}
	for seat := range 12 {
		room.Speakers = append(room.Speakers, always(seat, seat%Voices))
	}
	f := Listen(Ear{Seat: Nobody, Begin: begin, Sound: tone.Mix(voice(0, -15, 2), voice(5, -20, 2))}, room)
	if f.Absent != 0 || f.Levels[0] != 0 || f.Levels[5] == 0 {
		t.Errorf("%+v", f)
	}
	room.Speakers = nil
	for n := range 12 {
		room.Speakers = append(room.Speakers, Presence{Seat: n % 4, Voice: n % 4, Called: at(float64(-100 - n)), In: at(-90), Out: at(-50), Gone: at(-40)})
	}
	for seat := range 4 {
		room.Speakers = append(room.Speakers, always(seat, seat))
	}
	if f := Listen(Ear{Seat: Nobody, Begin: begin, Sound: voice(0, -20, 2)}, room); f.Absent != 4 {
		t.Errorf("of three that must be heard only one is: %d absent", f.Absent)
	}
}

// A leak is seen through the noise of what comes and goes; noise alone, and what grows
// only in the first half, is none.
func TestGrowth(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	series := func(f func(minute float64) float64) (list []Sample) {
		for i := range 540 {
			d := time.Duration(i) * 5 * time.Second
			list = append(list, Sample{d, f(d.Minutes()) + 300*random.NormFloat64()})
		}
		return list
	}
	for _, test := range []struct {
		name string
		f    func(float64) float64
		leak bool
		grew float64
	}{
		{"none", func(float64) float64 { return 10_000 }, false, 0},
		{"a leak of 100 a minute", func(m float64) float64 { return 10_000 + 100*m }, true, 2250},
		{"warming up", func(m float64) float64 { return 10_000 + 200*min(m, 20) }, false, 0},
		{"shrinking", func(m float64) float64 { return 10_000 - 100*m }, false, -2250},
	} {
		g := Fit(series(test.f))
		if g.Leak(500) != test.leak || math.Abs(g.Grew-test.grew) > 150 || g.Over.Round(time.Minute) != 22*time.Minute {
			t.Errorf("%s: %+v", test.name, g)
		}
	}
	if g := Fit([]Sample{{0, 1}, {time.Second, 100}}); g.Leak(0) {
		t.Errorf("two samples: %+v", g)
	}
	if g := Fit([]Sample{{0, 1}, {0, 1}, {0, 1}, {0, 9}}); g != (Growth{Mean: 3}) || Fit(nil) != (Growth{}) {
		t.Errorf("no time between: %+v", g)
	}
}
