package codec

import (
	"time"

	"github.com/conclave-voice/conclave/media/codec/gsm"
)

// GSM is GSM 06.10 full rate.
func GSM() Codec {
	return Codec{
		Format: Format{
			Name: "GSM", ClockRate: 8000, SampleRate: 8000, Channels: 1, PayloadType: 3, FrameTime: 20 * time.Millisecond,
		},
		NewEncoder: func(Format) (Encoder, error) { return &gsm.Encoder{}, nil },
		NewDecoder: func(Format) (Decoder, error) { return gsm.NewDecoder(), nil },
		Backend:    "go",
		Golden:     Golden{PCM: sweep(160), Payload: octets(goldenGSMPayload), Decoded: samples(goldenGSMDecoded)},
	}
}
