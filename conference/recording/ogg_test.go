package recording

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/media/codec"
	"github.com/conclave-voice/conclave/media/codec/codectest"
	"github.com/conclave-voice/conclave/store"
)

// fakeOpus is a registry with a codec that is called Opus, whose packets are silence of
// about so many octets: what is tested is what is round them. Its encoder takes 16 kHz.
func fakeOpus(octets int) *codec.Registry {
	f := codec.Format{Name: "opus", ClockRate: opusRate, SampleRate: 16000, Channels: 1, PayloadType: -1, FrameTime: 20 * time.Millisecond}
	return codec.NewRegistry(codec.Codec{Format: f, Backend: "test",
		NewEncoder: func(codec.Format) (codec.Encoder, error) { return quietEncoder(octets), nil },
		NewDecoder: func(codec.Format) (codec.Decoder, error) { return quietDecoder{}, nil }})
}

type quietEncoder int

// Encode makes a packet of code 3: one frame, with padding (RFC 6716 section 3.2.5).
func (e quietEncoder) Encode(dst []byte, pcm []int16) (int, error) {
	packet := append(dst[:0], quietPacket[0]|3, 0x41, byte(int(e)-5), quietPacket[1], quietPacket[2])
	for len(packet) < int(e) {
		packet = append(packet, 0)
	}
	return len(packet), nil
}

type quietDecoder struct{}

func (quietDecoder) Decode(pcm []int16, _ []byte) (int, error) { clear(pcm[:320]); return 320, nil }

// RFC 3533: a page is found if it is whole, to the bit.
func TestPages(t *testing.T) {
	page := append([]byte("OggS\x00\x02"), make([]byte, 8)...)
	page = append(page, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 'a', 'b', 'c')
	sealPage(page)
	got, ok := nextPage(append(page, "OggS and more"...))
	if !ok || len(got) != len(page) {
		t.Fatalf("%v, %d octets", ok, len(got))
	}
	for i := range page {
		page[i] ^= 1
		if _, ok := nextPage(page); ok {
			t.Errorf("octet %d may be another", i)
		}
		page[i] ^= 1
	}
	for n := range page {
		if _, ok := nextPage(page[:n]); ok {
			t.Errorf("%d octets are a page", n)
		}
	}
}

// CF10: an Ogg file is as long as what was recorded, whatever the packets' sizes, and other
// programs take it; so is one whose writer has died, but for its last second.
func TestOgg(t *testing.T) {
	for _, octets := range []int{6, 100, 255} {
		s := newStudio(t, func(c *Config) { c.Codecs = fakeOpus(octets) })
		k := s.begin(store.FormatOgg, true)
		p := port(t)
		k.Track(p, "ann")
		k.play(130, 8000, nil)
		k.play(127, 8000, map[*mixerPort]float64{p: 400})
		row := k.end(store.RecordingStopped)
		for _, name := range []string{"mix.ogg", "ann.ogg"} {
			file := filepath.Join(k.folder, name)
			// ffprobe does not take the pre-skip off; it is 6.5 ms.
			if format, codec, rate, d := probe(t, file); format != "ogg" || codec != "opus" || rate != opusRate || (d-row.Length).Abs() > 10*time.Millisecond {
				t.Errorf("%s: %s, %s, %d Hz, %v of %v", name, format, codec, rate, d, row.Length)
			}
			tool(t, "ffmpeg", "-v", "error", "-i", file, "-f", "null", "-")
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			checkPages(t, content, row.Length)
			torn(t, file, content, row.Length)
		}
	}
}

// checkPages reads a stream as RFC 3533 and RFC 7845 say that it is.
func checkPages(t *testing.T, content []byte, length time.Duration) {
	t.Helper()
	var last []byte
	for n := 0; len(content) > 0; n++ {
		page, ok := nextPage(content)
		if !ok {
			t.Fatalf("page %d is not whole", n)
		}
		content = content[len(page):]
		if got := binary.LittleEndian.Uint32(page[18:]); got != uint32(n) {
			t.Errorf("page %d has the number %d", n, got)
		}
		flags := byte(0)
		if n == 0 {
			flags = oggBegin
		}
		if len(content) == 0 {
			flags = oggEnd
		}
		if page[5] != flags {
			t.Errorf("page %d has the flags %#x, want %#x", n, page[5], flags)
		}
		last = page
	}
	want := uint64(length*opusRate/time.Second) + lookahead
	if got := binary.LittleEndian.Uint64(last[6:]); got != want {
		t.Errorf("it ends at %d, want %d", got, want)
	}
}

// torn cuts a file anywhere, as a crash does, and has it repaired.
func torn(t *testing.T, file string, content []byte, length time.Duration) {
	t.Helper()
	for _, cut := range []int{1, 50, len(content) / 2} {
		content := content[:len(content)-cut]
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		root, err := os.OpenRoot(filepath.Dir(file))
		if err != nil {
			t.Fatal(err)
		}
		size, left, _, err := repair(root, filepath.Base(file))
		root.Close()
		if err != nil || size > int64(len(content)) || left >= length || left > length/2+time.Second && cut > 1000 {
			t.Errorf("%d octets, %v of %v, %v", size, left, length, err)
		}
		if _, _, _, d := probe(t, file); (d - left).Abs() > 10*time.Millisecond {
			t.Errorf("plays for %v, repaired: %v", d, left)
		}
	}
}

// CF10: what other programs decode of an Ogg file with Opus has the right tones, in the
// right places, in the mix and in each track.
func TestOggTones(t *testing.T) {
	s := newStudio(t, nil)
	if err := s.recorder.Check(store.FormatOgg); err != nil {
		codectest.NeedLibrary(t, err)
	}
	a, b := port(t), port(t)
	k := s.begin(store.FormatOgg, true)
	k.Track(a, "ann")
	k.Track(b, "bob")
	k.play(50, 8000, map[*mixerPort]float64{a: 400})
	k.play(100, 8000, map[*mixerPort]float64{a: 400, b: 1100})
	k.play(50, 48000, map[*mixerPort]float64{b: 1100})
	row := k.end(store.RecordingStopped)
	for name, tones := range map[string][3][2]bool{ // seconds 0, 1-2, 3: 400 Hz, 1100 Hz
		"mix": {{true, false}, {true, true}, {false, true}},
		"ann": {{true, false}, {true, false}, {false, false}},
		"bob": {{false, false}, {false, true}, {false, true}},
	} {
		file := filepath.Join(k.folder, name+".ogg")
		if _, codec, _, d := probe(t, file); codec != "opus" || (d-row.Length).Abs() > 10*time.Millisecond {
			t.Errorf("%s: %s, %v", name, codec, d)
		}
		decoded := filepath.Join(t.TempDir(), "decoded.wav")
		tool(t, "ffmpeg", "-v", "error", "-i", file, "-ar", "48000", "-ac", "1", decoded)
		pcm := samples(t, decoded)
		if len(pcm) != 4*opusRate {
			t.Errorf("%s: %d samples", name, len(pcm))
		}
		for i, span := range [3][2]int{{0, 1}, {1, 3}, {3, 4}} {
			part := pcm[span[0]*opusRate+opusRate/5 : span[1]*opusRate-opusRate/5]
			for j, f := range []float64{400, 1100} {
				if l := level(part, opusRate, f); tones[i][j] && (l < 3000 || l > 5000) || !tones[i][j] && l > 100 {
					t.Errorf("%s from %d s has %v Hz at %.0f, wanted: %v", name, span[0], f, l, tones[i][j])
				}
			}
		}
	}
}
