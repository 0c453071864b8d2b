package callflow

import (
	"math"
	"testing"
)

// CF7: a name is played without the silence around it; silence, a line's noise and a
// click are no name.
func TestRecordedName(t *testing.T) {
	for _, rate := range []int{8000, 16000} {
		quiet := make([]int16, 2*rate)
		for i := range quiet {
			quiet[i] = int16(i%7 - 3)
		}
		word := make([]int16, rate)
		for i := range word {
			word[i] = int16(3000 * math.Sin(2*math.Pi*300*float64(i)/float64(rate)))
		}
		join := func(parts ...[]int16) (all []int16) {
			for _, p := range parts {
				all = append(all, p...)
			}
			return all
		}
		name := recordedName(join(quiet, word, quiet[:rate/2], word, quiet), rate)
		if name == nil {
			t.Fatalf("%d Hz: no name", rate)
		}
		// Two words, the pause between them, and an edge on each side.
		if got, want := len(name.PCM(rate)), 5*rate/2+2*nameEdge*rate/50; got != want {
			t.Errorf("%d Hz: %d samples are left, want %d", rate, got, want)
		}
		for what, pcm := range map[string][]int16{
			"nothing": nil, "silence": make([]int16, rate), "noise": quiet, "a click": join(quiet, word[:rate/50], quiet),
		} {
			if recordedName(pcm, rate) != nil {
				t.Errorf("%d Hz: %s is taken for a name", rate, what)
			}
		}
	}
}
