package codec

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// What must hold for every codec: the tick does not allocate, and no payload or
// destination makes it panic (SPEC SE4).

func TestNoAllocation(t *testing.T) {
	registry := All(48000, false)
	if raceEnabled { // it drops what sync.Pool keeps, where calls of libraries have their arguments
		registry = Standard()
	}
	for _, c := range registry.Codecs() {
		encoder, decoder, pcm, payload := stream(t, c)
		n, _ := encoder.Encode(payload, pcm)
		if a := testing.AllocsPerRun(100, func() { _, _ = encoder.Encode(payload, pcm) }); a != 0 {
			t.Errorf("%s: Encode allocates %v times", c.Name, a)
		}
		if a := testing.AllocsPerRun(100, func() { _, _ = decoder.Decode(pcm, payload[:n]) }); a != 0 {
			t.Errorf("%s: Decode allocates %v times", c.Name, a)
		}
	}
}

// TestSeveralFrames: a payload of 60 ms has the audio of three of 20 ms.
func TestSeveralFrames(t *testing.T) {
	for _, c := range Standard().Codecs() {
		frame := c.SampleRate / 50
		pcm := sweep(3 * frame)
		if !slices.Equal(through(t, c, pcm, frame), through(t, c, pcm, 3*frame)) {
			t.Errorf("%s: one payload of 60 ms differs from three of 20 ms", c.Name)
		}
	}
}

// through is what comes out of PCM that is encoded and decoded, with so many samples in
// each payload.
func through(t *testing.T, c Codec, pcm []int16, size int) (out []int16) {
	t.Helper()
	encoder, decoder, _, payload := stream(t, c)
	for part := range slices.Chunk(pcm, size) {
		octets, err := encoder.Encode(payload, part)
		if err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
		decoded := make([]int16, size)
		if n, err := decoder.Decode(decoded, payload[:octets]); n != size || err != nil {
			t.Fatalf("%s: %d samples of %d, %v", c.Name, n, size, err)
		}
		out = append(out, decoded...)
	}
	return out
}

func stream(t testing.TB, c Codec) (Encoder, Decoder, []int16, []byte) {
	t.Helper()
	encoder, err := c.NewEncoder(c.Format)
	if err != nil {
		t.Fatal(err)
	}
	decoder, err := c.NewDecoder(c.Format)
	if err != nil {
		t.Fatal(err)
	}
	frames := max(1, 20*time.Millisecond/c.Frame())
	return encoder, decoder, sweep(c.SampleRate * int(frames*c.Frame()/time.Millisecond) / 1000), make([]byte, 1500)
}

func FuzzPayload(f *testing.F) {
	f.Add([]byte{0, 0x7f, 0x80, 0xff}, uint16(0))
	f.Add(make([]byte, 480), uint16(960))
	registry := All(48000, false)
	f.Fuzz(func(t *testing.T, payload []byte, room uint16) {
		for _, c := range registry.Codecs() {
			encoder, decoder, _, _ := stream(t, c)
			defer release(encoder)
			defer release(decoder)
			pcm := make([]int16, room)
			n, err := decoder.Decode(pcm, payload)
			if n < 0 || n > len(pcm) || (err != nil && n != 0) {
				t.Errorf("%s: %d samples, error %v", c.Name, n, err)
			}
			dst := make([]byte, len(payload))
			if n, err = encoder.Encode(dst, pcm); n < 0 || n > len(dst) || (err != nil && n != 0) {
				t.Errorf("%s: %d octets, error %v", c.Name, n, err)
			}
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	for _, c := range All(48000, false).Codecs() {
		b.Run(fmt.Sprintf("%s-%d", c.Name, c.SampleRate), func(b *testing.B) {
			encoder, _, pcm, payload := stream(b, c)
			b.ReportAllocs()
			for b.Loop() {
				_, _ = encoder.Encode(payload, pcm)
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, c := range All(48000, false).Codecs() {
		b.Run(fmt.Sprintf("%s-%d", c.Name, c.SampleRate), func(b *testing.B) {
			encoder, decoder, pcm, payload := stream(b, c)
			n, _ := encoder.Encode(payload, pcm)
			b.ReportAllocs()
			for b.Loop() {
				_, _ = decoder.Decode(pcm, payload[:n])
			}
		})
	}
}
