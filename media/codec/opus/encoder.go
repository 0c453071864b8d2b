package opus

import (
	"github.com/conclave-voice/conclave/media/codec/native"
)

// Requests to an encoder, of opus_defines.h.
const (
	setBitrate      = 4002
	setMaxBandwidth = 4004
	setVBR          = 4006
	setComplexity   = 4010
	setInbandFEC    = 4012
	setPacketLoss   = 4014
	setDTX          = 4016
	forVoice        = 2048 // OPUS_APPLICATION_VOIP
)

// Defaults of EncoderConfig.
const (
	DefaultComplexity = 5    // of 10: 244 µs for 20 ms at 48 kHz, against some 400 at 10, for little that is heard
	DefaultLoss       = 0.05 // share of packets believed lost before anything is known
)

// EncoderConfig is what an encoder does. What is left zero has the default.
type EncoderConfig struct {
	SampleRate int // Hz of the PCM: 8000, 12000, 16000, 24000 or 48000
	// Bitrate is aimed at, in bit/s; at least 6000, at most 510000. Default: 16000 up to
	// 8 kHz, 24000 up to 16 kHz, else 40000 (RFC 7587 section 3.1.1 has a little less,
	// without FEC).
	Bitrate    int
	MaxBitrate int  // bit/s that the other end wants at most; 0: it has said nothing
	Complexity int  // 1 to 10: how much time it takes to find what sounds best
	FEC        bool // packets hold a copy of the frame before, as far as Loss makes it worth it
	Constant   bool // packets are all of one size
	Silence    bool // nothing is sent while it is silent (DTX)
	// MaxPlayback is the highest sample rate that the other end plays, in Hz: what lies
	// above half of it is not encoded. Default 48000.
	MaxPlayback int
}

// bandwidth is what libopus calls half a sample rate: the least that holds all of it.
func bandwidth(rate int) int {
	switch {
	case rate <= 8000:
		return 1101
	case rate <= 12000:
		return 1102
	case rate <= 16000:
		return 1103
	case rate <= 24000:
		return 1104
	}
	return 1105
}

func (c EncoderConfig) withDefaults() EncoderConfig {
	if c.Complexity <= 0 {
		c.Complexity = DefaultComplexity
	}
	if c.MaxPlayback <= 0 {
		c.MaxPlayback = 48000
	}
	if c.Bitrate <= 0 {
		switch rate := min(c.SampleRate, c.MaxPlayback); {
		case rate <= 8000:
			c.Bitrate = 16000
		case rate <= 16000:
			c.Bitrate = 24000
		default:
			c.Bitrate = 40000
		}
	}
	if c.MaxBitrate > 0 {
		c.Bitrate = min(c.Bitrate, c.MaxBitrate)
	}
	c.Bitrate = min(max(c.Bitrate, 6000), 510000)
	return c
}

// Encoder is for one stream. It is for one goroutine at a time.
type Encoder struct {
	library *Library
	config  EncoderConfig
	stream  *native.Stream
	at      layout
}

// NewEncoder makes an encoder, which Close gives back.
func (l *Library) NewEncoder(c EncoderConfig) (*Encoder, error) {
	if err := checkRate(c.SampleRate); err != nil {
		return nil, err
	}
	c = c.withDefaults()
	s, at, err := l.newStream(l.encoderSize, c.SampleRate)
	if err != nil {
		return nil, err
	}
	e := &Encoder{library: l, config: c, stream: s, at: at}
	if code := s.Call(l.encoderInit, s.Address(0), uintptr(c.SampleRate), 1, forVoice).Int(); code != 0 {
		s.Close()
		return nil, failure("start an encoder", code)
	}
	for _, r := range []struct{ request, value int }{
		{setBitrate, c.Bitrate}, {setComplexity, c.Complexity}, {setVBR, number(!c.Constant)}, {setDTX, number(c.Silence)},
		{setInbandFEC, number(c.FEC)}, {setMaxBandwidth, bandwidth(c.MaxPlayback)},
	} {
		if code := e.set(r.request, r.value); code != 0 {
			s.Close()
			return nil, failure("configure an encoder", code)
		}
	}
	e.SetLoss(DefaultLoss)
	return e, nil
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (e *Encoder) set(request, value int) (code int) {
	return e.stream.Call(e.library.encoderControl, e.stream.Address(0), uintptr(request), native.Int(value)).Int()
}

// SetLoss says what share of our packets is lost on their way, 0 to 1: the more, the more of
// each packet is a copy of the frame before. It does nothing without FEC.
func (e *Encoder) SetLoss(share float64) {
	if !e.stream.Closed() {
		e.set(setPacketLoss, min(max(int(share*100+0.5), 0), 100))
	}
}

// CopyState makes this encoder go on where another is: what it encodes next follows what
// the other encoded last, and a decoder that has heard the other hears no seam. Both go on
// by themselves then. It says whether it did: only between encoders of one library that
// were made alike. Neither may be used meanwhile.
func (e *Encoder) CopyState(from *Encoder) bool {
	if from.library != e.library || from.config != e.config || e.stream.Closed() || from.stream.Closed() {
		return false
	}
	// The state of one channel is one block without pointers to itself; opus.h allows
	// that it is copied.
	copy(e.stream.Bytes(0, e.at.samples), from.stream.Bytes(0, from.at.samples))
	return true
}

// Encode writes the packet for pcm, which has 2.5, 5, 10, 20, 40 or 60 ms, to dst and
// returns its length in octets. 0: it is silent, and nothing is to be sent.
func (e *Encoder) Encode(dst []byte, pcm []int16) (int, error) {
	if e.stream.Closed() {
		return 0, native.ErrClosed
	}
	if len(pcm) == 0 {
		return 0, nil
	}
	if len(pcm) > e.at.room || len(dst) == 0 {
		return 0, native.ErrBuffer
	}
	copy(e.stream.Samples(e.at.samples, len(pcm)), pcm)
	n := e.stream.Call(e.library.encode, e.stream.Address(0), e.stream.Address(e.at.samples), uintptr(len(pcm)),
		e.stream.Address(e.at.packet), uintptr(min(len(dst), MaxPacket))).Int()
	switch {
	case n == codeBufferTooSmall:
		return 0, native.ErrBuffer
	case n < 0:
		return 0, errEncode
	case n <= 2 && e.config.Silence:
		return 0, nil // opus_encode: packets of up to two octets need not be sent
	}
	return copy(dst, e.stream.Bytes(e.at.packet, n)), nil
}

// Close gives the encoder's memory back.
func (e *Encoder) Close() { e.stream.Close() }
