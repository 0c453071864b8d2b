package g722

import (
	"bytes"
	"math"
	"testing"

	"github.com/conclave-voice/conclave/media/codec/codectest"
)

func encode(t *testing.T, pcm []int16) []byte {
	t.Helper()
	payload := make([]byte, len(pcm)/2)
	e := New().NewEncoder()
	for i := 0; i < len(pcm); i += 320 { // frame by frame, as in a call
		if n, err := e.Encode(payload[i/2:], pcm[i:i+320]); n != 160 || err != nil {
			t.Fatal(n, err)
		}
	}
	return payload
}

func decode(t *testing.T, payload []byte) []int16 {
	t.Helper()
	pcm := make([]int16, 2*len(payload))
	d := New().NewDecoder()
	for i := 0; i < len(payload); i += 160 {
		if n, err := d.Decode(pcm[2*i:], payload[i:i+160]); n != 320 || err != nil {
			t.Fatal(n, err)
		}
	}
	return pcm
}

// TestBitExactWithFFmpeg proves SPEC CD2 both ways.
func TestBitExactWithFFmpeg(t *testing.T) {
	for name, pcm := range codectest.Signals() {
		payload := encode(t, pcm)
		theirs := codectest.FFmpeg(t, codectest.Bytes(pcm), "-f", "s16le", "-ar", "16000", "-ac", "1", "-i", "-", "-c:a", "g722", "-f", "g722")
		if !bytes.Equal(payload, theirs) {
			t.Errorf("%s: payload differs from ffmpeg's", name)
		}
		audio := codectest.FFmpeg(t, payload, "-f", "g722", "-i", "-", "-f", "s16le")
		if !bytes.Equal(codectest.Bytes(decode(t, payload)), audio) {
			t.Errorf("%s: audio differs from ffmpeg's", name)
		}
	}
	random := codectest.Octets(32000)
	audio := codectest.FFmpeg(t, random, "-f", "g722", "-i", "-", "-f", "s16le")
	if !bytes.Equal(codectest.Bytes(decode(t, random)), audio) {
		t.Error("random octets decode to other audio than ffmpeg's")
	}
}

// TestBitExactWithSpandsp proves it with a third implementation. The one thing
// that may differ: where the output passes full scale, spandsp 0.0.6 wraps and
// we saturate.
func TestBitExactWithSpandsp(t *testing.T) {
	spandsp := codectest.NewSpandsp(t)
	payloads := map[string][]byte{"random octets": codectest.Octets(32000)}
	for name, pcm := range codectest.Signals() {
		payloads[name] = encode(t, pcm)
		if !bytes.Equal(payloads[name], spandsp.Run(t, "g722-encode", codectest.Bytes(pcm))) {
			t.Errorf("%s: payload differs from spandsp's", name)
		}
	}
	for name, payload := range payloads {
		theirs := codectest.PCM(spandsp.Run(t, "g722-decode", payload))
		for i, s := range decode(t, payload) {
			if s != theirs[i] && s != 32767 && s != -32768 {
				t.Errorf("%s: sample %d is %d, spandsp's %d", name, i, s, theirs[i])
				break
			}
		}
	}
}

func TestAntilogDoublesEvery32Steps(t *testing.T) {
	for i, v := range antilog {
		if want := int(2048 * math.Pow(2, float64(i)/32)); v != want && v != want+1 {
			t.Errorf("step %d is %d, want about %d", i, v, want)
		}
	}
}

func TestRefusals(t *testing.T) {
	if _, err := New().NewEncoder().Encode(make([]byte, 80), make([]int16, 161)); err == nil {
		t.Error("encoded an odd number of samples")
	}
	if _, err := New().NewEncoder().Encode(make([]byte, 79), make([]int16, 160)); err == nil {
		t.Error("encoded 160 samples into 79 octets")
	}
	if _, err := New().NewDecoder().Decode(make([]int16, 159), make([]byte, 80)); err == nil {
		t.Error("decoded 80 octets into 159 samples")
	}
}
