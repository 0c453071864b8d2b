package lpc

import (
	"encoding/binary"
	"errors"
	"math"
)

var (
	errBuffer  = errors.New("lpc: destination too short")
	errSamples = errors.New("lpc: not a whole number of frames of 160 samples")
	errOctets  = errors.New("lpc: not a whole number of frames of 14 octets")
)

const (
	// FrameSamples is 20 ms at 8 kHz.
	FrameSamples = 160
	// FrameOctets is how long the payload of a frame is.
	FrameOctets = 14

	order  = 10  // reflection coefficients
	window = 240 // samples that the analysis looks at: the frame, and half of the one before
)

// parameters are what a frame says.
type parameters struct {
	period      float64 // of the pitch, in samples; 0: the sound is not voiced
	gain        float64 // 0 to 1
	coefficient [order]float64
}

// put quantizes the parameters and writes them.
func (p *parameters) put(dst *[FrameOctets]byte) {
	binary.BigEndian.PutUint16(dst[:], uint16(math.Round(256*p.period)))
	dst[2] = byte(min(math.Round(256*p.gain), 255))
	for i, c := range p.coefficient {
		dst[3+i] = byte(int8(quantum(c)))
	}
	dst[13] = 0
}

// quantum is a coefficient in units of 1/128. -128 is not used: the filter would
// ring for ever.
func quantum(coefficient float64) float64 {
	return max(-127, min(math.Round(128*coefficient), 127))
}

func get(payload *[FrameOctets]byte) (p parameters) {
	p.period = float64(binary.BigEndian.Uint16(payload[:])) / 256
	p.gain = float64(payload[2]) / 256
	for i := range p.coefficient {
		p.coefficient[i] = float64(max(-127, int8(payload[3+i]))) / 128
	}
	return p
}

// Encoder is the state of one stream.
type Encoder struct {
	shape   *[window]float64
	samples [window]float64 // newest last; full scale is 1
	pitch   pitch
}

// NewEncoder starts a stream.
func NewEncoder() *Encoder { return &Encoder{shape: hamming()} }

// Encode writes 14 octets for each 160 samples.
func (e *Encoder) Encode(dst []byte, pcm []int16) (int, error) {
	frames := len(pcm) / FrameSamples
	if frames*FrameSamples != len(pcm) {
		return 0, errSamples
	}
	if len(dst) < frames*FrameOctets {
		return 0, errBuffer
	}
	for i := range frames {
		p := e.analyse((*[FrameSamples]int16)(pcm[i*FrameSamples:]))
		p.put((*[FrameOctets]byte)(dst[i*FrameOctets:]))
	}
	return frames * FrameOctets, nil
}

// Decoder is the state of one stream.
type Decoder struct{ voice voice }

// NewDecoder starts a stream.
func NewDecoder() *Decoder { return &Decoder{voice: voice{noise: 1}} }

// Decode writes 160 samples for each 14 octets, whatever they are.
func (d *Decoder) Decode(pcm []int16, payload []byte) (int, error) {
	frames := len(payload) / FrameOctets
	if frames*FrameOctets != len(payload) {
		return 0, errOctets
	}
	if len(pcm) < frames*FrameSamples {
		return 0, errBuffer
	}
	for i := range frames {
		p := get((*[FrameOctets]byte)(payload[i*FrameOctets:]))
		d.voice.speak((*[FrameSamples]int16)(pcm[i*FrameSamples:]), &p)
	}
	return frames * FrameSamples, nil
}

// Conceal goes on with the sound of the last frame, weaker with each, in whole
// frames. It returns 0 where there is nothing to go on with.
func (d *Decoder) Conceal(pcm []int16) int {
	n := len(pcm) / FrameSamples * FrameSamples
	if d.voice.now.gain == 0 {
		return 0
	}
	for i := 0; i < n; i += FrameSamples {
		p := d.voice.now
		p.gain *= fading
		d.voice.speak((*[FrameSamples]int16)(pcm[i:]), &p)
	}
	return n
}

// fading is what is left of the gain after each lost frame.
const fading = 0.8
