package codec

import (
	"bytes"
	"fmt"
	"slices"
)

// Golden is a piece of audio with what a codec must make of it.
type Golden struct {
	PCM []int16 // what is encoded, a whole multiple of FrameTime; nil: the codec is not tried
	// Packet is how many samples of PCM are encoded at once, where a Payload is not given:
	// 0 is all of them.
	Packet int
	// Payload is what the encoder must give, to the bit. Nil where implementations
	// may differ; then what was encoded is decoded.
	Payload []byte
	// Decoded is what the decoder must give, to the bit. If nil, the decoded
	// audio must have as many samples as PCM and a level within 6 dB of it.
	Decoded []int16
}

// maxGoldenPayload is enough for one second of any telephone codec.
const maxGoldenPayload = 8000

// tryEncoder encodes the golden audio. A panic inside is an error here: a codec
// that cannot even start must not take the node down.
func (c Codec) tryEncoder() (payloads [][]byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("encoder panicked: %v", p)
		}
	}()
	if c.NewEncoder == nil {
		return nil, errNoEncoder
	}
	encoder, err := c.NewEncoder(c.Format)
	if err != nil {
		return nil, fmt.Errorf("make the encoder: %w", err)
	}
	defer release(encoder)
	if c.Golden.PCM == nil {
		return nil, nil
	}
	for packet := range slices.Chunk(c.Golden.PCM, c.Golden.packet()) {
		dst := make([]byte, maxGoldenPayload)
		n, err := encoder.Encode(dst, packet)
		if err != nil {
			return nil, fmt.Errorf("encode the golden audio: %w", err)
		}
		if n <= 0 || n > len(dst) {
			return nil, fmt.Errorf("encode the golden audio: %d octets came out", n)
		}
		payloads = append(payloads, dst[:n])
	}
	if c.Golden.Payload != nil && !bytes.Equal(bytes.Join(payloads, nil), c.Golden.Payload) {
		return nil, fmt.Errorf("encode the golden audio: the payload differs from the standard's")
	}
	return payloads, nil
}

func (g Golden) packet() int {
	if g.Packet == 0 {
		return len(g.PCM)
	}
	return g.Packet
}

// tryDecoder decodes the golden payload, or the one just encoded where the
// standard leaves room.
func (c Codec) tryDecoder(payloads [][]byte) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("decoder panicked: %v", p)
		}
	}()
	if c.NewDecoder == nil {
		return errNoDecoder
	}
	decoder, err := c.NewDecoder(c.Format)
	if err != nil {
		return fmt.Errorf("make the decoder: %w", err)
	}
	defer release(decoder)
	if c.Golden.Payload != nil {
		payloads = [][]byte{c.Golden.Payload}
	}
	if payloads == nil {
		return nil
	}
	pcm := make([]int16, 2*len(c.Golden.PCM)+len(c.Golden.Decoded))
	total := 0
	for _, payload := range payloads {
		n, err := decoder.Decode(pcm[total:], payload)
		if err != nil {
			return fmt.Errorf("decode the golden payload: %w", err)
		}
		if n < 0 || n > len(pcm)-total {
			return fmt.Errorf("decode the golden payload: %d samples came out", n)
		}
		total += n
	}
	return c.Golden.judge(pcm[:total])
}

func (g Golden) judge(decoded []int16) error {
	if g.Decoded != nil {
		if !slices.Equal(decoded, g.Decoded) {
			return fmt.Errorf("decode the golden payload: the audio differs from the standard's")
		}
		return nil
	}
	if len(decoded) != len(g.PCM) {
		return fmt.Errorf("decode the golden payload: %d samples came out, want %d", len(decoded), len(g.PCM))
	}
	in, out := energy(g.PCM), energy(decoded)
	if out < in/4 || out > in*4 {
		return fmt.Errorf("decode the golden payload: the level is not that of the original")
	}
	return nil
}

func release(encoderOrDecoder any) {
	if c, ok := encoderOrDecoder.(Closer); ok {
		c.Close()
	}
}

func energy(pcm []int16) float64 {
	sum := 0.0
	for _, s := range pcm {
		sum += float64(s) * float64(s)
	}
	return sum
}
