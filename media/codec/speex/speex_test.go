package speex

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/conclave-voice/conclave/media/codec/codectest"
	"github.com/conclave-voice/conclave/testenv/ogg"
)

func open(t testing.TB) *Library {
	t.Helper()
	return codectest.Open(t, Open)
}

// encode gives one payload for so many frames.
func encode(t testing.TB, l *Library, c EncoderConfig, pcm []int16, frames int) [][]byte {
	t.Helper()
	e, err := l.NewEncoder(c)
	return codectest.Encode(t, e, err, pcm, c.SampleRate/50*frames, maxPayload)
}

func decode(t testing.TB, l *Library, rate int, payloads [][]byte) []int16 {
	t.Helper()
	d, err := l.NewDecoder(rate)
	return codectest.Decode(t, d, err, payloads, rate*3/50)
}

// ffmpeg decodes by FFmpeg's own decoder, which has nothing to do with libspeex.
func ffmpeg(t testing.TB, stream []byte) []int16 {
	return codectest.PCM(codectest.FFmpeg(t, stream, "-c:a", "speex", "-f", "ogg", "-i", "-", "-f", "s16le"))
}

func sounds(t testing.TB, rate int) map[string][]int16 {
	return map[string][]int16{
		"speech": codectest.Speech(t, "flite", codectest.Sentence, strconv.Itoa(rate)),
		"tone":   codectest.Tone(rate, 2*rate, 440, 8000),
	}
}

// CD1: what we encode, one frame or several in a packet, FFmpeg decodes as libspeex does.
func TestOthersDecodeOurs(t *testing.T) {
	l := open(t)
	for _, rate := range []int{8000, 16000} {
		for name, pcm := range sounds(t, rate) {
			for _, frames := range []int{1, 3} {
				payloads := encode(t, l, EncoderConfig{SampleRate: rate}, pcm, frames)
				theirs := ffmpeg(t, ogg.Stream(ogg.SpeexHeaders(rate, frames), payloads, int64(rate/50*frames)))
				compare(t, l, fmt.Sprintf("%d Hz, %s, %d frames", rate, name, frames), rate, pcm, payloads, theirs)
			}
		}
	}
}

// CD1: what FFmpeg sends at several rates, our decoder decodes as FFmpeg's own does.
func TestWeDecodeOthers(t *testing.T) {
	l := open(t)
	for _, rate := range []int{8000, 16000} {
		pcm := codectest.Speech(t, "flite", codectest.Sentence, strconv.Itoa(rate))
		for _, quality := range []string{"3", "8", "10"} {
			stream := codectest.FFmpeg(t, codectest.Bytes(pcm), "-f", "s16le", "-ar", strconv.Itoa(rate), "-i", "-",
				"-c:a", "libspeex", "-cbr_quality", quality, "-frames_per_packet", "2", "-f", "ogg")
			compare(t, l, fmt.Sprintf("%d Hz, quality %s", rate, quality), rate, pcm, ogg.Packets(stream), ffmpeg(t, stream))
		}
	}
}

// compare has what our decoder makes of payloads near what another one has.
func compare(t *testing.T, l *Library, name string, rate int, pcm []int16, payloads [][]byte, theirs []int16) {
	t.Helper()
	ours := decode(t, l, rate, payloads)
	d := codectest.Align(theirs[:rate], ours, rate/20)
	alike := codectest.SegmentalSNR(theirs, ours[d:], rate)
	t.Logf("%s: ours against FFmpeg %.1f dB, against the original %.1f dB, FFmpeg against it %.1f dB", name, alike, codectest.SNR(pcm, ours, rate), codectest.SNR(pcm, theirs, rate))
	if alike < 8 {
		t.Errorf("%s: FFmpeg's decoder and ours differ by %.1f dB", name, alike)
	}
}

// CD1: each mode of RFC 5574 has the size that the manual gives it, which is also what
// payloads are checked by before the library sees them.
func TestFramesAreCounted(t *testing.T) {
	l := open(t)
	speech := codectest.Speech(t, "flite", codectest.Sentence, "16000")[:16000]
	for _, c := range []EncoderConfig{
		{SampleRate: 8000, Mode: 1}, {SampleRate: 8000, Mode: 2}, {SampleRate: 8000, Mode: 3}, {SampleRate: 8000, Mode: 4},
		{SampleRate: 8000, Mode: 5}, {SampleRate: 8000, Mode: 6}, {SampleRate: 8000, Mode: 7}, {SampleRate: 8000, Mode: 8},
		{SampleRate: 16000, Quality: 1}, {SampleRate: 16000, Quality: 4}, {SampleRate: 16000, Quality: 7}, {SampleRate: 16000, Quality: 10},
	} {
		for frames := 1; frames <= 3; frames++ {
			for _, p := range encode(t, l, c, speech, frames) {
				if n, ok := countFrames(p); n != frames || !ok {
					t.Fatalf("%+v: %d frames are counted, want %d", c, n, frames)
				}
			}
		}
		if c.Mode != 0 {
			if got := len(encode(t, l, c, speech, 1)[5]); got != (frameBits[c.Mode]+7)/8 {
				t.Errorf("%+v: %d octets", c, got)
			}
		}
	}
	for name, p := range map[string][]byte{"nothing": nil, "a reserved mode": {0x48, 0, 0}, "a layer first": {0x80, 0, 0}, "a frame cut off": {0x28, 1, 2, 3}} {
		if n, ok := countFrames(p); n != 0 {
			t.Errorf("%s: %d frames (%v)", name, n, ok)
		}
	}
}

// CD3: what is lost is stood in for, and the level stays.
func TestConceal(t *testing.T) {
	l := open(t)
	tone := codectest.Tone(8000, 8000, 200, 8000)
	d, err := l.NewDecoder(8000)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	pcm := make([]int16, 160)
	for _, p := range encode(t, l, EncoderConfig{SampleRate: 8000}, tone, 1) {
		if _, err := d.Decode(pcm, p); err != nil {
			t.Fatal(err)
		}
	}
	before := energy(pcm)
	if n := d.Conceal(pcm); n != 160 || energy(pcm) < before/8 {
		t.Errorf("%d samples, energy %.0f after %.0f", n, energy(pcm), before)
	}
	if n := d.Conceal(pcm[:159]); n != 0 {
		t.Errorf("%d samples of a part of a frame", n)
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
	for _, c := range []EncoderConfig{{SampleRate: 32000}, {SampleRate: 8000, Mode: 9}, {SampleRate: 8000, Quality: 11}, {SampleRate: 8000, Complexity: 11}} {
		if _, err := l.NewEncoder(c); err == nil {
			t.Errorf("an encoder with %+v", c)
		}
	}
	e, err := l.NewEncoder(EncoderConfig{SampleRate: 8000})
	if err != nil {
		t.Fatal(err)
	}
	dst := make([]byte, 100)
	if _, err := e.Encode(dst, make([]int16, 80)); err == nil {
		t.Error("half a frame was encoded")
	}
	if _, err := e.Encode(dst[:10], make([]int16, 160)); err == nil {
		t.Error("encoded without room")
	}
	e.Close()
	if _, err := e.Encode(dst, make([]int16, 160)); err == nil {
		t.Error("encoded after Close")
	}
}

func FuzzDecode(f *testing.F) {
	l := open(f)
	for _, rate := range []int{8000, 16000} {
		for _, p := range encode(f, l, EncoderConfig{SampleRate: rate}, codectest.Tone(rate, rate/10, 300, 5000), 2) {
			f.Add(p, rate == 16000)
		}
	}
	f.Add([]byte{0x70, 0xff}, false)
	f.Fuzz(func(t *testing.T, payload []byte, wideband bool) {
		rate := 8000
		if wideband {
			rate = 16000
		}
		d, err := l.NewDecoder(rate)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		pcm := make([]int16, rate*3/50)
		for range 2 {
			if n, err := d.Decode(pcm, payload); n < 0 || n > len(pcm) || err != nil && n != 0 {
				t.Errorf("%d samples, error %v", n, err)
			}
		}
	})
}
