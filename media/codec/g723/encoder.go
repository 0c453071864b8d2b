package g723

import (
	"encoding/binary"

	"github.com/conclave-voice/conclave/media/codec/native"
)

// bitRate of what is sent, in bit/s: the higher of the two.
const bitRate = 6300

// Encoder is for one stream. It is for one goroutine at a time.
type Encoder struct{ *coder }

// NewEncoder makes an encoder, which Close gives back.
func (l *Library) NewEncoder() (*Encoder, error) {
	c, err := l.newCoder(l.findEncoder)
	if err != nil {
		return nil, err
	}
	e := &Encoder{c}
	if err := e.start(); err != nil {
		e.Close()
		return nil, err
	}
	return e, nil
}

// start configures the encoder by a decoder: its context has the right format of samples,
// and gives a frame to encode.
func (e *Encoder) start() error {
	d, err := e.library.NewDecoder()
	if err != nil {
		return err
	}
	defer d.Close()
	if !d.decode(silentFrame[:]) {
		return errDecode
	}
	if err := e.inherit(d); err != nil {
		return err
	}
	if err := e.setInt("b", bitRate); err != nil {
		return err
	}
	if err := e.set("time_base", "1/8000"); err != nil {
		return err
	}
	return e.open()
}

// inherit copies the decoder's parameters, and takes its frame in exchange for the own one.
func (e *Encoder) inherit(d *Decoder) error {
	s, l := e.stream, e.library
	parameters := s.Call(l.newParameters).Address()
	e.owns(atParameters, parameters, l.freeParameters)
	if code := s.Call(l.fromContext, parameters, d.context).Int(); code < 0 {
		return failure("read the parameters", code)
	}
	if code := s.Call(l.toContext, e.context, parameters).Int(); code < 0 {
		return failure("set the parameters", code)
	}
	if code := s.Call(l.refFrame, e.frame, d.frame).Int(); code < 0 {
		return failure("take a frame", code)
	}
	return nil
}

// Encode writes the payload for pcm, whole frames of 30 ms, to dst and returns its length
// in octets: 24 for each frame.
func (e *Encoder) Encode(dst []byte, pcm []int16) (n int, err error) {
	if e.stream.Closed() {
		return 0, native.ErrClosed
	}
	if len(pcm)%frameLength != 0 {
		return 0, errFrame
	}
	if len(pcm)/frameLength*frameOctets[0] > len(dst) {
		return 0, native.ErrBuffer
	}
	for ; len(pcm) > 0; pcm = pcm[frameLength:] {
		got := e.encode(dst[n:], pcm)
		if got == 0 {
			return 0, errEncode
		}
		n += got
	}
	return n, nil
}

// encode has the library encode one frame, and returns how many octets it has: 0 if it
// failed.
func (e *Encoder) encode(dst []byte, pcm []int16) int {
	s, l := e.stream, e.library
	// The library may still hold the samples of the frame before.
	if s.Call(l.makeWritable, e.frame).Int() != 0 {
		return 0
	}
	b := e.samples()
	for i := range frameLength {
		binary.NativeEndian.PutUint16(b[2*i:], uint16(pcm[i]))
	}
	if s.Call(l.sendFrame, e.context, e.frame).Int() != 0 || s.Call(l.receivePacket, e.context, e.packet).Int() != 0 {
		return 0
	}
	defer s.Call(l.unrefPacket, e.packet)
	fields := s.Memory(e.packet, packetFields)
	size := intAt(fields, packetSize)
	if size != frameOctets[0] {
		return 0
	}
	return copy(dst, s.Memory(pointerAt(fields, packetData), size))
}
