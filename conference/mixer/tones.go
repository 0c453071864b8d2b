package mixer

import "github.com/conclave-voice/conclave/media/dtmf"

// watchedKeys is for how many keys by event a caller's audio is watched: those of
// an access code.
const watchedKeys = 6

// toneFilter takes keys out of the audio of a caller whose telephone sends them as
// tones: in place of telephone events, or beside them, as some gateways do. Which
// these are shows at the caller's first keys, which the others do not hear yet; the
// audio of all others is left alone, for the filter costs time and holds one frame
// back.
type toneFilter struct {
	filter *dtmf.Filter // made when first used
	rate   int
	keys   int  // that came by event
	beside bool // tones come beside the events
}

// keyed notes a key that came by event.
func (t *toneFilter) keyed() { t.keys = min(t.keys+1, watchedKeys+1) }

// process blanks tones in the frame. Where digits are in-band, it gives the one that
// they complete.
func (t *toneFilter) process(frame []int16, rate int, inBand bool) (dtmf.Digit, bool) {
	blanks := inBand || t.beside
	watches := t.keys > 0 && t.keys <= watchedKeys
	if !blanks && !watches || !t.prepare(rate) {
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
