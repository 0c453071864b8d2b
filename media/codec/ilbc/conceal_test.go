package ilbc

import (
	"testing"
	"time"

	"github.com/conclave-voice/conclave/media/codec/codectest"
)

// TestVowelGoesOn proves CD3: a steady vowel goes on through a lost packet at its pitch
// and its level, and no step is heard when the next one comes.
func TestVowelGoesOn(t *testing.T) {
	vowel := vowel(8000)
	for length, m := range frames {
		payload := encode(t, length, vowel)
		whole := decode(t, length, payload, false)
		damaged := append([]byte{}, payload...)
		for i := 7; i*m.octets < len(damaged); i += 10 {
			damaged[(i+1)*m.octets-1] |= 1 // marked as empty, which is concealed
		}
		got := decode(t, length, damaged, false)
		t.Logf("%v: segmental SNR of concealed to whole %.1f dB", length, codectest.SegmentalSNR(whole, got, 8000))
		for i := 7; (i+2)*m.samples <= len(got); i += 10 {
			lost := got[i*m.samples : (i+1)*m.samples]
			if loss := rms(lost) / rms(whole[i*m.samples:(i+1)*m.samples]); loss < 0.6 || loss > 1.3 {
				t.Errorf("%v: frame %d has %.2f of its level", length, i, loss)
			}
			if s := codectest.SegmentalSNR(whole[i*m.samples:(i+2)*m.samples], got[i*m.samples:(i+2)*m.samples], 8000); s < 2 {
				t.Errorf("%v: frame %d and the next have an SNR of %.1f dB", length, i, s)
			}
		}
	}
}

// vowel is a buzz of 125 Hz through a resonance.
func vowel(samples int) []int16 {
	s := spectrum{0.35, 0.5, 0.8, 1.05, 1.4, 1.65, 1.95, 2.2, 2.5, 2.75}
	a := s.filter()
	signal := make([]float64, order+samples)
	for i := order; i < len(signal); i += 64 {
		signal[i] = 4000
	}
	a.restore(signal)
	pcm := make([]int16, samples)
	for i := range pcm {
		pcm[i] = rounded(signal[order+i])
	}
	return pcm
}

// TestLongGapFades: what is made up is gone after 200 ms, and Conceal gives as many samples
// as asked for, in either mode.
func TestLongGapFades(t *testing.T) {
	for length := range frames {
		d, _ := NewDecoder(length)
		pcm := make([]int16, 480)
		payload := encode(t, length, vowel(480))
		if _, err := d.Decode(pcm, payload); err != nil {
			t.Fatal(err)
		}
		tick := make([]int16, 160)
		for range 12 {
			if n := d.Conceal(tick); n != 160 {
				t.Fatalf("%v: %d samples", length, n)
			}
		}
		if e := rms(tick); e > 10 {
			t.Errorf("%v: after 240 ms there is still %.0f", length, e)
		}
		if n, err := d.Decode(pcm, payload); n != 480 || err != nil {
			t.Error(n, err)
		}
	}
}

func TestNothingIsMadeOfNothing(t *testing.T) {
	d, _ := NewDecoder(30 * time.Millisecond)
	pcm := make([]int16, 240)
	for range 5 {
		if n := d.Conceal(pcm); n != 240 || rms(pcm) != 0 {
			t.Errorf("%d samples of level %.0f before the first frame", n, rms(pcm))
		}
	}
	if n := d.Conceal(pcm[:79]); n != 0 {
		t.Errorf("concealed %d of 79 samples", n)
	}
}

// TestSpeechSurvivesLoss: with one packet in ten lost, speech keeps its level and most of
// its shape, and the packets after the lost one are as they were, within two frames.
func TestSpeechSurvivesLoss(t *testing.T) {
	pcm := speech(t, "flite")
	for length, m := range frames {
		payload := encode(t, length, pcm)
		whole := decode(t, length, payload, false)
		for i := 5; i*m.octets < len(payload); i += 10 {
			payload[(i+1)*m.octets-1] |= 1
		}
		got := decode(t, length, payload, false)
		recovered, frames := 0.0, 0
		for i := 5; (i+9)*m.samples <= len(got); i += 10 {
			if a := whole[(i+4)*m.samples : (i+9)*m.samples]; rms(a) > 300 {
				recovered += codectest.SegmentalSNR(a, got[(i+4)*m.samples:(i+9)*m.samples], 8000)
				frames++
			}
		}
		loss := rms(got) / rms(whole)
		t.Logf("%v: level %.2f, SNR after a loss %.1f dB", length, loss, recovered/float64(frames))
		if loss < 0.8 || loss > 1.2 || recovered/float64(frames) < 20 {
			t.Errorf("%v: level %.2f, SNR after a loss %.1f dB", length, loss, recovered/float64(frames))
		}
	}
}
