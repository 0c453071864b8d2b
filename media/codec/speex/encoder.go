package speex

import (
	"encoding/binary"
	"fmt"

	"github.com/conclave-voice/conclave/media/codec/native"
)

// Requests to an encoder, of speex.h.
const (
	setQuality    = 4
	setMode       = 6
	setComplexity = 16
)

// Defaults of EncoderConfig.
const (
	DefaultQuality    = 8 // 15 kbit/s narrowband, 27.8 kbit/s wideband
	DefaultComplexity = 3
)

// EncoderConfig is what an encoder does. What is left zero has the default.
type EncoderConfig struct {
	SampleRate int // Hz of the PCM: 8000 for narrowband, 16000 for wideband
	Quality    int // 1 to 10
	// Mode is one of the eight of narrowband, 1 to 8, by the number that it has in SDP
	// (RFC 5574 section 4.1); it wins over Quality. Modes of wideband are its qualities.
	Mode       int
	Complexity int // 1 to 10: how much time it takes to find what sounds best
}

// Encoder is for one stream. It is for one goroutine at a time.
type Encoder struct{ state }

// NewEncoder makes an encoder, which Close gives back.
func (l *Library) NewEncoder(c EncoderConfig) (*Encoder, error) {
	if c.Quality == 0 {
		c.Quality = DefaultQuality
	}
	if c.Complexity == 0 {
		c.Complexity = DefaultComplexity
	}
	s, err := l.newState(c.SampleRate, l.encoderInit, l.encoderDestroy)
	if err != nil {
		return nil, err
	}
	e := &Encoder{s}
	err = e.set(setQuality, c.Quality, 1, 10)
	if err == nil {
		err = e.set(setComplexity, c.Complexity, 1, 10)
	}
	if err == nil && c.Mode != 0 && c.SampleRate == 8000 {
		err = e.set(setMode, c.Mode, 1, 8)
	}
	if err != nil {
		e.Close()
		return nil, err
	}
	return e, nil
}

// set makes a request, whose value must be within bounds: the library does not look.
func (e *Encoder) set(request, value, least, most int) error {
	if value < least || value > most {
		return fmt.Errorf("speex: %d is not in %d..%d", value, least, most)
	}
	binary.NativeEndian.PutUint32(e.stream.Bytes(atNumber, 4), uint32(value))
	if code := e.stream.Call(e.library.encoderControl, e.address, uintptr(request), e.stream.Address(atNumber)).Int(); code != 0 {
		return fmt.Errorf("speex: request %d was refused with %d", request, code)
	}
	return nil
}

// Encode writes the payload for pcm, whole frames of 20 ms, to dst and returns its length
// in octets.
func (e *Encoder) Encode(dst []byte, pcm []int16) (int, error) {
	if e.stream.Closed() {
		return 0, native.ErrClosed
	}
	if len(pcm) == 0 {
		return 0, nil
	}
	if len(pcm)%e.frame != 0 {
		return 0, errFrame
	}
	l, s := e.library, e.stream
	s.Call(l.bitsReset, s.Address(atBits))
	for len(pcm) > 0 {
		copy(s.Samples(atSamples, e.frame), pcm[:e.frame])
		s.Call(l.encode, e.address, s.Address(atSamples), s.Address(atBits))
		pcm = pcm[e.frame:]
	}
	s.Call(l.bitsTerminate, s.Address(atBits)) // the padding of RFC 5574 section 3.3
	n := s.Call(l.bitsWrite, s.Address(atBits), s.Address(atPayload), maxPayload).Int()
	if n > len(dst) {
		return 0, native.ErrBuffer
	}
	return copy(dst, s.Bytes(atPayload, n)), nil
}
