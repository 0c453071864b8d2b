package lpc

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/conclave-voice/conclave/media/codec/codectest"
)

func encode(t testing.TB, pcm []int16) []byte {
	t.Helper()
	payload := make([]byte, len(pcm)/FrameSamples*FrameOctets)
	e := NewEncoder()
	for i := 0; i < len(pcm); i += FrameSamples {
		if n, err := e.Encode(payload[i/FrameSamples*FrameOctets:], pcm[i:i+FrameSamples]); n != FrameOctets || err != nil {
			t.Fatal(n, err)
		}
	}
	return payload
}

func decode(t testing.TB, payload []byte) []int16 {
	t.Helper()
	pcm := make([]int16, len(payload)/FrameOctets*FrameSamples)
	if n, err := NewDecoder().Decode(pcm, payload); n != len(pcm) || err != nil {
		t.Fatal(n, err)
	}
	return pcm
}

// periods are the pitch periods of the frames of a payload, in samples.
func periods(payload []byte) (all []float64) {
	for i := 0; i < len(payload); i += FrameOctets {
		p := get((*[FrameOctets]byte)(payload[i:]))
		all = append(all, p.period)
	}
	return all
}

// vowel is a second of pulses of a pitch in Hz through three resonances.
func vowel(hz float64) []int16 {
	pcm := make([]int16, 8000)
	var memory [3][2]float64
	phase := 0.0
	for i := range pcm {
		s := 0.0
		if phase += hz / 8000; phase >= 1 {
			phase--
			s = 150000
		}
		for f, formant := range []float64{700, 1200, 2600} {
			m, r := &memory[f], 0.97
			s += 2*r*math.Cos(2*math.Pi*formant/8000)*m[0] - r*r*m[1]
			m[1], m[0] = m[0], s
			s *= 0.3
		}
		pcm[i] = int16(max(-32768, min(s, 32767)))
	}
	return pcm
}

func level(pcm []int16) float64 {
	sum := 1.0
	for _, s := range pcm {
		sum += float64(s) * float64(s)
	}
	return 10 * math.Log10(sum/float64(len(pcm)))
}

// TestPitch: the period of a voice is found, and is that of what is decoded.
func TestPitch(t *testing.T) {
	for _, hz := range []float64{70, 100, 133, 170, 210, 260, 320} {
		payload := encode(t, vowel(hz))
		for name, p := range map[string][]byte{"encoded": payload, "decoded and encoded again": encode(t, decode(t, payload))} {
			for i, period := range periods(p)[5:] {
				if math.Abs(period*hz/8000-1) > 0.03 {
					t.Errorf("%.0f Hz, %s: frame %d has a period of %.1f samples, want %.1f", hz, name, 5+i, period, 8000/hz)
					break
				}
			}
		}
	}
}

// TestNoise is not voiced, and keeps its level.
func TestNoise(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 3))
	for _, amplitude := range []float64{100, 1000, 6000} {
		pcm := make([]int16, 8000)
		for i := range pcm {
			pcm[i] = int16(amplitude * random.NormFloat64() / 3)
		}
		payload := encode(t, pcm)
		voiced := 0
		for _, p := range periods(payload) {
			if p > 0 {
				voiced++
			}
		}
		off := level(decode(t, payload)) - level(pcm)
		t.Logf("noise of %.0f: %d of 50 frames are voiced, level off by %.1f dB", amplitude, voiced, off)
		if voiced > 3 || math.Abs(off) > 2 {
			t.Errorf("noise of %.0f: %d of 50 frames are voiced, level off by %.1f dB", amplitude, voiced, off)
		}
	}
}

// TestVowelsKeepTheirLevel, from loud to quiet.
func TestVowelsKeepTheirLevel(t *testing.T) {
	for _, shift := range []int{0, 2, 4, 6} {
		pcm := vowel(120)
		for i := range pcm {
			pcm[i] >>= shift
		}
		off := level(decode(t, encode(t, pcm))) - level(pcm)
		t.Logf("%.0f dB: off by %.1f dB", level(pcm), off)
		if math.Abs(off) > 2 {
			t.Errorf("%d dB lower: level off by %.1f dB", 6*shift, off)
		}
	}
}

func TestSilence(t *testing.T) {
	payload := encode(t, append(vowel(120), make([]int16, 4*FrameSamples)...))
	if tail := payload[len(payload)-2*FrameOctets:]; !bytes.Equal(tail, make([]byte, 2*FrameOctets)) {
		t.Errorf("silence is %x", tail)
	}
	pcm := decode(t, append(payload, make([]byte, 10*FrameOctets)...))
	if l := level(pcm[len(pcm)-FrameSamples:]); l > 0 {
		t.Errorf("after 200 ms of silence the level is %.1f dB", l)
	}
}

// TestSpeechIsUnderstood proves SPEC CD1 for LPC as far as it can be without an
// implementation that is not ours: what voices say comes through. What a frame says is
// of a time 10 ms before it is heard.
func TestSpeechIsUnderstood(t *testing.T) {
	for _, program := range []string{"flite", "espeak-ng"} {
		pcm := codectest.Speech(t, program, "We were away a year ago, you know, and all our women are in Rome now. "+
			"Please say your name after the tone, and then press the pound key to join the others in the room. "+
			"She sells sea shells, six of them, for fifty cents each.", "8000")
		pcm = pcm[:len(pcm)/FrameSamples*FrameSamples]
		payload := encode(t, pcm)
		decoded := decode(t, payload)
		understood := codectest.Intelligibility(pcm, decoded[80:])
		off := level(decoded) - level(pcm)
		voiced, jumps := track(periods(payload))
		t.Logf("%s: intelligibility %.3f, level off by %.1f dB, pitch jumps %d times in %d voiced frames", program, understood, off, jumps, voiced)
		if understood < 0.85 || math.Abs(off) > 1.5 || jumps > voiced/10 {
			t.Errorf("%s: intelligibility %.3f, level off by %.1f dB, pitch jumps %d times in %d voiced frames", program, understood, off, jumps, voiced)
		}
	}
}

// track counts the voiced frames, and how often the pitch jumps within a voice: by more
// than a fifth.
func track(periods []float64) (voiced, jumps int) {
	last := 0.0
	for _, p := range periods {
		if p > 0 {
			voiced++
			if last > 0 && max(p/last, last/p) > 1.2 {
				jumps++
			}
		}
		last = p
	}
	return voiced, jumps
}

// TestConceals: what a lost frame had goes on, fading, and there is nothing where
// nothing was.
func TestConceals(t *testing.T) {
	d, pcm := NewDecoder(), make([]int16, FrameSamples)
	if n := d.Conceal(pcm); n != 0 {
		t.Errorf("concealed %d samples before the first frame", n)
	}
	payload := encode(t, vowel(120))
	before := make([]int16, 8000)
	if _, err := d.Decode(before, payload); err != nil {
		t.Fatal(err)
	}
	if n := d.Conceal(pcm); n != FrameSamples {
		t.Fatalf("concealed %d samples", n)
	}
	if off := level(pcm) - level(before[7000:]); off < -5 || off > 1 {
		t.Errorf("the level is off by %.1f dB", off)
	}
}

func TestRefusals(t *testing.T) {
	if _, err := NewEncoder().Encode(make([]byte, 100), make([]int16, 161)); err == nil {
		t.Error("encoded 161 samples")
	}
	if _, err := NewEncoder().Encode(make([]byte, 27), make([]int16, 320)); err == nil {
		t.Error("encoded two frames into 27 octets")
	}
	if _, err := NewDecoder().Decode(make([]int16, 320), make([]byte, 27)); err == nil {
		t.Error("decoded 27 octets")
	}
	if _, err := NewDecoder().Decode(make([]int16, 319), make([]byte, 28)); err == nil {
		t.Error("decoded two frames into 319 samples")
	}
}

// FuzzDecode: no payload makes the decoder panic, or write more than there is room
// for (SPEC SE4), or heard for long: a second of silence later it is silent.
func FuzzDecode(f *testing.F) {
	f.Add([]byte{}, uint16(0))
	f.Add(bytes.Repeat([]byte{0x7f}, 14), uint16(160))
	f.Add(bytes.Repeat([]byte{0x80}, 28), uint16(320))
	f.Add(bytes.Repeat([]byte{0xff}, 42), uint16(480))
	f.Add(append([]byte{0, 0}, bytes.Repeat([]byte{0x81}, 12)...), uint16(160))
	f.Add(codectest.Octets(140), uint16(1600))
	f.Fuzz(func(t *testing.T, payload []byte, room uint16) {
		d, pcm := NewDecoder(), make([]int16, room)
		for range 3 {
			if n, err := d.Decode(pcm, payload); n < 0 || n > len(pcm) || (err != nil && n != 0) {
				t.Errorf("%d samples, error %v", n, err)
			}
		}
		rest := make([]int16, 50*FrameSamples)
		if _, err := d.Decode(rest, make([]byte, 50*FrameOctets)); err != nil {
			t.Fatal(err)
		}
		if l := level(rest[49*FrameSamples:]); l > 0 {
			t.Errorf("a second of silence later the level is %.1f dB", l)
		}
	})
}
