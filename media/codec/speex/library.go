package speex

import (
	"errors"
	"fmt"

	"github.com/conclave-voice/conclave/media/codec/native"
)

// These are made once, for the tick must not allocate whatever is sent to it.
var (
	errCorrupt = errors.New("speex: not a Speex payload")
	errFrame   = errors.New("speex: the audio is not of whole frames of 20 ms")
)

// source is where the library is to be had.
var source = native.Source{Names: []string{"libspeex.so.1"}, Package: "libspeex1"}

// Library is libspeex. It is safe for concurrent use.
type Library struct {
	native *native.Library

	mode                                                                 native.Function
	encoderInit, encoderDestroy, encoderControl, encode                  native.Function
	decoderInit, decoderDestroy, decode                                  native.Function
	bitsInit, bitsDestroy, bitsReset, bitsRead, bitsWrite, bitsTerminate native.Function
}

// Open loads libspeex. The error says what to install.
func Open() (*Library, error) {
	n, err := native.Open(source)
	if err != nil {
		return nil, err
	}
	l := &Library{native: n}
	if err := n.Bind(native.Symbols{
		"speex_lib_get_mode": &l.mode,
		"speex_encoder_init": &l.encoderInit, "speex_encoder_destroy": &l.encoderDestroy, "speex_encoder_ctl": &l.encoderControl, "speex_encode_int": &l.encode,
		"speex_decoder_init": &l.decoderInit, "speex_decoder_destroy": &l.decoderDestroy, "speex_decode_int": &l.decode,
		"speex_bits_init": &l.bitsInit, "speex_bits_destroy": &l.bitsDestroy, "speex_bits_reset": &l.bitsReset,
		"speex_bits_read_from": &l.bitsRead, "speex_bits_write": &l.bitsWrite, "speex_bits_insert_terminator": &l.bitsTerminate,
	}); err != nil {
		return nil, err
	}
	return l, nil
}

// Name is the file that was loaded.
func (l *Library) Name() string { return l.native.Name() }

// maxPayload is how many octets a payload may have: 60 ms of the highest rate, 42.2 kbit/s,
// have 317.
const maxPayload = 512

// The block of a stream: the library's SpeexBits, which speex_bits.h gives 48 octets, a
// number for a request, the samples of a frame, and a payload.
const (
	atBits    = 0
	atNumber  = 64
	atPayload = 80
	atSamples = atPayload + maxPayload
)

// state is what encoders and decoders have alike.
type state struct {
	library *Library
	stream  *native.Stream
	address uintptr // of the library's state
	frame   int     // samples of 20 ms
}

// newState makes the state by the library's function init, for narrowband or wideband.
func (l *Library) newState(rate int, init, destroy native.Function) (state, error) {
	mode := map[int]uintptr{8000: 0, 16000: 1} // SPEEX_MODEID_NB, SPEEX_MODEID_WB
	id, ok := mode[rate]
	if !ok {
		return state{}, fmt.Errorf("speex: sample rate %d Hz; there are 8000 and 16000", rate)
	}
	frame := rate / 50
	s, err := l.native.NewStream(atSamples + 2*frame)
	if err != nil {
		return state{}, err
	}
	address := s.Call(init, s.Call(l.mode, id).Address()).Address()
	if address == 0 {
		s.Close()
		return state{}, errors.New("speex: no memory for a state")
	}
	s.Owns(address, destroy)
	s.Call(l.bitsInit, s.Address(atBits))
	s.Owns(s.Address(atBits), l.bitsDestroy)
	return state{library: l, stream: s, address: address, frame: frame}, nil
}

// Close gives the library's memory back.
func (s *state) Close() { s.stream.Close() }
