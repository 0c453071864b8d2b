package callflow

import (
	"time"

	"github.com/conclave-voice/conclave/conference/mixer"
	"github.com/conclave-voice/conclave/media/prompt"
)

const (
	// nameStep is the fineness with which a recorded name is cut.
	nameStep = 20 * time.Millisecond
	// nameEdge is kept before and after: words begin and end softly.
	nameEdge = 5 // steps
	// nameLevel is the mean of the samples' magnitudes from which on a step is
	// speech and not the noise of a line: some -45 dBFS.
	nameLevel = 150
	// nameLeast is how many steps of speech make a name, and not a click.
	nameLeast = 5
)

// recordedName is how a caller is announced, from what was recorded: without the
// silence before and after. It is nil for one who has said nothing, who is then
// announced by the tone.
func recordedName(pcm []int16, rate int) mixer.Sound {
	step := int(nameStep * time.Duration(rate) / time.Second)
	first, last, spoken := 0, 0, 0
	for i := 0; step > 0 && (i+1)*step <= len(pcm); i++ {
		if loudness(pcm[i*step:(i+1)*step]) < nameLevel {
			continue
		}
		if spoken == 0 {
			first = i
		}
		last, spoken = i, spoken+1
	}
	if spoken < nameLeast {
		return nil
	}
	from, to := max(first-nameEdge, 0)*step, min((last+1+nameEdge)*step, len(pcm))
	return prompt.NewRecording(pcm[from:to], rate)
}

// loudness is the mean magnitude.
func loudness(pcm []int16) int {
	sum := 0
	for _, v := range pcm {
		sum += max(int(v), -int(v))
	}
	return sum / len(pcm)
}
