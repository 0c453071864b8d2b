package dtmf

import (
	"strings"
	"testing"

	"github.com/conclave-voice/conclave/media/codec/codectest"
)

const text = `Please say your name after the tone. The quick brown fox jumps over the lazy dog.
Nine hundred and ninety nine people who leave the meeting early need to know how many rooms are free.
We were away a year ago, you know, and all our women are in Rome now. Ooh. Aah. Eee. Mmm. Oh no.
The account owner pays for everyone; the moderator may mute, lock, record or eject any participant.
She sells sea shells by the sea shore, while Peter Piper picked a peck of pickled peppers. `

// TestTalkOff: speech is not taken for keys (SPEC CD3). The same speech goes
// through spandsp's detector, to see that it is not easier than for others.
func TestTalkOff(t *testing.T) {
	for _, program := range []string{"flite", "espeak-ng"} {
		pcm := codectest.Speech(t, program, strings.Repeat(text, 5), "8000")
		if len(pcm) < 60*sampleRate {
			t.Fatalf("%s: only %d samples", program, len(pcm))
		}
		// Other sizes of vocal tract: the same samples, played at another speed.
		for _, speed := range []float64{0.8, 0.9, 1, 1.1, 1.25, 1.4} {
			speech := make([]int16, int(float64(len(pcm)-1)/speed))
			for i := range speech {
				speech[i] = pcm[int(float64(i)*speed)]
			}
			if got := listen(speech); got != "" {
				t.Errorf("%s at speed %v: heard %q in %d s", program, speed, got, len(speech)/sampleRate)
			}
			filter, blanked := filterFor(t, sampleRate), 0
			for i := 0; i+160 <= len(speech); i += 160 {
				filter.Process(speech[i : i+160])
				if filter.Blanked() {
					blanked++
				}
			}
			if blanked*160 > len(speech)/1000 {
				t.Errorf("%s at speed %v: %d of %d frames blanked", program, speed, blanked, len(speech)/160)
			}
		}
	}
}

// TestSpandspHearsWhatWeGenerate and agrees on keys over speech.
func TestSpandspHearsWhatWeGenerate(t *testing.T) {
	spandsp := codectest.NewSpandsp(t)
	var pcm []int16
	for i := range len(keys) {
		tone, err := Generate(Digit(keys[i]), sampleRate, 60_000_000, -12)
		if err != nil {
			t.Fatal(err)
		}
		pcm = append(append(pcm, tone...), make([]int16, 60*ms)...)
	}
	if got := string(spandsp.Run(t, "dtmf", codectest.Bytes(pcm))); got != keys {
		t.Errorf("spandsp heard %q", got)
	}
	if got := listen(pcm); got != keys {
		t.Errorf("we heard %q", got)
	}
}
