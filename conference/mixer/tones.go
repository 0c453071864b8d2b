package mixer

import "github.com/conclave-voice/conclave/media/dtmf"

// toneFilter takes keys out of the audio of a caller whose telephone sends them as
// tones. Its filter, which holds one frame back, is made when first used: most
// callers send events.
type toneFilter struct {
	filter *dtmf.Filter
	rate   int
}

// process blanks tones in the frame and gives the digit that they complete.
func (t *toneFilter) process(frame []int16, rate int) (dtmf.Digit, bool) {
	if t.rate != rate {
		filter, err := dtmf.NewFilter(rate)
		if err != nil {
			return 0, false // only rates that a mix has come here
		}
		t.filter, t.rate = filter, rate
	}
	return t.filter.Process(frame)
}
