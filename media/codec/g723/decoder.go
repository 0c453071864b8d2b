package g723

import (
	"encoding/binary"

	"github.com/conclave-voice/conclave/media/codec/native"
)

// mostLost frames in a row are made up by the library: with the third one in speech, which
// G.723.1 has muted, FFmpeg 4 to 7 begin to filter what they filtered before, and get louder
// and louder.
const mostLost = 2

// Decoder is for one stream. It is for one goroutine at a time.
type Decoder struct {
	*coder
	lost   int  // frames since the last one of speech that was not
	silent bool // the last one that was not lost was comfort noise, or not sent
}

// NewDecoder makes a decoder, which Close gives back.
func (l *Library) NewDecoder() (*Decoder, error) {
	c, err := l.newCoder(l.findDecoder)
	if err != nil {
		return nil, err
	}
	d := &Decoder{coder: c}
	if err := d.start(); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

func (d *Decoder) start() error {
	if err := d.setInt("ar", 8000); err != nil {
		return err
	}
	if err := d.set("ch_layout", "mono"); err != nil {
		if err := d.setInt("ac", 1); err != nil { // as it was called until FFmpeg 5.0
			return err
		}
	}
	return d.open()
}

// Decode writes the audio of a payload to pcm and returns how many samples it has: 30 ms
// for each frame.
func (d *Decoder) Decode(pcm []int16, payload []byte) (int, error) {
	if d.stream.Closed() {
		return 0, native.ErrClosed
	}
	frames, ok := countFrames(payload)
	if !ok {
		return 0, errCorrupt
	}
	if frames*frameLength > len(pcm) {
		return 0, native.ErrBuffer
	}
	for i := range frames {
		octets := payload[:frameOctets[payload[0]&3]]
		payload = payload[len(octets):]
		if damaged(octets) {
			octets = lostFrame[:]
		}
		if !d.fill(pcm[i*frameLength:][:frameLength], octets) {
			return 0, errDecode
		}
	}
	return frames * frameLength, nil
}

// Conceal writes what lost frames may have held, in whole frames of 30 ms, and returns how
// many samples that is. After two in speech it is silence.
func (d *Decoder) Conceal(pcm []int16) (n int) {
	if d.stream.Closed() {
		return 0
	}
	for n+frameLength <= len(pcm) && d.fill(pcm[n:n+frameLength], lostFrame[:]) {
		n += frameLength
	}
	return n
}

// fill decodes one frame into pcm, or makes it up if it is lostFrame.
func (d *Decoder) fill(pcm []int16, octets []byte) bool {
	if &octets[0] != &lostFrame[0] {
		d.lost, d.silent = 0, octets[0]&3 > lowRate
	} else if d.lost++; d.lost > mostLost && !d.silent {
		clear(pcm)
		return true
	}
	if !d.decode(octets) {
		return false
	}
	b := d.samples()
	for i := range pcm {
		pcm[i] = int16(binary.NativeEndian.Uint16(b[2*i:]))
	}
	return true
}

// decode has the library decode one frame into its own.
func (d *Decoder) decode(octets []byte) bool {
	s, l := d.stream, d.library
	if s.Call(l.newPacket, d.packet, uintptr(len(octets))).Int() != 0 {
		return false
	}
	copy(s.Memory(pointerAt(s.Memory(d.packet, packetFields), packetData), len(octets)), octets)
	sent := s.Call(l.sendPacket, d.context, d.packet).Int()
	s.Call(l.unrefPacket, d.packet)
	return sent == 0 && s.Call(l.receiveFrame, d.context, d.frame).Int() == 0 &&
		intAt(s.Memory(d.frame, frameFields), frameSamples) == frameLength
}
