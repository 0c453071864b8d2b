package codec

import (
	"fmt"

	"github.com/conclave-voice/conclave/media/codec/g726"
)

// G726 is G.726 at a rate of 16, 24, 32 or 40 kbit/s, packed as RFC 3551 section
// 4.5.4 has it.
func G726(kbits int) Codec {
	return adaptive(fmt.Sprintf("G726-%d", kbits), kbits, g726.LittleEndian, goldenG726[kbits])
}

// AAL2G726 is the same packed as ITU-T I.366.2 has it. Some telephones do so
// whatever name they have negotiated.
func AAL2G726(kbits int) Codec {
	return adaptive(fmt.Sprintf("AAL2-G726-%d", kbits), kbits, g726.BigEndian, goldenAAL2G726[kbits])
}

func adaptive(name string, kbits int, order g726.Order, g golden) Codec {
	tables, err := g726.New(kbits, order)
	return Codec{
		Format: Format{Name: name, ClockRate: 8000, SampleRate: 8000, Channels: 1, PayloadType: -1},
		NewEncoder: func(Format) (Encoder, error) {
			if err != nil {
				return nil, err
			}
			return tables.NewEncoder(), nil
		},
		NewDecoder: func(Format) (Decoder, error) {
			if err != nil {
				return nil, err
			}
			return tables.NewDecoder(), nil
		},
		Backend: "go",
		Golden:  Golden{PCM: sweep(80), Payload: octets(g.payload), Decoded: samples(g.decoded)},
	}
}
