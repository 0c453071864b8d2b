package dvi4

import (
	"bytes"
	"slices"
	"testing"

	"github.com/conclave-voice/conclave/media/codec/codectest"
)

const packet = header + 80 // octets of 160 samples

func encode(t *testing.T, pcm []int16) []byte {
	t.Helper()
	var e Encoder
	var payloads []byte
	for i := 0; i < len(pcm); i += 160 {
		payload := make([]byte, packet)
		if n, err := e.Encode(payload, pcm[i:i+160]); n != packet || err != nil {
			t.Fatal(n, err)
		}
		payloads = append(payloads, payload...)
	}
	return payloads
}

func decode(t *testing.T, payloads []byte) []int16 {
	t.Helper()
	var pcm []int16
	for payload := range slices.Chunk(payloads, packet) {
		part := make([]int16, 160)
		if n, err := (Decoder{}).Decode(part, payload); n != 160 || err != nil {
			t.Fatal(n, err)
		}
		pcm = append(pcm, part...)
	}
	return pcm
}

// TestBitExactWithSpandsp proves SPEC CD1 for DVI4, both ways.
func TestBitExactWithSpandsp(t *testing.T) {
	spandsp := codectest.NewSpandsp(t)
	for name, pcm := range codectest.Signals() {
		payloads := encode(t, pcm)
		if !bytes.Equal(payloads, spandsp.Run(t, "dvi4-encode", codectest.Bytes(pcm))) {
			t.Errorf("%s: payload differs from spandsp's", name)
		}
		if !bytes.Equal(codectest.Bytes(decode(t, payloads)), spandsp.Run(t, "dvi4-decode", payloads)) {
			t.Errorf("%s: audio differs from spandsp's", name)
		}
	}
	random := codectest.Octets(500 * packet)
	for p := range slices.Chunk(random, packet) {
		p[2], p[3] = p[2]%89, 0
	}
	if !bytes.Equal(codectest.Bytes(decode(t, random)), spandsp.Run(t, "dvi4-decode", random)) {
		t.Error("random payloads decode to other audio than spandsp's")
	}
}

// TestLikeSox: the codes behind the headers are IMA ADPCM, which sox has without
// headers. It adds up the parts of a step before it rounds them, where the IMA's own
// description, spandsp and we round each.
func TestLikeSox(t *testing.T) {
	for name, pcm := range codectest.Signals() {
		payloads := encode(t, pcm)
		var codes []byte
		for p := range slices.Chunk(payloads, packet) {
			codes = append(codes, p[header:]...)
		}
		theirs := codectest.PCM(codectest.Sox(t, codes, []string{"-t", "ima", "-r", "8000"}, []string{"-t", "s16"}))
		for i, s := range decode(t, payloads) {
			if off := int(s) - int(theirs[i]); max(off, -off) > 250 { // it wanders
				t.Errorf("%s: sample %d is %d, sox's %d", name, i, s, theirs[i])
				break
			}
		}
	}
}

// TestOneLossIsOnePacket: a packet decodes to the same, whatever was lost before.
func TestOneLossIsOnePacket(t *testing.T) {
	payloads := encode(t, codectest.Signals()["sweep of 8000"])
	all := decode(t, payloads)
	if late := decode(t, payloads[7*packet:]); !slices.Equal(late, all[7*160:]) {
		t.Error("the eighth packet depends on those before")
	}
}

// TestSpeech: how far the noise lies below speech.
func TestSpeech(t *testing.T) {
	for _, rate := range []string{"8000", "16000"} {
		pcm := codectest.Speech(t, "flite", "Please say your name after the tone, and then press the pound key.", rate)
		pcm = pcm[:len(pcm)/160*160]
		snr := codectest.SegmentalSNR(pcm, decode(t, encode(t, pcm)), map[string]int{"8000": 8000, "16000": 16000}[rate])
		t.Logf("%s Hz: %.1f dB", rate, snr)
		if snr < 18 {
			t.Errorf("%s Hz: %.1f dB, want 18 dB", rate, snr)
		}
	}
}

func TestRefusals(t *testing.T) {
	var e Encoder
	if _, err := e.Encode(make([]byte, 100), make([]int16, 81)); err == nil {
		t.Error("encoded an odd number of samples")
	}
	if _, err := e.Encode(make([]byte, 83), make([]int16, 160)); err == nil {
		t.Error("encoded 160 samples into 83 octets")
	}
	for name, payload := range map[string][]byte{"short": {1, 2, 3}, "step 89": {0, 0, 89, 0, 1, 2}} {
		if _, err := (Decoder{}).Decode(make([]int16, 160), payload); err == nil {
			t.Errorf("decoded a payload: %s", name)
		}
	}
	if _, err := (Decoder{}).Decode(make([]int16, 159), make([]byte, packet)); err == nil {
		t.Error("decoded 84 octets into 159 samples")
	}
}

// FuzzDecode: no payload makes the decoder panic, or write more than there is room
// for (SPEC SE4).
func FuzzDecode(f *testing.F) {
	f.Add([]byte{}, uint16(0))
	f.Add([]byte{0x7f, 0xff, 88, 0, 0x77, 0x77}, uint16(4))
	f.Add([]byte{0x80, 0, 88, 0, 0xff, 0xff}, uint16(160))
	f.Add([]byte{0, 0, 255, 0, 1}, uint16(160))
	f.Add(codectest.Octets(84), uint16(160))
	f.Fuzz(func(t *testing.T, payload []byte, room uint16) {
		pcm := make([]int16, room)
		if n, err := (Decoder{}).Decode(pcm, payload); n < 0 || n > len(pcm) || (err != nil && n != 0) {
			t.Errorf("%d samples, error %v", n, err)
		}
	})
}
