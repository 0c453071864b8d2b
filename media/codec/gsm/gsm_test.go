package gsm

import (
	"bytes"
	"testing"

	"github.com/conclave-voice/conclave/media/codec/codectest"
)

func encode(t *testing.T, pcm []int16) []byte {
	t.Helper()
	var e Encoder
	payload := make([]byte, len(pcm)/FrameSamples*FrameOctets)
	for i := 0; i < len(pcm); i += FrameSamples {
		if n, err := e.Encode(payload[i/FrameSamples*FrameOctets:], pcm[i:i+FrameSamples]); n != FrameOctets || err != nil {
			t.Fatal(n, err)
		}
	}
	return payload
}

func decode(t *testing.T, payload []byte) []int16 {
	t.Helper()
	pcm := make([]int16, len(payload)/FrameOctets*FrameSamples)
	if n, err := NewDecoder().Decode(pcm, payload); n != len(pcm) || err != nil {
		t.Fatal(n, err)
	}
	return pcm
}

// payloads are what the encoder makes of the signals, and frames of random bits.
func payloads(t *testing.T) map[string][]byte {
	t.Helper()
	random := codectest.Octets(1000 * FrameOctets)
	for i := 0; i < len(random); i += FrameOctets {
		random[i] = signature<<4 | random[i]&15
	}
	all := map[string][]byte{"random frames": random}
	for name, pcm := range codectest.Signals() {
		all[name] = encode(t, pcm)
	}
	return all
}

// TestBitExactWithSpandsp proves SPEC CD1 for GSM, both ways.
func TestBitExactWithSpandsp(t *testing.T) {
	spandsp := codectest.NewSpandsp(t)
	signals := codectest.Signals()
	for name, payload := range payloads(t) {
		pcm, encoded := signals[name]
		if encoded && !bytes.Equal(payload, spandsp.Run(t, "gsm-encode", codectest.Bytes(pcm))) {
			t.Errorf("%s: payload differs from spandsp's", name)
		}
		if !bytes.Equal(codectest.Bytes(decode(t, payload)), spandsp.Run(t, "gsm-decode", payload)) {
			t.Errorf("%s: audio differs from spandsp's", name)
		}
	}
}

// TestBitExactWithLibgsm proves it with a third implementation: sox has the one of
// the Technical University of Berlin.
func TestBitExactWithLibgsm(t *testing.T) {
	signals := codectest.Signals()
	raw, frames := []string{"-t", "s16", "-r", "8000", "-c", "1"}, []string{"-t", "gsm"}
	for name, payload := range payloads(t) {
		pcm, encoded := signals[name]
		if encoded && !bytes.Equal(payload, codectest.Sox(t, codectest.Bytes(pcm), raw, frames)) {
			t.Errorf("%s: payload differs from libgsm's", name)
		}
		if !bytes.Equal(codectest.Bytes(decode(t, payload)), codectest.Sox(t, payload, frames, raw)) {
			t.Errorf("%s: audio differs from libgsm's", name)
		}
	}
}

// TestSpeech: how far the noise lies below speech.
func TestSpeech(t *testing.T) {
	pcm := codectest.Speech(t, "flite", "Please say your name after the tone, and then press the pound key.", "8000")
	pcm = pcm[:len(pcm)/FrameSamples*FrameSamples]
	snr := codectest.SegmentalSNR(pcm, decode(t, encode(t, pcm)), 8000)
	t.Logf("%.1f dB", snr)
	if snr < 8 {
		t.Errorf("%.1f dB, want 8 dB", snr)
	}
}

func TestSeveralFrames(t *testing.T) {
	pcm := codectest.Signals()["sweep of 8000"][:3*FrameSamples]
	payload := make([]byte, 3*FrameOctets)
	var e Encoder
	if n, err := e.Encode(payload, pcm); n != len(payload) || err != nil || !bytes.Equal(payload, encode(t, pcm)) {
		t.Errorf("three frames at once are not those of one by one: %d, %v", n, err)
	}
}

func TestRefusals(t *testing.T) {
	var e Encoder
	if _, err := e.Encode(make([]byte, 100), make([]int16, 159)); err == nil {
		t.Error("encoded 159 samples")
	}
	if _, err := e.Encode(make([]byte, 65), make([]int16, 320)); err == nil {
		t.Error("encoded two frames into 65 octets")
	}
	d, good := NewDecoder(), encode(t, make([]int16, 320))
	for name, payload := range map[string][]byte{"65 octets": good[:65], "no signature": append(good[:FrameOctets:FrameOctets], make([]byte, FrameOctets)...)} {
		if n, err := d.Decode(make([]int16, 320), payload); err == nil || n != 0 {
			t.Errorf("decoded a payload with %s", name)
		}
	}
	if _, err := d.Decode(make([]int16, 319), good); err == nil {
		t.Error("decoded two frames into 319 samples")
	}
}

// FuzzDecode: no payload makes the decoder panic, or write more than there is room
// for (SPEC SE4).
func FuzzDecode(f *testing.F) {
	f.Add([]byte{}, uint16(0))
	f.Add(bytes.Repeat([]byte{0xd0}, 33), uint16(160))
	f.Add(bytes.Repeat([]byte{0xdf}, 99), uint16(480))
	f.Add(append([]byte{0xd7}, codectest.Octets(32)...), uint16(160))
	f.Fuzz(func(t *testing.T, payload []byte, room uint16) {
		d, pcm, payload := NewDecoder(), make([]int16, room), bytes.Clone(payload)
		for i := 0; i < len(payload); i += FrameOctets {
			payload[i] = signature<<4 | payload[i]&15
		}
		for range 3 {
			if n, err := d.Decode(pcm, payload); n < 0 || n > len(pcm) || (err != nil && n != 0) {
				t.Errorf("%d samples, error %v", n, err)
			}
		}
	})
}

// FuzzEncode: no audio does, either.
func FuzzEncode(f *testing.F) {
	f.Add(codectest.Octets(640))
	f.Add(bytes.Repeat([]byte{0xff, 0x7f}, 320))
	f.Add(bytes.Repeat([]byte{0x00, 0x80, 0xff, 0x7f}, 160))
	f.Fuzz(func(t *testing.T, audio []byte) {
		pcm := codectest.PCM(audio)
		pcm = pcm[:len(pcm)/FrameSamples*FrameSamples]
		decode(t, encode(t, pcm))
	})
}
