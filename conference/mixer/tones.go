package mixer

import "github.com/conclave-voice/conclave/media/dtmf"

const (
	// watchedKeys is for how many keys by event a caller's audio is watched: those of
	// an access code.
	watchedKeys = 6
	// watchedTicks is how long it is watched for each: a second, within which the key's
	// audio has come through the jitter buffer.
	watchedTicks = 50
)

// toneFilter takes keys out of the audio of a caller whose telephone sends them as
// tones: in place of telephone events, or beside them, as some gateways do. Which
// these are shows at the caller's first keys, which the others do not hear yet; the
// audio of all others is left alone, for the filter costs time and holds one frame
// back.
type toneFilter struct {
	filter *dtmf.Filter // while it is used
	rate   int
	keys   int  // that came by event
	left   int  // ticks for which the audio is still watched
	beside bool // tones come beside the events
}

// keyed notes a key that came by event.
func (t *toneFilter) keyed() {
	t.keys = min(t.keys+1, watchedKeys+1)
	t.left = 0
	if t.keys <= watchedKeys {
		t.left = watchedTicks
	}
}

// watching says whether the audio is wanted to be looked at, even of one whom nobody
// hears.
func (t *toneFilter) watching() bool { return t.left > 0 }

// process blanks tones in the frame. Where digits are in-band, it gives the one that
// they complete.
func (t *toneFilter) process(frame []int16, rate int, inBand bool) (dtmf.Digit, bool) {
	blanks := inBand || t.beside
	watches := t.left > 0
	t.left = max(t.left-1, 0)
	if !blanks && !watches {
		t.filter, t.rate = nil, 0 // a caller who has dialled needs none for the rest of the call
		return 0, false
	}
	if !t.prepare(rate) {
		return 0, false
	}
	if blanks {
		digit, ok := t.filter.Process(frame)
		return digit, ok && inBand
	}
	var looked [maxFrame]int16
	copy(looked[:], frame)
	if _, ok := t.filter.Process(looked[:len(frame)]); ok {
		t.beside = true
		copy(frame, looked[:])
	}
	return 0, false
}

// prepare makes the filter. It is false for a rate that no mix has.
func (t *toneFilter) prepare(rate int) bool {
	if t.rate == rate {
		return true
	}
	filter, err := dtmf.NewFilter(rate)
	if err != nil {
		return false
	}
	t.filter, t.rate = filter, rate
	return true
}
