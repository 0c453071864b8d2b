package g726

import (
	"bytes"
	"fmt"
	"strconv"
	"testing"

	"github.com/conclave-voice/conclave/media/codec/codectest"
)

// variants are all there are, with the mode of the spandsp program for each.
type variant struct {
	kbits int
	order Order
	mode  string
}

func variants() (all []variant) {
	for _, kbits := range []int{16, 24, 32, 40} {
		all = append(all, variant{kbits, LittleEndian, "g726"}, variant{kbits, BigEndian, "aal2"})
	}
	return all
}

func (v variant) String() string { return fmt.Sprintf("%s-%d", v.mode, v.kbits) }

func (v variant) codec(t testing.TB) *Codec {
	t.Helper()
	c, err := New(v.kbits, v.order)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (v variant) encode(t *testing.T, pcm []int16) []byte {
	t.Helper()
	e, payload := v.codec(t).NewEncoder(), make([]byte, len(pcm)*v.kbits/64)
	for i := 0; i < len(pcm); i += 160 { // frame by frame, as in a call
		at, size := i*v.kbits/64, 160*v.kbits/64
		if n, err := e.Encode(payload[at:], pcm[i:i+160]); n != size || err != nil {
			t.Fatal(n, err)
		}
	}
	return payload
}

func (v variant) decode(t *testing.T, payload []byte) []int16 {
	t.Helper()
	d, pcm := v.codec(t).NewDecoder(), make([]int16, len(payload)*64/v.kbits)
	if n, err := d.Decode(pcm, payload); n != len(pcm) || err != nil {
		t.Fatal(n, err)
	}
	return pcm
}

// TestBitExactWithSpandsp proves SPEC CD1 for G.726: all rates, both ways and both
// packings. The one thing that may differ: where the output passes full scale,
// spandsp 0.0.6 wraps and we saturate.
func TestBitExactWithSpandsp(t *testing.T) {
	spandsp := codectest.NewSpandsp(t)
	for _, v := range variants() {
		payloads := map[string][]byte{"random octets": codectest.Octets(39990)}
		for name, pcm := range codectest.Signals() {
			payloads[name] = v.encode(t, pcm)
			theirs := spandsp.Run(t, fmt.Sprintf("%s-encode-%d000", v.mode, v.kbits), codectest.Bytes(pcm))
			if !bytes.Equal(payloads[name], theirs) {
				t.Errorf("%v, %s: payload differs from spandsp's", v, name)
			}
		}
		for name, payload := range payloads {
			theirs := codectest.PCM(spandsp.Run(t, fmt.Sprintf("%s-decode-%d000", v.mode, v.kbits), payload))
			ours := v.decode(t, payload)
			if len(ours) != len(theirs) {
				t.Errorf("%v, %s: %d samples, spandsp's are %d", v, name, len(ours), len(theirs))
				continue
			}
			for i, s := range ours {
				if s != theirs[i] && s != 32767 && s != -32768 {
					t.Errorf("%v, %s: sample %d is %d, spandsp's %d", v, name, i, s, theirs[i])
					break
				}
			}
		}
	}
}

// TestPackedAsFFmpeg: its G.726 is not exact, at 40 kbit/s least of all, but it was told
// the orders by others than spandsp was: the wrong one is noise.
func TestPackedAsFFmpeg(t *testing.T) {
	pcm := codectest.Signals()["sweep of 8000"][:16000]
	for _, v := range variants() {
		format := map[Order]string{LittleEndian: "g726le", BigEndian: "g726"}[v.order]
		payload := v.encode(t, pcm)
		theirs := codectest.FFmpeg(t, payload, "-f", format, "-code_size", strconv.Itoa(v.kbits/8), "-i", "-", "-f", "s16le")
		snr := codectest.SegmentalSNR(v.decode(t, payload), codectest.PCM(theirs), 8000)
		t.Logf("%v: %.1f dB", v, snr)
		if snr < 10 {
			t.Errorf("%v: ffmpeg's audio is %.1f dB from ours", v, snr)
		}
	}
}

// TestSpeech: how far the noise lies below speech, at each rate.
func TestSpeech(t *testing.T) {
	pcm := codectest.Speech(t, "flite", "Please say your name after the tone, and then press the pound key.", "8000")
	pcm = pcm[:len(pcm)/160*160]
	for kbits, least := range map[int]float64{16: 10, 24: 15, 32: 21, 40: 26} {
		v := variant{kbits: kbits}
		snr := codectest.SegmentalSNR(pcm, v.decode(t, v.encode(t, pcm)), 8000)
		t.Logf("%d kbit/s: %.1f dB", kbits, snr)
		if snr < least {
			t.Errorf("%d kbit/s: %.1f dB, want %.0f dB", kbits, snr, least)
		}
	}
}

func TestRefusals(t *testing.T) {
	if _, err := New(48, LittleEndian); err == nil {
		t.Error("made G.726 at 48 kbit/s")
	}
	c := variant{kbits: 24}.codec(t)
	if _, err := c.NewEncoder().Encode(make([]byte, 80), make([]int16, 81)); err == nil {
		t.Error("encoded 243 bits")
	}
	if _, err := c.NewEncoder().Encode(make([]byte, 29), make([]int16, 80)); err == nil {
		t.Error("encoded 80 samples into 29 octets")
	}
	if _, err := c.NewDecoder().Decode(make([]int16, 90), make([]byte, 31)); err == nil {
		t.Error("decoded 82 samples and two thirds")
	}
	if _, err := c.NewDecoder().Decode(make([]int16, 79), make([]byte, 30)); err == nil {
		t.Error("decoded 30 octets into 79 samples")
	}
}

// FuzzDecode: no payload makes a decoder panic, or write more than there is room
// for (SPEC SE4).
func FuzzDecode(f *testing.F) {
	f.Add([]byte{}, uint16(0))
	f.Add(bytes.Repeat([]byte{0}, 40), uint16(160))
	f.Add(bytes.Repeat([]byte{0x77}, 60), uint16(160))
	f.Add(bytes.Repeat([]byte{0xff}, 300), uint16(480))
	f.Add(codectest.Octets(100), uint16(400))
	f.Fuzz(func(t *testing.T, payload []byte, room uint16) {
		for _, v := range variants() {
			d, pcm := v.codec(t).NewDecoder(), make([]int16, room)
			for range 3 {
				if n, err := d.Decode(pcm, payload); n < 0 || n > len(pcm) || (err != nil && n != 0) {
					t.Errorf("%v: %d samples, error %v", v, n, err)
				}
			}
		}
	})
}
