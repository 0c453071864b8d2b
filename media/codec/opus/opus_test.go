package opus

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/conclave-voice/conclave/media/codec/codectest"
	"github.com/conclave-voice/conclave/testenv/ogg"
)

func open(t testing.TB) *Library {
	t.Helper()
	return codectest.Open(t, Open)
}

// encode gives one packet for each 20 ms.
func encode(t testing.TB, l *Library, c EncoderConfig, pcm []int16) [][]byte {
	t.Helper()
	e, err := l.NewEncoder(c)
	return codectest.Encode(t, e, err, pcm, c.SampleRate/50, MaxPacket)
}

func decode(t testing.TB, l *Library, rate int, packets [][]byte) []int16 {
	t.Helper()
	d, err := l.NewDecoder(rate)
	return codectest.Decode(t, d, err, packets, rate*3/50)
}

// ffmpeg decodes, at 48 kHz, by FFmpeg's own decoder, which has nothing to do with libopus.
func ffmpeg(t testing.TB, stream []byte, args ...string) []int16 {
	t.Helper()
	return codectest.PCM(codectest.FFmpeg(t, stream, append([]string{"-c:a", "opus", "-f", "ogg", "-i", "-"}, append(args, "-f", "s16le")...)...))
}

// CD1, CD2: what we encode, FFmpeg decodes to the same as libopus.
func TestOthersDecodeOurs(t *testing.T) {
	l := open(t)
	for _, rate := range []int{8000, 16000, 48000} {
		for name, pcm := range sounds(t, rate) {
			packets := encode(t, l, EncoderConfig{SampleRate: rate, FEC: true}, pcm)
			theirs := ffmpeg(t, ogg.Stream(ogg.OpusHeaders(rate), packets, 960))
			ours := decode(t, l, 48000, packets)
			d := codectest.Align(ours[:24000], theirs, 6) // they wait a little more
			alike := codectest.SegmentalSNR(ours, theirs[d:], 48000)
			original := codectest.SNR(pcm, decode(t, l, rate, packets), rate)
			t.Logf("%d Hz, %s: ours against FFmpeg %.1f dB, against the original %.1f dB", rate, name, alike, original)
			if alike < 18 || original < 5 {
				t.Errorf("%d Hz, %s: FFmpeg's decoder and ours differ by %.1f dB; against the original %.1f dB", rate, name, alike, original)
			}
		}
	}
}

// CD1, CD2: what FFmpeg's own encoder gives (CELT), and what it gives by libopus in other
// ways than we would, our decoder decodes as FFmpeg's own does.
func TestWeDecodeOthers(t *testing.T) {
	l := open(t)
	pcm := codectest.Speech(t, "flite", codectest.Sentence, "48000")
	for name, encoder := range map[string][]string{
		"FFmpeg":              {"-c:a", "opus", "-strict", "-2", "-b:a", "64k"},
		"libopus, hybrid":     {"-c:a", "libopus", "-application", "voip", "-b:a", "32k"},
		"libopus, 60 ms":      {"-c:a", "libopus", "-application", "voip", "-frame_duration", "60", "-b:a", "12k"},
		"libopus, 2.5 ms":     {"-c:a", "libopus", "-application", "lowdelay", "-frame_duration", "2.5", "-b:a", "64k"},
		"libopus, 2 channels": {"-ac", "2", "-c:a", "libopus", "-b:a", "64k"},
	} {
		args := append([]string{"-f", "s16le", "-ar", "48000", "-ac", "1", "-i", "-"}, encoder...)
		stream := codectest.FFmpeg(t, codectest.Bytes(pcm), append(args, "-f", "ogg")...)
		theirs := ffmpeg(t, stream, "-ac", "1")
		ours := decode(t, l, 48000, ogg.Packets(stream))
		// Programs skip what the header says is not audio, a decoder does not.
		d := codectest.Align(theirs[:24000], ours, 400)
		alike := codectest.SegmentalSNR(theirs, ours[d:], 48000)
		t.Logf("%s: %.1f dB", name, alike)
		if alike < 25 {
			t.Errorf("%s: FFmpeg's decoder and ours differ by %.1f dB", name, alike)
		}
		for _, rate := range []int{8000, 16000} {
			if n := len(decode(t, l, rate, ogg.Packets(stream))); n != len(ours)*rate/48000 {
				t.Errorf("%s: %d samples at %d Hz, %d at 48000 Hz", name, n, rate, len(ours))
			}
		}
	}
}

func sounds(t testing.TB, rate int) map[string][]int16 {
	speechRate := strconv.Itoa(rate)
	return map[string][]int16{
		"speech": codectest.Speech(t, "flite", codectest.Sentence, speechRate),
		"tone":   codectest.Tone(rate, 2*rate, 440, 8000),
	}
}

// CD3: with in-band FEC a lost packet is made again from the next one, far better than by
// concealment.
func TestRecover(t *testing.T) {
	l := open(t)
	const rate, frame = 16000, 320
	pcm := codectest.Speech(t, "flite", codectest.Sentence, "16000")
	c := EncoderConfig{SampleRate: rate, FEC: true}
	e, err := l.NewEncoder(c)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	e.SetLoss(0.1)
	var packets [][]byte
	for from := 0; from+frame <= len(pcm); from += frame {
		dst := make([]byte, MaxPacket)
		n, err := e.Encode(dst, pcm[from:from+frame])
		if err != nil {
			t.Fatal(err)
		}
		packets = append(packets, dst[:n])
	}
	whole := decode(t, l, rate, packets)
	run := func(recover bool) float64 {
		d, err := l.NewDecoder(rate)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		random := rand.New(rand.NewPCG(1, 2))
		out := make([]int16, len(packets)*frame)
		for i, p := range packets {
			at := out[i*frame : (i+1)*frame]
			switch {
			case random.Float64() >= 0.1:
				if _, err := d.Decode(at, p); err != nil {
					t.Fatal(err)
				}
			case recover && i+1 < len(packets):
				if d.Recover(at, packets[i+1]) != frame {
					t.Fatal("not recovered")
				}
			default:
				if d.Conceal(at) != frame {
					t.Fatal("not concealed")
				}
			}
		}
		return codectest.SegmentalSNR(whole, out, rate)
	}
	concealed, recovered := run(false), run(true)
	t.Logf("10 %% lost, against none lost: concealed %.1f dB, recovered %.1f dB", concealed, recovered)
	if recovered < concealed+1 {
		t.Errorf("recovery gains %.1f dB", recovered-concealed)
	}
}

// An encoder that took another's state over goes on just as the other does.
func TestCopyState(t *testing.T) {
	l := open(t)
	c := EncoderConfig{SampleRate: 48000}
	make3 := func(c EncoderConfig) *Encoder {
		e, err := l.NewEncoder(c)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(e.Close)
		return e
	}
	a, b, other := make3(c), make3(c), make3(EncoderConfig{SampleRate: 48000, FEC: true})
	pcm := codectest.Tone(48000, 48000, 300, 9000)
	x, y := make([]byte, MaxPacket), make([]byte, MaxPacket)
	for i := range 50 {
		frame := pcm[i*960:][:960]
		if i == 25 && !b.CopyState(a) {
			t.Fatal("not copied")
		}
		n, err := a.Encode(x, frame)
		if err != nil {
			t.Fatal(err)
		}
		if i < 25 {
			continue
		}
		if m, err := b.Encode(y, frame); err != nil || !slices.Equal(x[:n], y[:m]) {
			t.Fatalf("packet %d differs (%v)", i, err)
		}
	}
	if other.CopyState(a) {
		t.Error("the state of an encoder that was made otherwise was taken")
	}
	b.Close()
	if b.CopyState(a) || a.CopyState(b) {
		t.Error("the state of a closed encoder was copied")
	}
}

// What the peer asks for is what it is sent.
func TestConfiguration(t *testing.T) {
	l := open(t)
	speech := codectest.Speech(t, "flite", codectest.Sentence, "48000")
	rate := func(c EncoderConfig) float64 {
		octets := 0
		packets := encode(t, l, c, speech)
		for _, p := range packets {
			octets += len(p)
		}
		return float64(octets*8) / (float64(len(packets)) / 50)
	}
	if r := rate(EncoderConfig{SampleRate: 48000, MaxBitrate: 12000}); r > 14000 {
		t.Errorf("%.0f bit/s where 12000 are wanted", r)
	}
	sizes := map[int]bool{}
	for _, p := range encode(t, l, EncoderConfig{SampleRate: 48000, Constant: true}, speech) {
		sizes[len(p)] = true
	}
	if len(sizes) != 1 {
		t.Errorf("packets of a constant rate have %d sizes", len(sizes))
	}
	sent := 0
	for _, p := range encode(t, l, EncoderConfig{SampleRate: 16000, Silence: true}, make([]int16, 32000)) {
		sent += number(len(p) > 0)
	}
	if sent > 40 {
		t.Errorf("%d packets of 100 are sent in silence", sent)
	}
	for _, p := range encode(t, l, EncoderConfig{SampleRate: 48000, MaxPlayback: 8000}, speech) {
		if c := p[0] >> 3; c > 3 && !(c >= 16 && c < 20) { // RFC 6716 section 3.1: configurations of narrowband
			t.Fatalf("configuration %d for a peer that plays 8 kHz", c)
		}
	}
}

func TestRefusals(t *testing.T) { // SE4
	l := open(t)
	if _, err := l.NewEncoder(EncoderConfig{SampleRate: 44100}); err == nil {
		t.Error("an encoder at 44.1 kHz")
	}
	d, err := l.NewDecoder(48000)
	if err != nil {
		t.Fatal(err)
	}
	pcm := make([]int16, 2880)
	for name, p := range map[string][]byte{"nothing": nil, "too long": make([]byte, MaxPacket+1), "120 ms": {0xff, 0x06, 1, 2, 3, 4, 5, 6}, "bad length": {0xff, 0x80}} {
		if n, err := d.Decode(pcm, p); err == nil || n != 0 {
			t.Errorf("%s: %d samples", name, n)
		}
	}
	packets := encode(t, l, EncoderConfig{SampleRate: 48000}, codectest.Tone(48000, 960, 440, 1000))
	if n, err := d.Decode(pcm[:959], packets[0]); err == nil || n != 0 {
		t.Errorf("%d samples where there is no room", n)
	}
	d.Close()
	if _, err := d.Decode(pcm, packets[0]); err == nil || d.Conceal(pcm) != 0 || d.Recover(pcm, packets[0]) != 0 {
		t.Error("decoded after Close")
	}
}

func FuzzDecode(f *testing.F) {
	l := open(f)
	f.Add([]byte{0xfc, 0xff, 0xfe}, uint16(960))
	f.Add([]byte{0x4b, 0x41, 0x10, 0x0b}, uint16(2880))
	f.Fuzz(func(t *testing.T, packet []byte, room uint16) {
		d, err := l.NewDecoder(48000)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		pcm := make([]int16, room%4000)
		for range 2 {
			if n, err := d.Decode(pcm, packet); n < 0 || n > len(pcm) || err != nil && n != 0 {
				t.Errorf("%d samples, error %v", n, err)
			}
			if n := d.Recover(pcm, packet); n < 0 || n > len(pcm) {
				t.Errorf("recovered %d samples", n)
			}
		}
	})
}
