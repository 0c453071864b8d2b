package g723

import (
	"errors"
	"fmt"

	"github.com/conclave-voice/conclave/media/codec/native"
)

// These are made once, for the tick must not allocate whatever is sent to it.
var (
	errCorrupt = errors.New("g723: not a G.723.1 payload: frames have 24, 20 or 4 octets")
	errFrame   = errors.New("g723: the audio is not of whole frames of 30 ms")
	errEncode  = errors.New("g723: libavcodec did not encode a frame")
	errDecode  = errors.New("g723: libavcodec did not decode a frame")
)

// source is where the library is to be had: Debian 12 and 13, and what Ubuntu has between
// them. See doc.go for why others are not taken.
var source = native.Source{Names: []string{"libavcodec.so.61", "libavcodec.so.60", "libavcodec.so.59"}, Package: "libavcodec59 (Debian 12) or libavcodec61 (Debian 13)"}

// Library is libavcodec. It is safe for concurrent use.
type Library struct {
	native *native.Library

	setLogLevel, findDecoder, findEncoder                 native.Function
	newContext, freeContext, openContext                  native.Function
	setInt, set                                           native.Function
	newParameters, freeParameters, fromContext, toContext native.Function
	allocatePacket, freePacket, newPacket, unrefPacket    native.Function
	allocateFrame, freeFrame, refFrame, makeWritable      native.Function
	sendPacket, receiveFrame, sendFrame, receivePacket    native.Function
}

// Open loads libavcodec. The error says what to install.
func Open() (*Library, error) {
	n, err := native.Open(source)
	if err != nil {
		return nil, err
	}
	l := &Library{native: n}
	if err := n.Bind(native.Symbols{
		"av_log_set_level": &l.setLogLevel, "avcodec_find_decoder_by_name": &l.findDecoder, "avcodec_find_encoder_by_name": &l.findEncoder,
		"avcodec_alloc_context3": &l.newContext, "avcodec_free_context": &l.freeContext, "avcodec_open2": &l.openContext,
		"av_opt_set_int": &l.setInt, "av_opt_set": &l.set,
		"avcodec_parameters_alloc": &l.newParameters, "avcodec_parameters_free": &l.freeParameters,
		"avcodec_parameters_from_context": &l.fromContext, "avcodec_parameters_to_context": &l.toContext,
		"av_packet_alloc": &l.allocatePacket, "av_packet_free": &l.freePacket, "av_new_packet": &l.newPacket, "av_packet_unref": &l.unrefPacket,
		"av_frame_alloc": &l.allocateFrame, "av_frame_free": &l.freeFrame, "av_frame_ref": &l.refFrame, "av_frame_make_writable": &l.makeWritable,
		"avcodec_send_packet": &l.sendPacket, "avcodec_receive_frame": &l.receiveFrame,
		"avcodec_send_frame": &l.sendFrame, "avcodec_receive_packet": &l.receivePacket,
	}); err != nil {
		return nil, err
	}
	if err := l.quieten(); err != nil {
		return nil, err
	}
	if err := l.verify(); err != nil {
		return nil, err
	}
	return l, nil
}

// quieten keeps the library from printing a line about each packet that is malformed.
func (l *Library) quieten() error {
	const quiet = -8 // AV_LOG_QUIET
	s, err := l.native.NewStream(1)
	if err != nil {
		return err
	}
	defer s.Close()
	s.Call(l.setLogLevel, native.Int(quiet))
	return nil
}

// Name is the file that was loaded.
func (l *Library) Name() string { return l.native.Name() }

// failure is an error code of libavcodec.
func failure(doing string, code int) error { return fmt.Errorf("g723: %s: error %d", doing, code) }
