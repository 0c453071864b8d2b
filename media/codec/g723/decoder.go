package g723

import (
	"encoding/binary"

	"github.com/conclave-voice/conclave/media/codec/native"
)

// frameLength is that of 30 ms in samples.
const frameLength = 240

// maxFrames are in a packet: 60 ms.
const maxFrames = 2

// frameOctets are how long a frame is, by the two low bits of its first octet.
var frameOctets = [4]int{24, 20, 4, 1}

// lostFrame is one at 6.3 kbit/s with a forbidden code for the pitch, 127, from its bit 26
// on. G.723.1 has a decoder treat it as one that was lost (section 3.10).
var lostFrame = [24]byte{3: 0xfc, 4: 0x01}

// silentFrame is a frame at 6.3 kbit/s; what is in it does not matter.
var silentFrame = [24]byte{}

// Decoder is for one stream. It is for one goroutine at a time.
type Decoder struct{ *coder }

// NewDecoder makes a decoder, which Close gives back.
func (l *Library) NewDecoder() (*Decoder, error) {
	c, err := l.newCoder(l.findDecoder)
	if err != nil {
		return nil, err
	}
	d := &Decoder{c}
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
		if !d.decode(octets) {
			return 0, errDecode
		}
		d.take(pcm[i*frameLength:])
	}
	return frames * frameLength, nil
}

// countFrames says how many frames a payload has. ok is false if it has none, too many, or
// a part of one.
func countFrames(payload []byte) (n int, ok bool) {
	for len(payload) > 0 {
		size := frameOctets[payload[0]&3]
		if size > len(payload) {
			return 0, false
		}
		payload = payload[size:]
		n++
	}
	return n, n > 0 && n <= maxFrames
}

// Conceal writes what lost frames may have held, in whole frames of 30 ms, and returns how
// many samples that is.
func (d *Decoder) Conceal(pcm []int16) (n int) {
	if d.stream.Closed() {
		return 0
	}
	for n+frameLength <= len(pcm) && d.decode(lostFrame[:]) {
		d.take(pcm[n:])
		n += frameLength
	}
	return n
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

// take copies the samples of the library's frame.
func (d *Decoder) take(pcm []int16) {
	b := d.samples()
	for i := range frameLength {
		pcm[i] = int16(binary.NativeEndian.Uint16(b[2*i:]))
	}
}
