package g726

import (
	"errors"
	"fmt"
)

var (
	errBuffer = errors.New("g726: destination too short")
	errWhole  = errors.New("g726: not a whole number of octets or samples")
)

// Order is how codes are packed into octets.
type Order int

const (
	// LittleEndian has the first code in the least significant bits of the first
	// octet: RTP's G726-16 to G726-40 (RFC 3551 section 4.5.4).
	LittleEndian Order = iota
	// BigEndian has it in the most significant ones: ITU-T I.366.2 Annex E, which
	// RTP calls AAL2-G726-16 to AAL2-G726-40.
	BigEndian
)

// Codec makes encoders and decoders of one rate, which share its tables.
type Codec struct {
	quantizer quantizer
	order     Order
}

// New takes the rate in kbit/s: 16, 24, 32 or 40.
func New(rate int, order Order) (*Codec, error) {
	q, known := quantizers()[rate]
	if !known {
		return nil, fmt.Errorf("g726: %d kbit/s is none of its rates, which are 16, 24, 32 and 40", rate)
	}
	return &Codec{quantizer: q, order: order}, nil
}

// Encoder is the state of one stream.
type Encoder struct {
	codec *Codec
	state state
}

// NewEncoder starts a stream in the reset state.
func (c *Codec) NewEncoder() *Encoder { return &Encoder{codec: c, state: newState()} }

// Encode writes the codes of 8 kHz PCM. There must be as many samples as fill
// whole octets: a multiple of eight always does.
func (e *Encoder) Encode(dst []byte, pcm []int16) (int, error) {
	width := e.codec.quantizer.width
	n := len(pcm) * width / 8
	if n*8 != len(pcm)*width {
		return 0, errWhole
	}
	if len(dst) < n {
		return 0, errBuffer
	}
	p := packer{octets: dst[:0], order: e.codec.order}
	for _, s := range pcm {
		p.put(e.sample(int(s)>>2), width) // 14 bits, as the Recommendation has it
	}
	return n, nil
}

func (e *Encoder) sample(pcm int) int {
	q, s := &e.codec.quantizer, &e.state
	s.predict()
	scale := s.scale.mix()
	code := q.quantize(pcm-s.estimate, scale)
	s.update(q, code, scale)
	return code
}

// Decoder is the state of one stream.
type Decoder struct {
	codec *Codec
	state state
}

// NewDecoder starts a stream in the reset state.
func (c *Codec) NewDecoder() *Decoder { return &Decoder{codec: c, state: newState()} }

// Decode writes one sample for each code. Every code is valid; a payload that
// ends within a code is not.
func (d *Decoder) Decode(pcm []int16, payload []byte) (int, error) {
	width := d.codec.quantizer.width
	n := len(payload) * 8 / width
	if n*width != len(payload)*8 {
		return 0, errWhole
	}
	if len(pcm) < n {
		return 0, errBuffer
	}
	u := unpacker{octets: payload, order: d.codec.order}
	for i := range n {
		pcm[i] = d.sample(u.next(width))
	}
	return n, nil
}

func (d *Decoder) sample(code int) int16 {
	q, s := &d.codec.quantizer, &d.state
	s.predict()
	rebuilt := s.update(q, code, s.scale.mix())
	return int16(max(-32768, min(rebuilt<<2, 32767)))
}
