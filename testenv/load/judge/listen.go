package judge

import (
	"math"
	"slices"
	"time"

	"github.com/conclave-voice/conclave/testenv/tone"
)

// Ear is what one listener heard: frames that never came are silence in the sound.
type Ear struct {
	Who     string // for the reader
	Kind    string // those of one kind should hear alike: the codec
	Coarse  bool   // the codec was made for one voice: it blurs several tones at once
	Seat    int    // of its room, or Nobody
	Begin   time.Time
	Sound   tone.Sound
	Missing int // frames
}

// Findings are what was found in the sound of one listener.
type Findings struct {
	Who, Kind  string
	Coarse     bool
	Length     time.Duration // of the sound
	Spoken     time.Duration // somebody spoke all the time, so that silence is a fault
	Missing    int           // frames
	Expected   int           // tones that must have been there, each second counted
	Absent     int           // of those, how many were not
	Foreign    int           // tones that nobody spoke with, or the listener's own, each second counted
	Clipped    float64       // share of the samples at full scale
	Gaps       int           // stretches of silence while somebody spoke
	Silent     time.Duration // all of them
	LongestGap time.Duration
	Levels     [Voices]float64 // the median of each tone that had to be there, in dBFS; 0: none
}

const (
	second = time.Second
	// A tone is there if it is in so many of the windows of 50 ms of a second, and is
	// foreign if it is in so many: one frame may be lost, and a click is no voice.
	present, foreign = 0.8, 0.5
	// gapLevel is far below any speaker, who is brought towards -20 dBFS, and above comfort
	// noise and noisy lines.
	gapLevel = -42.0
	// ShortestGap is the shortest silence that counts. Two tones may cancel for less.
	ShortestGap = 15 * time.Millisecond
)

var frequencies = func() (list []float64) {
	for v := range Voices {
		list = append(list, Tone(v))
	}
	return list
}()

// Listen finds what was right and wrong in what one listener of a room heard.
func Listen(e Ear, r Room) Findings {
	f := Findings{Who: e.Who, Kind: e.Kind, Coarse: e.Coarse, Length: e.Sound.Duration(), Missing: e.Missing,
		Clipped: float64(tone.Clipped(e.Sound.Samples)) / float64(max(1, len(e.Sound.Samples)))}
	var levels [Voices][]float64
	spoken := time.Duration(-1) // since when somebody has spoken; below 0: nobody does
	whole := f.Length.Truncate(second)
	for at := time.Duration(0); at < whole; at += second {
		want := r.expect(e.Seat, e.Begin.Add(at), e.Begin.Add(at+second))
		f.tones(want, tone.Strengths(e.Sound.Between(at, at+second), frequencies...), &levels)
		switch {
		case !want.silent() && spoken < 0:
			spoken = at
		case want.silent() && spoken >= 0:
			f.gaps(e.Sound.Between(spoken, at))
			spoken = -1
		}
	}
	if spoken >= 0 {
		f.gaps(e.Sound.Between(spoken, whole))
	}
	for v, list := range levels {
		if len(list) > 0 {
			f.Levels[v] = median(list)
		}
	}
	return f
}

// tones compares a second with what must be heard in it.
func (f *Findings) tones(want expectation, got []tone.Strength, levels *[Voices][]float64) {
	f.Expected += want.least
	heard := 0
	for v, s := range got {
		switch {
		case s.Share >= foreign && want.may[v] == 0:
			f.Foreign++
		case s.Share >= present && want.may[v] > 0:
			heard++
			if want.may[v] == 1 { // two with one tone are louder or softer, as chance has it
				levels[v] = append(levels[v], s.Level)
			}
		case want.must[v]:
			f.Absent++
		}
	}
	if want.must == [Voices]bool{} { // any of those who may be heard will do
		f.Absent += max(0, want.least-heard)
	}
}

// gaps looks for silence in a stretch in which somebody always speaks.
func (f *Findings) gaps(s tone.Sound) {
	f.Spoken += s.Duration()
	for _, g := range tone.Gaps(s.Samples, s.Rate, gapLevel, ShortestGap) {
		f.Gaps++
		f.Silent += g.Length
		f.LongestGap = max(f.LongestGap, g.Length)
	}
}

// median is the middle of a list that is not empty, which it sorts.
func median(list []float64) float64 {
	slices.Sort(list)
	n := len(list)
	return math.Round(50*(list[(n-1)/2]+list[n/2])) / 100
}
