package g729

import (
	"errors"

	"github.com/conclave-voice/conclave/media/codec/native"
)

// These are made once, for the tick must not allocate whatever is sent to it.
var (
	errCorrupt = errors.New("g729: not a G.729 payload: frames have 10 octets, and the last one 10 or 2")
	errFrame   = errors.New("g729: the audio is not of whole frames of 10 ms, 60 ms at most")
)

const (
	frame     = 80 // samples of 10 ms
	voice     = 10 // octets of a frame
	noise     = 2  // octets of a frame of comfort noise (Annex B)
	maxFrames = 6  // in a packet: 60 ms
)

// source is where the library is to be had.
var source = native.Source{Names: []string{"libbcg729.so.0"}, Package: "libbcg729-0"}

// Library is bcg729. It is safe for concurrent use.
type Library struct {
	native *native.Library

	encoderInit, encoderClose, encode native.Function
	decoderInit, decoderClose, decode native.Function
	annexB                            native.Function
}

// Open loads bcg729. The error says what to install.
func Open() (*Library, error) {
	n, err := native.Open(source)
	if err != nil {
		return nil, err
	}
	l := &Library{native: n}
	if err := n.Bind(native.Symbols{
		"initBcg729EncoderChannel": &l.encoderInit, "closeBcg729EncoderChannel": &l.encoderClose, "bcg729Encoder": &l.encode,
		"initBcg729DecoderChannel": &l.decoderInit, "closeBcg729DecoderChannel": &l.decoderClose, "bcg729Decoder": &l.decode,
		// It came with Annex B, which gave the others more parameters, in version 1.0.2; the
		// file is called the same before and after.
		"bcg729GetRFC3389Payload": &l.annexB,
	}); err != nil {
		return nil, err
	}
	return l, nil
}

// Name is the file that was loaded.
func (l *Library) Name() string { return l.native.Name() }

// The block of a stream: the samples of a frame, its octets, and their number.
const (
	atSamples = 0
	atOctets  = atSamples + 2*frame
	atLength  = atOctets + 16
	blockSize = atLength + 8
)

// newStream makes a stream with an object that the library's function init gives.
func (l *Library) newStream(init, destroy native.Function, arguments ...uintptr) (*native.Stream, uintptr, error) {
	s, err := l.native.NewStream(blockSize)
	if err != nil {
		return nil, 0, err
	}
	address := s.Call(init, arguments...).Address()
	if address == 0 {
		s.Close()
		return nil, 0, errors.New("g729: no memory for a channel")
	}
	s.Owns(address, destroy)
	return s, address, nil
}

// Encoder is for one stream. It is for one goroutine at a time.
type Encoder struct {
	library *Library
	stream  *native.Stream
	address uintptr
}

// NewEncoder makes an encoder, which Close gives back. silence: pauses in speech are marked
// by frames of comfort noise, and then by nothing (Annex B). Leave it off unless both ends
// allow it.
func (l *Library) NewEncoder(silence bool) (*Encoder, error) {
	vad := uintptr(0)
	if silence {
		vad = 1
	}
	s, address, err := l.newStream(l.encoderInit, l.encoderClose, vad)
	if err != nil {
		return nil, err
	}
	return &Encoder{l, s, address}, nil
}

// Encode writes the payload for pcm, up to six frames of 10 ms, to dst and returns its
// length in octets. 0: nothing is to be sent.
//
// A packet cannot say that speech begins in its middle: there, each silent frame before it
// is filled with the first frame of speech. It sounds like an early onset, and the time of
// what follows is right.
func (e *Encoder) Encode(dst []byte, pcm []int16) (int, error) {
	if e.stream.Closed() {
		return 0, native.ErrClosed
	}
	if len(pcm)%frame != 0 || len(pcm) > maxFrames*frame {
		return 0, errFrame
	}
	if len(pcm)/frame*voice > len(dst) {
		return 0, native.ErrBuffer
	}
	n, silent := 0, 0 // octets written; silent frames since the last of speech
	var mark [noise]byte
	marked := 0 // octets of mark
	for ; len(pcm) > 0; pcm = pcm[frame:] {
		octets := e.frame(pcm[:frame])
		if len(octets) < voice {
			if silent == 0 || marked == 0 {
				marked = copy(mark[:], octets)
			}
			silent++
			continue
		}
		for range silent + 1 {
			n += copy(dst[n:], octets)
		}
		silent, marked = 0, 0
	}
	return n + copy(dst[n:], mark[:marked]), nil
}

// frame encodes one frame to 10, 2 or 0 octets, which are valid until the next call.
func (e *Encoder) frame(pcm []int16) []byte {
	s := e.stream
	copy(s.Samples(atSamples, frame), pcm)
	s.Call(e.library.encode, e.address, s.Address(atSamples), s.Address(atOctets), s.Address(atLength))
	return s.Bytes(atOctets, int(min(s.Bytes(atLength, 1)[0], voice)))
}

// Close gives the library's memory back.
func (e *Encoder) Close() { e.stream.Close() }

// Decoder is for one stream. It is for one goroutine at a time.
type Decoder struct {
	library *Library
	stream  *native.Stream
	address uintptr
}

// NewDecoder makes a decoder, which Close gives back.
func (l *Library) NewDecoder() (*Decoder, error) {
	s, address, err := l.newStream(l.decoderInit, l.decoderClose)
	if err != nil {
		return nil, err
	}
	return &Decoder{l, s, address}, nil
}

// Decode writes the audio of a payload to pcm and returns how many samples it has: 10 ms
// for each frame. An empty payload is a frame that was not sent because the other end is
// silent: it is comfort noise.
func (d *Decoder) Decode(pcm []int16, payload []byte) (int, error) {
	if d.stream.Closed() {
		return 0, native.ErrClosed
	}
	frames, rest := len(payload)/voice, len(payload)%voice
	if rest != 0 && rest != noise {
		return 0, errCorrupt
	}
	if rest == noise || frames == 0 {
		frames++
	}
	if frames > maxFrames {
		return 0, errCorrupt
	}
	if frames*frame > len(pcm) {
		return 0, native.ErrBuffer
	}
	for i := range frames {
		octets := payload[:min(voice, len(payload))]
		payload = payload[len(octets):]
		d.frame(pcm[i*frame:], octets)
	}
	return frames * frame, nil
}

// frame decodes 10 octets of speech, 2 of comfort noise, or none: the frame was lost, or
// not sent, which the library knows by what came before.
func (d *Decoder) frame(pcm []int16, octets []byte) {
	s := d.stream
	copy(s.Bytes(atOctets, len(octets)), octets)
	lost, silent := uintptr(0), uintptr(0)
	switch len(octets) {
	case 0:
		lost = 1
	case noise:
		silent = 1
	}
	s.Call(d.library.decode, d.address, s.Address(atOctets), uintptr(len(octets)), lost, silent, 0, s.Address(atSamples))
	copy(pcm, s.Samples(atSamples, frame))
}

// Conceal writes what lost frames may have held, in whole frames of 10 ms, and returns how
// many samples that is. While the other end is silent it is comfort noise.
func (d *Decoder) Conceal(pcm []int16) (n int) {
	if d.stream.Closed() {
		return 0
	}
	for ; n+frame <= len(pcm); n += frame {
		d.frame(pcm[n:], nil)
	}
	return n
}

// Close gives the library's memory back.
func (d *Decoder) Close() { d.stream.Close() }
