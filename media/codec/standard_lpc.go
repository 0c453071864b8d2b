package codec

import (
	"time"

	"github.com/conclave-voice/conclave/media/codec/lpc"
)

// LPC is the vocoder of RFC 3551 section 4.5.9.
func LPC() Codec {
	return Codec{
		Format: Format{
			Name: "LPC", ClockRate: 8000, SampleRate: 8000, Channels: 1, PayloadType: 7, FrameTime: 20 * time.Millisecond,
		},
		NewEncoder: func(Format) (Encoder, error) { return lpc.NewEncoder(), nil },
		NewDecoder: func(Format) (Decoder, error) { return lpc.NewDecoder(), nil },
		Backend:    "go",
		// Its arithmetic has floating point, which may differ in the last bit from one
		// processor to another: only the level is tried, of what is not too loud for it.
		Golden: Golden{PCM: soft(sweep(480))},
	}
}

// soft makes audio 18 dB quieter.
func soft(pcm []int16) []int16 {
	for i := range pcm {
		pcm[i] /= 8
	}
	return pcm
}
