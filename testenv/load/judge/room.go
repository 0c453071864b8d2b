package judge

import (
	"time"

	"github.com/conclave-voice/conclave/testenv/tone"
)

// Voices is how many tones tell speakers apart.
const Voices = 8

// Tone is the frequency, in Hz, of a voice, 0 to Voices-1. GSM 06.10 swallows a steady
// 1,400 Hz.
func Tone(voice int) float64 {
	const swallowed = 3
	if voice >= swallowed {
		voice++
	}
	return tone.Caller(voice)
}

// Nobody is the seat of a listener that has none, such as a recording.
const Nobody = -1

// Presence is the time of one speaker in a room. Between Called and In, and between Out
// and Gone, nothing is said about whether it is heard.
type Presence struct {
	Seat      int       // of the room; a listener does not hear its own
	Voice     int       // its tone, 0 to Voices-1
	Called    time.Time // it was answered
	In        time.Time // it must be heard by now
	Out, Gone time.Time // it was still heard then, no longer then; zero: not yet
}

// Room is who spoke in a room. Speakers of one room have different voices, or share them
// where there are more than there are voices.
type Room struct {
	Speakers []Presence
	// Chosen is how many are heard at once where the node chooses the loudest; 0: all are.
	Chosen int
}

// expectation is what a listener must hear in a span of time.
type expectation struct {
	must  [Voices]bool
	may   [Voices]int // how many speakers it may be of
	least int         // so many voices, of those that may be heard
}

// silent says whether silence would be right.
func (e expectation) silent() bool { return e.least == 0 }

// expect says what the listener of a seat must hear from one moment to another.
func (r Room) expect(seat int, from, to time.Time) (e expectation) {
	present, speaks := 0, 0
	for _, p := range r.Speakers {
		surely := !p.In.After(from) && (p.Out.IsZero() || !p.Out.Before(to))
		if p.Seat == seat {
			if surely {
				speaks = 1
			}
			continue
		}
		if p.Called.Before(to) && (p.Gone.IsZero() || p.Gone.After(from)) {
			e.may[p.Voice]++
		}
		if surely {
			e.must[p.Voice] = true
			present++
		}
	}
	if r.Chosen > 0 {
		// The listener may be one of the chosen. Whose turn it is, is the node's choice; of
		// many, some share a voice.
		e.must = [Voices]bool{}
		e.least = min(r.Chosen-speaks, present)
		for _, speakers := range e.may {
			if speakers > 1 {
				e.least = min(1, e.least)
			}
		}
		return e
	}
	for _, must := range e.must {
		if must {
			e.least++
		}
	}
	return e
}
