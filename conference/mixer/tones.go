package mixer

import (
	"github.com/conclave-voice/conclave/media/dtmf"
	"github.com/conclave-voice/conclave/media/resample"
)

// toneFilter takes keys out of the audio of a caller whose telephone sends them as
// tones. It is made when first used: most callers send events.
type toneFilter struct {
	detector *dtmf.Detector
	down     *resample.Resampler // for wideband callers: keys are looked for at 8 kHz
}

// filter blanks the frame if a tone is in it, and gives the digit it completes.
func (t *toneFilter) filter(frame []int16, rate int) (dtmf.Digit, bool) {
	if t.detector == nil {
		t.detector = dtmf.NewDetector()
		t.down = newResampler(16000, 8000)
	}
	listen := frame
	var narrow [maxFrame / 2]int16
	if rate != 8000 {
		t.down.Process(narrow[:], frame)
		listen = narrow[:]
	}
	digit, ok := t.detector.Process(listen)
	if ok || t.detector.Suspect() {
		clear(frame)
	}
	return digit, ok
}
