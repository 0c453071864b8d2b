package g711

import (
	"bytes"
	"slices"
	"testing"

	"github.com/conclave-voice/conclave/media/codec/codectest"
)

var laws = []struct {
	name string
	law  *Law
}{{"mulaw", MuLaw()}, {"alaw", ALaw()}}

// everySample is all there are.
func everySample() []int16 {
	pcm := make([]int16, 1<<16)
	for i := range pcm {
		pcm[i] = int16(i - 1<<15)
	}
	return pcm
}

func encode(t *testing.T, l *Law, pcm []int16) []byte {
	t.Helper()
	codes := make([]byte, len(pcm))
	if n, err := l.Encode(codes, pcm); n != len(pcm) || err != nil {
		t.Fatal(n, err)
	}
	return codes
}

// TestEncodesAsSpandsp compares the codes of all samples (SPEC CD1). A negative
// sample that lies exactly on a decision of the µ-law may go either way.
func TestEncodesAsSpandsp(t *testing.T) {
	spandsp := codectest.NewSpandsp(t)
	pcm := everySample()
	for _, l := range laws {
		ours := encode(t, l.law, pcm)
		for i, theirs := range spandsp.Run(t, l.name+"-encode", codectest.Bytes(pcm)) {
			if ours[i] == theirs {
				continue
			}
			if onDecision := l.name == "mulaw" && pcm[i] < 0 && ours[i-1] == theirs; !onDecision {
				t.Fatalf("%s: sample %d has code %#x, spandsp's is %#x", l.name, pcm[i], ours[i], theirs)
			}
		}
	}
}

// TestDecodesAsFFmpeg compares the values of all codes. ffmpeg's encoder rounds
// to the nearest value where G.711 has a decision at the end of a segment, so its
// codes are only required to be neighbours of ours.
func TestDecodesAsFFmpeg(t *testing.T) {
	codes := make([]byte, 256)
	for i := range codes {
		codes[i] = byte(i)
	}
	pcm := everySample()
	raw := []string{"-ar", "8000", "-ac", "1", "-i", "-", "-f"}
	for _, l := range laws {
		decoded := make([]int16, 256)
		if n, err := l.law.Decode(decoded, codes); n != 256 || err != nil {
			t.Fatal(n, err)
		}
		audio := codectest.FFmpeg(t, codes, append([]string{"-f", l.name}, append(raw, "s16le")...)...)
		if !slices.Equal(decoded, codectest.PCM(audio)) {
			t.Errorf("%s: decoded %v, ffmpeg %v", l.name, decoded, codectest.PCM(audio))
		}
		ours := encode(t, l.law, pcm)
		theirs := codectest.FFmpeg(t, codectest.Bytes(pcm), append([]string{"-f", "s16le"}, append(raw, l.name)...)...)
		for i := range pcm {
			a, b := distance(pcm[i], l.law.linear[ours[i]]), distance(pcm[i], l.law.linear[theirs[i]])
			if a > 2*b+4 {
				t.Fatalf("%s: sample %d is coded with an error of %d, by ffmpeg of %d", l.name, pcm[i], a, b)
			}
		}
	}
}

func distance(a, b int16) int { return max(int(a)-int(b), int(b)-int(a)) }

// TestCodesAreTheirOwn: decoding and encoding gives the same code, so that
// passing through a mix of one talker changes nothing.
func TestCodesAreTheirOwn(t *testing.T) {
	for _, l := range laws {
		for code := range 256 {
			b := [1]byte{}
			if _, err := l.law.Encode(b[:], l.law.linear[code:code+1]); err != nil {
				t.Fatal(err)
			}
			// µ-law has a code for minus zero, which comes back as plus zero.
			if b[0] != byte(code) && !(l.name == "mulaw" && code == 0x7f && b[0] == 0xff) {
				t.Errorf("%s: code %#x comes back as %#x", l.name, code, b[0])
			}
		}
	}
}

// TestTabulated: the table by 14 bits gives what the law says for all 16.
func TestTabulated(t *testing.T) {
	for _, l := range []struct {
		law  *Law
		code func(int16) byte
	}{{MuLaw(), linearToMu}, {ALaw(), linearToA}} {
		for i := range 1 << 16 {
			s := int16(i - 1<<15)
			var b [1]byte
			if _, err := l.law.Encode(b[:], []int16{s}); err != nil || b[0] != l.code(s) {
				t.Fatalf("sample %d: %#x, want %#x (%v)", s, b[0], l.code(s), err)
			}
		}
	}
}

func TestShortDestination(t *testing.T) {
	l := ALaw()
	if n, err := l.Encode(make([]byte, 79), make([]int16, 80)); err == nil || n != 0 {
		t.Error("encoded 80 samples into 79 octets")
	}
	if n, err := l.Decode(make([]int16, 79), bytes.Repeat([]byte{1}, 80)); err == nil || n != 0 {
		t.Error("decoded 80 octets into 79 samples")
	}
}
