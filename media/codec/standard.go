package codec

import (
	"encoding/binary"
	"encoding/hex"

	"github.com/conclave-voice/conclave/media/codec/g711"
	"github.com/conclave-voice/conclave/media/codec/g722"
)

// Standard has the codecs that need nothing but this program: the two that every
// peer has, G.722, and the others of RFC 3551, the more often met and the better
// sounding first. Who prefers wideband makes a registry in another order.
func Standard() *Registry { return NewRegistry(standard()...) }

func standard() []Codec {
	return []Codec{PCMU(), PCMA(), G722(), ILBC(), G726(32), GSM(), DVI4(8000), DVI4(16000), G726(40), G726(24), G726(16), LPC()}
}

// PCMU is G.711 with the µ-law.
func PCMU() Codec {
	return companded("PCMU", 0, g711.MuLaw(), goldenMuPayload, goldenMuDecoded)
}

// PCMA is G.711 with the A-law.
func PCMA() Codec {
	return companded("PCMA", 8, g711.ALaw(), goldenAPayload, goldenADecoded)
}

func companded(name string, payloadType int, law *g711.Law, payload, decoded string) Codec {
	return Codec{
		Format:     Format{Name: name, ClockRate: 8000, SampleRate: 8000, Channels: 1, PayloadType: payloadType},
		NewEncoder: func(Format) (Encoder, error) { return law, nil },
		NewDecoder: func(Format) (Decoder, error) { return law, nil },
		Backend:    "go",
		Stateless:  true,
		Golden:     Golden{PCM: sweep(80), Payload: octets(payload), Decoded: samples(decoded)},
	}
}

// G722 is G.722 at 64 kbit/s.
func G722() Codec {
	codec := g722.New()
	return Codec{
		Format:     Format{Name: "G722", ClockRate: 8000, SampleRate: 16000, Channels: 1, PayloadType: 9},
		NewEncoder: func(Format) (Encoder, error) { return g722Encoder{codec.NewEncoder()}, nil },
		NewDecoder: func(Format) (Decoder, error) { return codec.NewDecoder(), nil },
		Backend:    "go",
		Golden:     Golden{PCM: sweep(160), Payload: octets(goldenG722Payload), Decoded: samples(goldenG722Decoded)},
	}
}

// g722Encoder is a StateCopier.
type g722Encoder struct{ *g722.Encoder }

func (e g722Encoder) CopyState(from Encoder) bool {
	other, ok := from.(g722Encoder)
	if ok {
		e.Encoder.CopyState(other.Encoder)
	}
	return ok
}

// sweep is golden audio of n samples: a wave whose loudness and pitch both grow,
// in whole numbers so that it is the same everywhere.
func sweep(n int) []int16 {
	pcm := make([]int16, n)
	for i := range pcm {
		loudness := 30000 * i * i / (n * n)
		phase := i * i % 256 // quadratic, so the pitch rises
		triangle := phase - 64
		if phase >= 128 {
			triangle = 192 - phase
		}
		pcm[i] = int16(loudness*triangle/64 | 1) // odd: on no decision of G.711
	}
	return pcm
}

// octets reads golden data. A wrong digit in it makes the codec fail its trial.
func octets(text string) []byte {
	b, err := hex.DecodeString(text)
	if err != nil {
		return []byte{}
	}
	return b
}

// samples reads golden PCM, big-endian.
func samples(text string) []int16 {
	b := octets(text)
	pcm := make([]int16, len(b)/2)
	for i := range pcm {
		pcm[i] = int16(binary.BigEndian.Uint16(b[2*i:]))
	}
	return pcm
}
