package ilbc

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/media/codec/codectest"
)

const text = "We were away a year ago, you know, and all our women are in Rome now. " +
	"Please say your name after the tone, and then press the pound key to join the others in the room."

// frames are both modes, by what NewEncoder and NewDecoder are told.
var frames = map[time.Duration]*mode{20 * time.Millisecond: &mode20, 30 * time.Millisecond: &mode30}

// speech is three seconds of a sentence: whole frames of either mode.
func speech(t testing.TB, program string) []int16 {
	t.Helper()
	return codectest.Speech(t, program, text, "8000")[:50*480]
}

func encode(t testing.TB, length time.Duration, pcm []int16) []byte {
	t.Helper()
	e, err := NewEncoder(length)
	if err != nil {
		t.Fatal(err)
	}
	m := frames[length]
	payload := make([]byte, len(pcm)/m.samples*m.octets)
	for i := range len(pcm) / m.samples {
		if n, err := e.Encode(payload[i*m.octets:], pcm[i*m.samples:][:m.samples]); n != m.octets || err != nil {
			t.Fatal(n, err)
		}
	}
	return payload
}

// decode decodes frame by frame; plain is without the enhancer.
func decode(t testing.TB, length time.Duration, payload []byte, plain bool) []int16 {
	t.Helper()
	d, err := NewDecoder(length)
	if err != nil {
		t.Fatal(err)
	}
	d.plain = plain
	m := frames[length]
	pcm := make([]int16, len(payload)/m.octets*m.samples)
	for i := range len(payload) / m.octets {
		if n, err := d.Decode(pcm[i*m.samples:], payload[i*m.octets:][:m.octets]); n != m.samples || err != nil {
			t.Fatal(n, err)
		}
	}
	return pcm
}

// snr is the segmental SNR of audio that has passed encoder and decoder. It may be late.
// Both high-pass filters turn phases, which is no noise, so the original passes them too.
func snr(original, coded []int16) float64 {
	reference := make([]int16, len(original))
	input, output := newInputFilter(), newOutputFilter()
	for i, s := range original {
		reference[i] = rounded(output.next(input.next(float64(s))))
	}
	return codectest.SegmentalSNR(reference, coded[codectest.Align(reference, coded, 100):], 8000)
}

// TestOwnRoundTrip proves CD1 for our two ends together, and that the enhancer changes
// little: speech comes back with the error of a coder of this rate, evenly over the
// spectrum, after the delay that is promised.
func TestOwnRoundTrip(t *testing.T) {
	for _, program := range []string{"flite", "espeak-ng"} {
		pcm := speech(t, program)
		for length, m := range frames {
			payload := encode(t, length, pcm)
			enhancedPCM, plain := decode(t, length, payload, false), decode(t, length, payload, true)
			if late := codectest.Align(plain, enhancedPCM, 100); late != m.delay {
				t.Errorf("%v: enhanced audio is %d samples late, want %d", length, late, m.delay)
			}
			got, without := snr(pcm, enhancedPCM), snr(pcm, plain)
			distance := spectralDistance(pcm, plain)
			t.Logf("%s, %v: segmental SNR %.1f dB, without the enhancer %.1f dB; spectra differ by %.1f dB", program, length, got, without, distance)
			if got < 7 || without < 7.5 || distance > 5 {
				t.Errorf("%s, %v: too far from the original", program, length)
			}
		}
	}
}

// spectralDistance is by how many dB the levels in bands of 250 Hz differ, up to 3500 Hz:
// root mean square over bands and segments of 32 ms that are not silent.
func spectralDistance(reference, degraded []int16) float64 {
	const segment, bands = 256, 14
	sum, count := 0.0, 0
	for from := 0; from+segment <= min(len(reference), len(degraded)); from += segment {
		a, b := levels(reference[from:from+segment], bands), levels(degraded[from:from+segment], bands)
		if slices.Max(a) < 40 {
			continue
		}
		for i := range a {
			if a[i] > slices.Max(a)-40 {
				sum += (a[i] - b[i]) * (a[i] - b[i])
				count++
			}
		}
	}
	return math.Sqrt(sum / float64(count))
}

// levels of a segment in bands of 250 Hz, in dB, through a Hann window.
func levels(segment []int16, bands int) []float64 {
	n := len(segment)
	wave, seen := make([]float64, n), make([]float64, n)
	for i, s := range segment {
		wave[i] = math.Cos(2 * math.Pi * float64(i) / float64(n))
		seen[i] = float64(s) * (1 - wave[i]) / 2
	}
	all := make([]float64, bands)
	for k := 1; k <= 8*bands; k++ {
		re, im := 0.0, 0.0
		for i, x := range seen {
			re, im = re+x*wave[i*k%n], im+x*wave[(i*k+n/4)%n]
		}
		all[(k-1)/8] += re*re + im*im
	}
	for i := range all {
		all[i] = 10 * math.Log10(all[i]/float64(n)+1)
	}
	return all
}

// TestEitherModeIsUnderstood: a peer that sends the other frames than agreed, or changes
// between them, is heard (CD1); a payload may have several frames.
func TestEitherModeIsUnderstood(t *testing.T) {
	pcm := speech(t, "flite")
	d, err := NewDecoder(20 * time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	encoded := map[bool][]byte{false: encode(t, 20*time.Millisecond, pcm), true: encode(t, 30*time.Millisecond, pcm)}
	out := make([]int16, len(pcm))
	for i := range len(pcm) / 480 { // 60 ms, three frames or two
		all := encoded[i/10%2 == 1]
		size := len(all) / (len(pcm) / 480)
		if n, err := d.Decode(out[i*480:], all[i*size:][:size]); n != 480 || err != nil {
			t.Fatalf("payload %d of %d octets: %d samples, %v", i, size, n, err)
		}
	}
	distance := spectralDistance(pcm, out[codectest.Align(pcm, out, 100):])
	t.Logf("spectra differ by %.1f dB", distance)
	if distance > 5 {
		t.Errorf("spectra differ by %.1f dB", distance)
	}
}

func TestLengths(t *testing.T) {
	for octets, want := range map[int]*mode{
		0: nil, 1: nil, 37: nil, 38: &mode20, 39: nil, 50: &mode30, 76: &mode20, 88: nil, 100: &mode30, 114: &mode20,
	} {
		for _, agreed := range frames {
			if got := modeFor(octets, agreed); got != want {
				t.Errorf("%d octets are taken for %+v", octets, got)
			}
		}
	}
	if modeFor(950, &mode20) != &mode20 || modeFor(950, &mode30) != &mode30 {
		t.Error("950 octets are not what was agreed")
	}
}

func TestRefusals(t *testing.T) {
	if _, err := NewEncoder(10 * time.Millisecond); err == nil {
		t.Error("made an encoder for frames of 10 ms")
	}
	if _, err := NewDecoder(0); err == nil {
		t.Error("made a decoder for frames of 0 ms")
	}
	e, _ := NewEncoder(20 * time.Millisecond)
	if _, err := e.Encode(make([]byte, 100), make([]int16, 240)); err == nil {
		t.Error("encoded one frame and a half")
	}
	if _, err := e.Encode(make([]byte, 75), make([]int16, 320)); err == nil {
		t.Error("encoded two frames into 75 octets")
	}
	d, _ := NewDecoder(20 * time.Millisecond)
	if _, err := d.Decode(make([]int16, 239), make([]byte, 50)); err == nil {
		t.Error("decoded 30 ms into 239 samples")
	}
	if n, err := d.Decode(make([]int16, 480), make([]byte, 88)); err == nil || n != 0 {
		t.Error("decoded a frame of each mode in one payload")
	}
}

// TestLevels: silence stays silent, and full scale is survived.
func TestLevels(t *testing.T) {
	random := rand.New(rand.NewPCG(8, 8))
	full := make([]int16, 4800)
	for i := range full {
		full[i] = [2]int16{-32768, 32767}[random.IntN(2)]
	}
	for length := range frames {
		for _, s := range decode(t, length, encode(t, length, make([]int16, 4800)), false) {
			if s > 30 || s < -30 {
				t.Fatalf("%v: silence becomes %d", length, s)
			}
		}
		loud := decode(t, length, encode(t, length, full), false)
		if e := rms(loud); e < 8000 {
			t.Errorf("%v: noise at full scale comes back with %.0f", length, e)
		}
	}
}

// TestOverloadEnds: the worst that indices can ask for, a resonance without any damping
// struck at the highest level again and again, is over when it ends (SE4).
func TestOverloadEnds(t *testing.T) {
	worst := frame{start: 1, scale: 63}
	worst.spectra[0] = [3]uint8{3, 3, 0} // two frequencies are the same
	for i := range worst.state {
		worst.state[i] = 7
	}
	payload, pcm := make([]byte, mode20.octets), make([]int16, mode20.samples)
	worst.pack(&mode20, payload)
	d, _ := NewDecoder(20 * time.Millisecond)
	for range 1000 {
		_, _ = d.Decode(pcm, payload)
	}
	if rms(pcm) < 10000 {
		t.Errorf("it is not loud: %.0f", rms(pcm))
	}
	silence := encode(t, 20*time.Millisecond, make([]int16, 1600))
	for i := 0; i < len(silence); i += mode20.octets {
		_, _ = d.Decode(pcm, silence[i:i+mode20.octets])
	}
	if rms(pcm) > 30 {
		t.Errorf("after 200 ms of silence there is still %.0f", rms(pcm))
	}
}

func rms(pcm []int16) float64 {
	sum := 0.0
	for _, s := range pcm {
		sum += float64(s) * float64(s)
	}
	return math.Sqrt(sum / float64(len(pcm)))
}

func TestNoAllocation(t *testing.T) {
	for length, m := range frames {
		pcm, payload := codectest.Tone(8000, m.samples, 300, 8000), make([]byte, m.octets)
		e, _ := NewEncoder(length)
		d, _ := NewDecoder(length)
		if n := testing.AllocsPerRun(20, func() { _, _ = e.Encode(payload, pcm) }); n != 0 {
			t.Errorf("%v: Encode allocates %v times", length, n)
		}
		if n := testing.AllocsPerRun(20, func() { _, _ = d.Decode(pcm, payload); d.Conceal(pcm) }); n != 0 {
			t.Errorf("%v: Decode and Conceal allocate %v times", length, n)
		}
	}
}

// FuzzDecoder: no payload makes the decoder panic, or write what it does not say (SE4).
func FuzzDecoder(f *testing.F) {
	random := rand.New(rand.NewPCG(4, 4))
	for _, n := range []int{0, 38, 50, 76, 100, 950} {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(random.Uint32())
		}
		f.Add(b, uint16(480))
	}
	f.Fuzz(func(t *testing.T, payload []byte, room uint16) {
		d, _ := NewDecoder(20 * time.Millisecond)
		pcm := make([]int16, room)
		for range 3 {
			if n, err := d.Decode(pcm, payload); n < 0 || n > len(pcm) || (err != nil && n != 0) {
				t.Errorf("%d samples, %v", n, err)
			}
			if n := d.Conceal(pcm); n > len(pcm) {
				t.Errorf("concealed %d samples", n)
			}
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	for length, m := range frames {
		b.Run(length.String(), func(b *testing.B) {
			pcm, payload := speech(b, "flite"), make([]byte, m.octets)
			e, _ := NewEncoder(length)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				_, _ = e.Encode(payload, pcm[i*m.samples%len(pcm):][:m.samples])
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	for length, m := range frames {
		b.Run(length.String(), func(b *testing.B) {
			pcm := speech(b, "flite")
			payload := encode(b, length, pcm)
			d, _ := NewDecoder(length)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				_, _ = d.Decode(pcm, payload[i*m.octets%len(payload):][:m.octets])
			}
		})
	}
}
