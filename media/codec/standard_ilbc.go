package codec

import (
	"time"

	"github.com/conclave-voice/conclave/media/codec/ilbc"
)

// ILBC is iLBC. Peers choose between frames of 20 ms, at 15.2 kbit/s, and of 30 ms, at
// 13.33 kbit/s; we ask for 20, and take both.
func ILBC() Codec {
	return Codec{
		Format: Format{
			Name: "iLBC", ClockRate: 8000, SampleRate: 8000, Channels: 1, PayloadType: -1,
			FrameTime: 20 * time.Millisecond, Fmtp: "mode=20",
		},
		NewEncoder: func(f Format) (Encoder, error) { return ilbc.NewEncoder(f.Frame()) },
		NewDecoder: func(f Format) (Decoder, error) { return ilbc.NewDecoder(f.Frame()) },
		Backend:    "go",
		// Floating point may differ in its last bits between processors, and so the bits
		// that an encoder chooses: only the level is tried.
		Golden: Golden{PCM: buzz(480)}, // whole frames of either mode
	}
}

// buzz is golden audio for codecs of speech: a sawtooth of 100 Hz at 8000 Hz, n samples.
func buzz(n int) []int16 {
	pcm := make([]int16, n)
	for i := range pcm {
		pcm[i] = int16(8000 - 200*(i%80))
	}
	return pcm
}
