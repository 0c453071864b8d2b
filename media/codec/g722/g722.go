package g722

import "errors"

var (
	errBuffer = errors.New("g722: destination too short")
	errOdd    = errors.New("g722: an odd number of samples")
)

// taps is how many samples the mirror filters reach over.
const taps = 24

// Codec makes encoders and decoders, which share its tables.
type Codec struct{ quantizer *quantizer }

// New computes the tables.
func New() *Codec { return &Codec{quantizer: newQuantizer()} }

// Encoder is the state of one stream, 64 kbit/s.
type Encoder struct {
	quantizer *quantizer
	low, high band
	history   [taps]int // input, oldest first
}

// NewEncoder starts a stream in the reset state of section 6.2.1.
func (c *Codec) NewEncoder() *Encoder {
	return &Encoder{quantizer: c.quantizer, low: band{scale: 32}, high: band{scale: 8}}
}

// Encode writes one octet for each two samples of 16 kHz PCM.
func (e *Encoder) Encode(dst []byte, pcm []int16) (int, error) {
	if len(pcm)%2 != 0 {
		return 0, errOdd
	}
	n := len(pcm) / 2
	if len(dst) < n {
		return 0, errBuffer
	}
	for i := range n {
		dst[i] = e.pair(int(pcm[2*i]), int(pcm[2*i+1]))
	}
	return n, nil
}

// CopyState makes the encoder go on where from is.
func (e *Encoder) CopyState(from *Encoder) { *e = *from }

func (e *Encoder) pair(first, second int) byte {
	low, high := e.split(first, second)

	lowCode := e.quantizer.quantizeLow(saturate(low-e.low.estimate), e.low.scale)
	difference := e.low.scale * e.quantizer.low4[lowCode>>2] >> 15
	e.low.rescaleLow(e.quantizer.weightLow[lowCode>>2])
	e.low.update(difference)

	highCode := e.quantizer.quantizeHigh(saturate(high-e.high.estimate), e.high.scale)
	difference = e.high.scale * e.quantizer.high[highCode] >> 15
	e.high.rescaleHigh(e.quantizer.weightHigh[highCode])
	e.high.update(difference)

	return highCode<<6 | lowCode
}

// split is the transmit mirror filter: two samples in, one of each band out, at
// 15 bits.
func (e *Encoder) split(first, second int) (low, high int) {
	copy(e.history[:], e.history[2:])
	e.history[taps-2], e.history[taps-1] = first, second
	even, odd := 0, 0
	for i, c := range mirror {
		odd += e.history[2*i] * c
		even += e.history[2*i+1] * mirror[11-i]
	}
	return (even + odd) >> 14, (even - odd) >> 14
}

// Decoder is the state of one stream.
type Decoder struct {
	quantizer *quantizer
	low, high band
	history   [taps]int // sums and differences of the bands, oldest first
}

// NewDecoder starts a stream in the reset state.
func (c *Codec) NewDecoder() *Decoder {
	return &Decoder{quantizer: c.quantizer, low: band{scale: 32}, high: band{scale: 8}}
}

// Decode writes two samples for each octet. Every octet is valid.
func (d *Decoder) Decode(pcm []int16, payload []byte) (int, error) {
	if len(pcm) < 2*len(payload) {
		return 0, errBuffer
	}
	for i, code := range payload {
		first, second := d.pair(code)
		pcm[2*i], pcm[2*i+1] = int16(saturate(first)), int16(saturate(second))
	}
	return 2 * len(payload), nil
}

func (d *Decoder) pair(code byte) (first, second int) {
	lowCode, highCode := code&0x3f, code>>6

	low := limit(d.low.estimate + d.low.scale*d.quantizer.low6[lowCode]>>15)
	difference := d.low.scale * d.quantizer.low4[lowCode>>2] >> 15
	d.low.rescaleLow(d.quantizer.weightLow[lowCode>>2])
	d.low.update(difference)

	difference = d.high.scale * d.quantizer.high[highCode] >> 15
	high := limit(d.high.estimate + difference)
	d.high.rescaleHigh(d.quantizer.weightHigh[highCode])
	d.high.update(difference)

	return d.join(low, high)
}

// join is the receive mirror filter.
func (d *Decoder) join(low, high int) (first, second int) {
	copy(d.history[:], d.history[2:])
	d.history[taps-2], d.history[taps-1] = low+high, low-high
	for i, c := range mirror {
		second += d.history[2*i] * c
		first += d.history[2*i+1] * mirror[11-i]
	}
	return first >> 11, second >> 11
}

// limit is block LIMIT: a reconstructed sub-band sample has 15 bits.
func limit(v int) int { return max(-16384, min(v, 16383)) }
