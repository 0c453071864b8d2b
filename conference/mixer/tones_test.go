package mixer

import (
	"testing"
	"time"

	"github.com/conclave-voice/conclave/media/dtmf"
)

// CD3: tones beside telephone events are blanked once they have shown at the first
// keys, and are no digits; a caller whose keys leave no tones is left alone.
func TestTonesBesideEvents(t *testing.T) {
	for _, rate := range []int{8000, 16000} {
		tone, err := dtmf.Generate('5', rate, 80*time.Millisecond, -10)
		if err != nil {
			t.Fatal(err)
		}
		pause := make([]int16, rate/10)
		var f toneFilter
		// key is one key press; it returns the loudest sample that passes.
		key := func(audio []int16) (loudest int16) {
			f.keyed()
			for _, part := range [][]int16{audio, pause} {
				for ; len(part) >= rate/50; part = part[rate/50:] {
					frame := append([]int16(nil), part[:rate/50]...)
					if d, ok := f.process(frame, rate, false); ok {
						t.Errorf("%d Hz: %v is taken for a digit", rate, d)
					}
					for _, v := range frame {
						loudest = max(loudest, v)
					}
				}
			}
			return loudest
		}
		key(tone)
		if v := key(tone); v > 0 {
			t.Errorf("%d Hz: the second tone passes with %d", rate, v)
		}
		f = toneFilter{}
		for range watchedKeys + 1 {
			key(pause)
		}
		if key(tone); f.beside {
			t.Errorf("%d Hz: it is still watched", rate)
		}
	}
}
