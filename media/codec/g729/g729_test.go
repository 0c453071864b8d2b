package g729

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

// encode gives one payload for so many frames.
func encode(t testing.TB, l *Library, silence bool, pcm []int16, frames int) [][]byte {
	t.Helper()
	e, err := l.NewEncoder(silence)
	return codectest.Encode(t, e, err, pcm, frames*frame, frames*voice)
}

func decode(t testing.TB, l *Library, payloads [][]byte) []int16 {
	t.Helper()
	d, err := l.NewDecoder()
	return codectest.Decode(t, d, err, payloads, maxFrames*frame)
}

// CD1: what we encode, FFmpeg's own decoder decodes, and it and ours make the same of it:
// each decoder is tried on what the other knows to be right.
func TestFFmpegAndWeDecodeTheSame(t *testing.T) {
	l := open(t)
	for name, pcm := range map[string][]int16{
		"speech":        codectest.Speech(t, "flite", codectest.Sentence, "8000"),
		"another voice": codectest.Speech(t, "espeak-ng", codectest.Sentence, "8000"),
		"tone":          codectest.Tone(8000, 16000, 440, 8000),
	} {
		payloads := encode(t, l, false, pcm, 2)
		theirs := codectest.PCM(codectest.FFmpeg(t, bytes.Join(payloads, nil), "-f", "g729", "-i", "-", "-f", "s16le"))
		ours := decode(t, l, payloads)
		a, b, alike := codectest.SNR(pcm, theirs, 8000), codectest.SNR(pcm, ours, 8000), codectest.SegmentalSNR(theirs, ours, 8000)
		t.Logf("%s: FFmpeg %.1f dB, ours %.1f dB, ours against FFmpeg's %.1f dB", name, a, b, alike)
		if a < b-1.5 || b < a-1.5 || alike < 15 {
			t.Errorf("%s: FFmpeg's decoder gives %.1f dB, ours %.1f dB, and they differ by %.1f dB", name, a, b, alike)
		}
	}
}

// CD1, CD3: pauses by Annex B. Of a second of silence little is sent; the time of the rest
// is kept; what is decoded of a pause is quiet, but not dead.
func TestSilence(t *testing.T) {
	l := open(t)
	speech := codectest.Speech(t, "flite", "Hello.", "8000")
	pcm := slices.Concat(speech, noiseOf(16000, 30), speech)
	for _, frames := range []int{1, 2, 3} {
		d, err := l.NewDecoder()
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		payloads := encode(t, l, true, pcm, frames)
		octets, kinds, total := 0, map[int]int{}, 0
		for _, p := range payloads {
			octets += len(p)
			kinds[len(p)%voice]++
			out := make([]int16, frames*frame)
			n, err := d.Decode(out, p)
			if err != nil || n > len(out) {
				t.Fatalf("%d octets: %d samples, %v", len(p), n, err)
			}
			n += d.Conceal(out[n:]) // what was not sent
			total += n
		}
		if kinds[noise] == 0 || kinds[0] == len(payloads) || octets > len(pcm)/frame*voice*3/4 {
			t.Errorf("%d frames a packet: %d octets in packets %v", frames, octets, kinds)
		}
		if want := len(payloads) * frames * frame; total != want {
			t.Errorf("%d frames a packet: %d samples came out of %d", frames, total, want)
		}
	}
}

// noiseOf is quiet noise, the same each time.
func noiseOf(samples int, amplitude int) []int16 {
	pcm := make([]int16, samples)
	seed := uint32(1)
	for i := range pcm {
		seed = seed*1664525 + 1013904223
		pcm[i] = int16(int(seed>>16)%(2*amplitude+1) - amplitude)
	}
	return pcm
}

// CD3: what is lost is stood in for, and the level stays.
func TestConceal(t *testing.T) {
	l := open(t)
	d, err := l.NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	pcm := make([]int16, 160)
	for _, p := range encode(t, l, false, codectest.Tone(8000, 8000, 200, 8000), 2) {
		if _, err := d.Decode(pcm, p); err != nil {
			t.Fatal(err)
		}
	}
	before := energy(pcm)
	if n := d.Conceal(pcm); n != 160 || energy(pcm) < before/16 {
		t.Errorf("%d samples, energy %.0f after %.0f", n, energy(pcm), before)
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
	for _, octets := range []int{1, 3, 9, 11, 15, 62, 70, 500} {
		if n, err := d.Decode(pcm, make([]byte, octets)); err == nil || n != 0 {
			t.Errorf("%d octets: %d samples", octets, n)
		}
	}
	if n, err := d.Decode(pcm[:79], make([]byte, 10)); err == nil || n != 0 {
		t.Errorf("%d samples where there is no room", n)
	}
	for _, octets := range []int{0, 2, 10, 12, 20, 60} {
		if n, err := d.Decode(pcm, make([]byte, octets)); err != nil || n != max(1, (octets+8)/10)*frame {
			t.Errorf("%d octets: %d samples, %v", octets, n, err)
		}
	}
	d.Close()
	if _, err := d.Decode(pcm, make([]byte, 10)); err == nil || d.Conceal(pcm) != 0 {
		t.Error("decoded after Close")
	}
}

func FuzzDecode(f *testing.F) {
	l := open(f)
	f.Add(make([]byte, 22))
	f.Fuzz(func(t *testing.T, payload []byte) {
		d, err := l.NewDecoder()
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		pcm := make([]int16, maxFrames*frame)
		for range 3 {
			if n, err := d.Decode(pcm, payload); n < 0 || n > len(pcm) || err != nil && n != 0 {
				t.Errorf("%d samples, error %v", n, err)
			}
		}
	})
}
