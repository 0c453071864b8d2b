package codec

import "github.com/conclave-voice/conclave/media/codec/dvi4"

// DVI4 is DVI4 at a rate of 8000 or 16000 Hz, which is 32 or 64 kbit/s. At other
// rates it has a dynamic payload type.
func DVI4(rate int) Codec {
	payloadType := -1
	switch rate {
	case 8000:
		payloadType = 5
	case 16000:
		payloadType = 6
	}
	return Codec{
		Format:     Format{Name: "DVI4", ClockRate: rate, SampleRate: rate, Channels: 1, PayloadType: payloadType},
		NewEncoder: func(Format) (Encoder, error) { return &dvi4.Encoder{}, nil },
		NewDecoder: func(Format) (Decoder, error) { return dvi4.Decoder{}, nil },
		Backend:    "go",
		Golden:     Golden{PCM: sweep(80), Payload: octets(goldenDVI4Payload), Decoded: samples(goldenDVI4Decoded)},
	}
}
