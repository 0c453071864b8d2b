package codec

import (
	"bytes"
	"math"
	"testing"

	"github.com/conclave-voice/conclave/media/codec/codectest"
)

// pair are two streams of audio, of which the second is also what the first becomes: a
// mix without and with one of two voices.
func pair(t *testing.T) (without, with []int16) {
	without = codectest.Speech(t, "flite", "The quick brown fox jumps over the lazy dog, twice.", "16000")
	with = codectest.Speech(t, "espeak-ng", "She sells sea shells by the sea shore, and more.", "16000")
	n := min(len(without), len(with)) / 320 * 320
	for i := range n {
		without[i] /= 2
		with[i] = with[i]/2 + without[i]
	}
	return without[:n], with[:n]
}

// wrong is the error in dBFS in the 60 ms after a decoder is given the payloads of another
// encoder, which has had the same audio for some frames, against one that was given those
// all along: the mean of changes at many places.
func wrong(t *testing.T, c Codec, without, with []int16, same int) float64 {
	const after = 3
	encode := func(pcm []int16, e Encoder) []byte {
		b := make([]byte, 400)
		n, err := e.Encode(b, pcm)
		if err != nil {
			t.Fatal(err)
		}
		return b[:n]
	}
	sum, places := 0.0, 0
	for at := 10; at+same+after < len(with)/320; at += 12 {
		places++
		own, _ := c.NewEncoder(c.Format)
		shared, _ := c.NewEncoder(c.Format)
		follower, _ := c.NewDecoder(c.Format)
		ideal, _ := c.NewDecoder(c.Format)
		x, y := make([]int16, 320), make([]int16, 320)
		for i := range at + same + after {
			frame := with[i*320 : (i+1)*320]
			theirs := encode(frame, shared)
			if i < at {
				frame = without[i*320 : (i+1)*320]
			}
			ours := encode(frame, own)
			if i >= at+same {
				ours = theirs
			}
			follower.Decode(x, ours)
			ideal.Decode(y, theirs)
			for j := 0; i >= at+same && j < len(x); j++ {
				d := float64(x[j]) - float64(y[j])
				sum += d * d
			}
		}
	}
	return 10*math.Log10(sum/float64(places*after*320)+1e-9) - 90.3
}

// SPEC CD2: a listener is sent another encoder's G.722 unheard when both have had the same
// audio for 0.1 s: what is wrong then is as soft as the codec's own noise. Changed at once
// it would be 15 dB louder.
func TestChangeOfEncoders(t *testing.T) {
	without, with := pair(t)
	atOnce, later := wrong(t, G722(), without, with, 0), wrong(t, G722(), without, with, 5)
	if later > -38 || later > atOnce-10 {
		t.Errorf("%.1f dBFS at once, %.1f after 0.1 s of the same audio", atOnce, later)
	}
}

// CD2: an encoder that takes over another one's state goes on exactly where that is.
func TestCopyState(t *testing.T) {
	without, with := pair(t)
	c := G722()
	one, _ := c.NewEncoder(c.Format)
	other, _ := c.NewEncoder(c.Format)
	a, b := make([]byte, len(with)/2), make([]byte, len(with)/2)
	one.Encode(a, without)
	if !other.(StateCopier).CopyState(one) {
		t.Fatal("the state was not copied")
	}
	one.Encode(a, with)
	other.Encode(b, with)
	if !bytes.Equal(a, b) {
		t.Error("they differ")
	}
	pcmu := PCMU()
	stranger, _ := pcmu.NewEncoder(pcmu.Format)
	if other.(StateCopier).CopyState(stranger) {
		t.Error("the state of another codec was taken")
	}
}
