package prompt

import (
	"math"
	"time"
)

// note is one sine of a tone.
type note struct {
	frequency float64 // Hz
	length    time.Duration
}

// toneLevel is the level of the tones in dBFS: a little under speech.
const toneLevel = -20.0

// fade is the time in which a note begins and ends, so that it does not click.
const fade = 8 * time.Millisecond

// tones synthesizes the tones at both rates. Their frequencies keep clear of the
// eight of DTMF (697-941 and 1209-1633 Hz), lest a caller's device hears a key.
func tones() map[ID]recording {
	const low, high = 523.25, 1046.5 // an octave, C5 and C6
	made := make(map[ID]recording)
	for id, notes := range map[ID][]note{
		ToneJoin:  {{low, 110 * time.Millisecond}, {high, 170 * time.Millisecond}},
		ToneLeave: {{high, 110 * time.Millisecond}, {low, 170 * time.Millisecond}},
		ToneBeep:  {{1000, 300 * time.Millisecond}},
	} {
		made[id] = newRecording(synthesize(notes, Narrowband), synthesize(notes, Wideband), once)
	}
	return made
}

func synthesize(notes []note, rate int) []int16 {
	amplitude := math.MaxInt16 * math.Sqrt2 * math.Pow(10, toneLevel/20)
	ramp := float64(rate) * fade.Seconds()
	var pcm []int16
	for _, n := range notes {
		length := int(float64(rate) * n.length.Seconds())
		for i := range length {
			// A raised cosine at both ends.
			edge := min(1, float64(min(i, length-1-i))/ramp)
			envelope := (1 - math.Cos(math.Pi*edge)) / 2
			phase := 2 * math.Pi * n.frequency * float64(i) / float64(rate)
			pcm = append(pcm, saturate(amplitude*envelope*math.Sin(phase)))
		}
	}
	return pcm
}
