package playout

import (
	"testing"
	"time"

	"github.com/conclave-voice/conclave/media/codec/codectest"
)

// CD3: a caller on a bad link is still understood, by an objective measure of
// intelligibility against what was said: 0.75 is what listeners understand nearly all
// sentences at.
func TestSpeechOnABadLinkIsUnderstood(t *testing.T) {
	said := codectest.Speech(t, "flite", "The quick brown fox jumps over the lazy dog, while five boxing wizards wait for the "+
		"evening train to leave the station; and when all of them had gone, the old man closed the door and counted what was left.", "8000")
	for _, c := range []struct {
		name string
		network
		least float64
	}{
		{"clean", network{}, 0.99},
		{"60 ms of jitter", network{jitter: 60 * time.Millisecond}, 0.93},
		{"5 % lost, 60 ms of jitter", network{lossPercent: 5, jitter: 60 * time.Millisecond}, 0.85},
		{"10 % lost", network{lossPercent: 10}, 0.80},
	} {
		worst, sum := 1.0, 0.0
		const calls = 8
		for seed := range uint64(calls) {
			b := newBuffer()
			heard, _, _ := play(b, c.carry(stream(said, 160, onTime), seed), 1)
			understood := piecewise(said, heard)
			worst, sum = min(worst, understood), sum+understood
		}
		t.Logf("%s: %.3f on average, %.3f at worst", c.name, sum/calls, worst)
		if worst < c.least {
			t.Errorf("%s: %.3f is understood, want %.2f", c.name, worst, c.least)
		}
	}
}

// piecewise measures a second at a time, each aligned by itself: the buffer stretches time
// where the network asks for it, which the measure would take for another word.
func piecewise(said, heard []int16) float64 {
	const piece, most = 8000, 8000 / 4
	sum, n := 0.0, 0
	for from := 0; from+piece <= len(said) && from+piece+most <= len(heard); from += piece {
		delay := codectest.Align(said[from:from+piece], heard[from:from+piece+most], most)
		sum += codectest.Intelligibility(said[from:from+piece], heard[from+delay:])
		n++
	}
	return sum / float64(max(n, 1))
}
