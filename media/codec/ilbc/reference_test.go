package ilbc

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/media/codec/codectest"
)

// TestFFmpegDecodesUs proves CD1 from us to others: ffmpeg's decoder, which has no
// enhancer, makes the same of our frames as our own without one, but for the rounding of
// its fixed-point arithmetic.
func TestFFmpegDecodesUs(t *testing.T) {
	for _, program := range []string{"flite", "espeak-ng"} {
		pcm := speech(t, program)
		for length := range frames {
			payload := encode(t, length, pcm)
			theirs := codectest.PCM(codectest.FFmpeg(t, stored(length, payload), "-f", "ilbc", "-i", "-", "-f", "s16le"))
			ours := decode(t, length, payload, true)
			near := codectest.SegmentalSNR(theirs, ours, 8000)
			t.Logf("%s, %v: ours is %.1f dB from ffmpeg's; ffmpeg's is %.1f dB from the original", program, length, near, snr(pcm, theirs))
			if near < 25 {
				t.Errorf("%s, %v: ours is %.1f dB from ffmpeg's", program, length, near)
			}
		}
	}
}

// stored is the file format of RFC 3952 section 4.
func stored(length time.Duration, payload []byte) []byte {
	return append([]byte("#!iLBC"+strconv.Itoa(int(length.Milliseconds()))+"\n"), payload...)
}

// webrtc is the codec of the WebRTC project, with encoder, enhancer and concealment, which
// Debian has inside of libtgowt-dev. Unpacked elsewhere, it is found by the variable
// LIBRARY_PATH. What it gives is in testdata too, so that tests without it miss little.
type webrtc struct{ path string }

func newWebRTC(t testing.TB) webrtc {
	t.Helper()
	codectest.Need(t, "gcc", "install gcc")
	source, err := os.ReadFile("testdata/webrtc.c.txt")
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "webrtc")
	compile := exec.Command("gcc", "-x", "c", "-O1", "-o", program, "-", "-x", "none", "-ltg_owt", "-lstdc++", "-lm")
	compile.Stdin = bytes.NewReader(source)
	if out, err := compile.CombinedOutput(); err != nil {
		t.Skipf("install libtgowt-dev: %s", out)
	}
	return webrtc{program}
}

func (w webrtc) run(t testing.TB, do string, length time.Duration, input []byte) []byte {
	t.Helper()
	c := exec.Command(w.path, do, strconv.Itoa(int(length.Milliseconds())))
	c.Stdin = bytes.NewReader(input)
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%s: %v", do, err)
	}
	return out
}

// TestWithWebRTC proves CD1 both ways, and in both modes: each encoder into each decoder.
// Ours must not be worse than theirs by more than half a dB.
func TestWithWebRTC(t *testing.T) {
	w := newWebRTC(t)
	for _, program := range []string{"flite", "espeak-ng"} {
		pcm := speech(t, program)
		for length := range frames {
			ours, theirs := encode(t, length, pcm), w.run(t, "encode", length, codectest.Bytes(pcm))
			both := snr(pcm, codectest.PCM(w.run(t, "decode", length, theirs)))
			encoded := snr(pcm, codectest.PCM(w.run(t, "decode", length, ours)))
			decoded := snr(pcm, decode(t, length, theirs, false))
			own := snr(pcm, decode(t, length, ours, false))
			t.Logf("%s, %v: segmental SNR: theirs %.2f dB, our encoder %.2f, our decoder %.2f, both ours %.2f", program, length, both, encoded, decoded, own)
			if min(encoded, decoded, own) < both-0.5 {
				t.Errorf("%s, %v: ours is worse", program, length)
			}
			plain := codectest.SegmentalSNR(codectest.PCM(w.run(t, "plain", length, theirs)), decode(t, length, theirs, true), 8000)
			with := codectest.SegmentalSNR(codectest.PCM(w.run(t, "decode", length, theirs)), decode(t, length, theirs, false), 8000)
			t.Logf("%s, %v: our decoder is %.1f dB from theirs, enhanced %.1f dB", program, length, plain, with)
			if plain < 25 || with < 15 {
				t.Errorf("%s, %v: our decoder is %.1f dB from theirs, enhanced %.1f dB", program, length, plain, with)
			}
		}
	}
}

var update = flag.Bool("update", false, "write testdata again, with WebRTC")

// TestGolden proves CD1 from others to us where WebRTC is not installed: half a second of
// speech as it encoded it, in the file format of RFC 3952, and as it decodes that, without
// and with the enhancer.
func TestGolden(t *testing.T) {
	for length := range frames {
		name := filepath.Join("testdata", "webrtc"+strconv.Itoa(int(length.Milliseconds())))
		if *update {
			writeGolden(t, name, length)
		}
		file, err := os.ReadFile(name + ".ilbc")
		if err != nil {
			t.Fatal(err)
		}
		payload := file[len(stored(length, nil)):]
		for kind, least := range map[string]float64{"plain": 25, "decode": 15} {
			theirs, err := os.ReadFile(name + "-" + kind + ".pcm")
			if err != nil {
				t.Fatal(err)
			}
			near := codectest.SegmentalSNR(codectest.PCM(theirs), decode(t, length, payload, kind == "plain"), 8000)
			t.Logf("%v, %s: %.1f dB", length, kind, near)
			if near < least {
				t.Errorf("%v, %s: ours is %.1f dB from theirs", length, kind, near)
			}
		}
	}
}

func writeGolden(t *testing.T, name string, length time.Duration) {
	w := newWebRTC(t)
	payload := w.run(t, "encode", length, codectest.Bytes(speech(t, "flite")[2400:][:9*480]))
	for file, content := range map[string][]byte{
		".ilbc": stored(length, payload), "-plain.pcm": w.run(t, "plain", length, payload), "-decode.pcm": w.run(t, "decode", length, payload),
	} {
		if err := os.WriteFile(name+file, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
