package opus

import (
	"errors"
	"fmt"

	"github.com/conclave-voice/conclave/media/codec/native"
)

// These are made once, for the tick must not allocate whatever is sent to it.
var (
	errCorrupt = errors.New("opus: not an Opus packet, or one of more than 60 ms")
	errEncode  = errors.New("opus: the encoder failed; frames have 2.5, 5, 10, 20, 40 or 60 ms")
)

// source is where the library is to be had.
var source = native.Source{Names: []string{"libopus.so.0"}, Package: "libopus0"}

// Library is libopus. It is safe for concurrent use.
type Library struct {
	native *native.Library

	encoderSize, encoderInit, encoderControl, encode native.Function
	decoderSize, decoderInit, decode, nbSamples      native.Function
}

// Open loads libopus. The error says what to install.
func Open() (*Library, error) {
	n, err := native.Open(source)
	if err != nil {
		return nil, err
	}
	l := &Library{native: n}
	if err := n.Bind(native.Symbols{
		"opus_encoder_get_size": &l.encoderSize, "opus_encoder_init": &l.encoderInit, "opus_encoder_ctl": &l.encoderControl, "opus_encode": &l.encode,
		"opus_decoder_get_size": &l.decoderSize, "opus_decoder_init": &l.decoderInit, "opus_decode": &l.decode,
		"opus_decoder_get_nb_samples": &l.nbSamples,
	}); err != nil {
		return nil, err
	}
	return l, nil
}

// Name is the file that was loaded.
func (l *Library) Name() string { return l.native.Name() }

// MaxPacket is how many octets a packet may have, either way. Those of a call have at most
// 1275 for a frame, and some 500 where one wants to be sure of the path.
const MaxPacket = 1500

// maxTime is the most audio in a packet that is taken or made, as parts of a second: 60 ms.
const (
	maxTimeOver  = 3
	maxTimeUnder = 50
)

// checkRate knows the rates of libopus, in Hz.
func checkRate(rate int) error {
	switch rate {
	case 8000, 12000, 16000, 24000, 48000:
		return nil
	}
	return fmt.Errorf("opus: sample rate %d Hz; there are 8000, 12000, 16000, 24000 and 48000", rate)
}

// codeBufferTooSmall is OPUS_BUFFER_TOO_SMALL.
const codeBufferTooSmall = -2

// failure is an error code of libopus (opus_defines.h) in words.
func failure(doing string, code int) error {
	what := map[int]string{-1: "bad argument", -2: "buffer too small", -3: "internal error", -4: "corrupt packet", -5: "not implemented", -6: "invalid state", -7: "out of memory"}[code]
	if what == "" {
		what = fmt.Sprint("error ", code)
	}
	return fmt.Errorf("opus: %s: %s", doing, what)
}

// newStream makes a stream whose block begins with a state of the size that a function
// gives for one channel, and goes on with samples and a packet.
func (l *Library) newStream(size native.Function, rate int) (*native.Stream, layout, error) {
	ask, err := l.native.NewStream(1)
	if err != nil {
		return nil, layout{}, err
	}
	defer ask.Close()
	at := layout{samples: (ask.Call(size, 1).Int() + 15) &^ 15, room: rate * maxTimeOver / maxTimeUnder}
	if at.samples <= 0 {
		return nil, layout{}, failure("ask for the size of a state", at.samples)
	}
	at.packet = at.samples + 2*at.room
	s, err := l.native.NewStream(at.packet + MaxPacket)
	return s, at, err
}

// layout is what is where in a stream's block; its state is at the beginning.
type layout struct {
	samples int // offset
	room    int // samples there are room for
	packet  int // offset
}
