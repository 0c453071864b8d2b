package g723

import (
	"bytes"
	"slices"
	"testing"

	"github.com/conclave-voice/conclave/media/codec/codectest"
)

func open(t testing.TB) *Library {
	t.Helper()
	return codectest.Open(t, Open)
}

func encode(t testing.TB, l *Library, pcm []int16, frames int) [][]byte {
	t.Helper()
	e, err := l.NewEncoder()
	return codectest.Encode(t, e, err, pcm, frames*frameLength, frames*24)
}

func decode(t testing.TB, l *Library, payloads [][]byte) []int16 {
	t.Helper()
	d, err := l.NewDecoder()
	return codectest.Decode(t, d, err, payloads, maxFrames*frameLength)
}

// CD1: what our binding gives is to the bit what the ffmpeg program gives, both ways. No
// other implementation is at hand; that G.723.1 is what libavcodec says it is, FFmpeg's own
// tests prove by the ITU's vectors.
func TestAsFFmpegProgram(t *testing.T) {
	l := open(t)
	for name, pcm := range map[string][]int16{
		"speech": codectest.Speech(t, "flite", codectest.Sentence, "8000"),
		"tone":   codectest.Tone(8000, 16080, 440, 8000),
	} {
		pcm = pcm[:len(pcm)-len(pcm)%(2*frameLength)]
		payloads := encode(t, l, pcm, 2)
		ours := bytes.Join(payloads, nil)
		theirs := codectest.FFmpeg(t, codectest.Bytes(pcm), "-f", "s16le", "-ar", "8000", "-i", "-", "-c:a", "g723_1", "-b:a", "6300", "-f", "g723_1")
		if !bytes.Equal(ours, theirs[:len(ours)]) {
			t.Errorf("%s: the payloads differ", name)
		}
		decoded := decode(t, l, payloads)
		back := codectest.PCM(codectest.FFmpeg(t, ours, "-f", "g723_1", "-i", "-", "-f", "s16le"))
		if !slices.Equal(decoded, back[:len(decoded)]) {
			t.Errorf("%s: the audio differs", name)
		}
		snr := codectest.SNR(pcm, decoded, 8000)
		t.Logf("%s: %.1f dB", name, snr)
		if snr < 3 {
			t.Errorf("%s: %.1f dB", name, snr)
		}
	}
}

// CD1, CD3: frames of both rates, of comfort noise and of nothing, in any order.
func TestKindsOfFrames(t *testing.T) {
	l := open(t)
	d, err := l.NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	high, low, noise, nothing := make([]byte, 24), append([]byte{1}, make([]byte, 19)...), []byte{2, 3, 4, 5}, []byte{3}
	pcm := make([]int16, 480)
	for _, c := range []struct {
		payload []byte
		samples int
	}{{high, 240}, {low, 240}, {noise, 240}, {nothing, 240}, {high, 240}, {slices.Concat(low, noise), 480}, {slices.Concat(high, low), 480}, {slices.Concat(noise, nothing), 480}} {
		if n, err := d.Decode(pcm, c.payload); n != c.samples || err != nil {
			t.Errorf("%d octets: %d samples, %v", len(c.payload), n, err)
		}
	}
}

// CD3: what is lost is stood in for, and goes quiet when too much is.
func TestConceal(t *testing.T) {
	l := open(t)
	d, err := l.NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	pcm := make([]int16, 240)
	for _, p := range encode(t, l, codectest.Tone(8000, 8160, 200, 8000), 1) {
		if _, err := d.Decode(pcm, p); err != nil {
			t.Fatal(err)
		}
	}
	before := energy(pcm)
	if n := d.Conceal(pcm); n != 240 || energy(pcm) < before/16 {
		t.Errorf("%d samples, energy %.0f after %.0f", n, energy(pcm), before)
	}
	for n := range 10 {
		d.Conceal(pcm)
		if n > 3 && energy(pcm) > 0 {
			t.Errorf("energy %.0f after %d lost frames", energy(pcm), n)
		}
	}
	// What no encoder sends is as if it were lost.
	bad := encode(t, l, codectest.Tone(8000, 240, 200, 8000), 1)[0]
	bad[3], bad[4] = bad[3]|0xfc, bad[4]|1
	for n := range 10 {
		if _, err := d.Decode(pcm, bad); err != nil || energy(pcm) > before {
			t.Errorf("energy %.0f of the damaged frame %d, %v", energy(pcm), n, err)
		}
	}
}

// CD1: no frame that an encoder sends is taken for a damaged one.
func TestDamaged(t *testing.T) {
	l := open(t)
	for _, pcm := range [][]int16{codectest.Speech(t, "flite", codectest.Sentence, "8000"), codectest.Tone(8000, 8000, 100, 20000)} {
		for i, p := range encode(t, l, pcm, 1) {
			if damaged(p) {
				t.Errorf("frame %d is called damaged", i)
			}
		}
	}
	gain := make([]byte, 24)
	gain[5], gain[6] = 0xf0, 0xff // 4095
	for name, p := range map[string][]byte{"first lag": lostFrame[:], "second lag": {4: 0xf8, 5: 0x03, 23: 0}, "gain": gain} {
		if !damaged(p) {
			t.Errorf("%s is not called damaged", name)
		}
	}
}

func energy(pcm []int16) (sum float64) {
	for _, s := range pcm {
		sum += float64(s) * float64(s)
	}
	return sum
}

func TestRefusals(t *testing.T) { // SE4
	l := open(t)
	d, err := l.NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	pcm := make([]int16, 1000)
	for name, p := range map[string][]byte{"nothing": nil, "a frame cut off": make([]byte, 23), "a frame and a half": make([]byte, 30), "three frames": make([]byte, 72)} {
		if n, err := d.Decode(pcm, p); err == nil || n != 0 {
			t.Errorf("%s: %d samples", name, n)
		}
	}
	if n, err := d.Decode(pcm[:239], make([]byte, 24)); err == nil || n != 0 {
		t.Errorf("%d samples where there is no room", n)
	}
	d.Close()
	if _, err := d.Decode(pcm, make([]byte, 24)); err == nil || d.Conceal(pcm) != 0 {
		t.Error("decoded after Close")
	}
	e, err := l.NewEncoder()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Encode(make([]byte, 24), pcm[:160]); err == nil {
		t.Error("20 ms were encoded")
	}
	e.Close()
	if _, err := e.Encode(make([]byte, 24), pcm[:240]); err == nil {
		t.Error("encoded after Close")
	}
}

func FuzzDecode(f *testing.F) {
	l := open(f)
	f.Add(make([]byte, 24))
	f.Add([]byte{2, 9, 9, 9, 3})
	f.Fuzz(func(t *testing.T, payload []byte) {
		d, err := l.NewDecoder()
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		pcm := make([]int16, maxFrames*frameLength)
		for range 3 {
			if n, err := d.Decode(pcm, payload); n < 0 || n > len(pcm) || err != nil && n != 0 {
				t.Errorf("%d samples, error %v", n, err)
			}
		}
	})
}
