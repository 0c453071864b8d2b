package opus

import (
	"github.com/conclave-voice/conclave/media/codec/native"
)

// Decoder is for one stream. It is for one goroutine at a time.
type Decoder struct {
	library *Library
	stream  *native.Stream
	at      layout
	step    int // samples of 2.5 ms
}

// NewDecoder makes a decoder that gives mono PCM of a rate in Hz. Close gives it back.
func (l *Library) NewDecoder(rate int) (*Decoder, error) {
	if err := checkRate(rate); err != nil {
		return nil, err
	}
	s, at, err := l.newStream(l.decoderSize, rate)
	if err != nil {
		return nil, err
	}
	if code := s.Call(l.decoderInit, s.Address(0), uintptr(rate), 1).Int(); code != 0 {
		s.Close()
		return nil, failure("start a decoder", code)
	}
	return &Decoder{library: l, stream: s, at: at, step: rate / 400}, nil
}

// Decode writes the audio of a packet to pcm and returns how many samples it has.
func (d *Decoder) Decode(pcm []int16, packet []byte) (int, error) {
	if len(packet) == 0 {
		return 0, errCorrupt
	}
	n, err := d.length(packet)
	if err != nil {
		return 0, err
	}
	if n > len(pcm) {
		return 0, native.ErrBuffer
	}
	if got := d.run(pcm[:n], len(packet), false); got != n {
		return 0, errCorrupt
	}
	return n, nil
}

// length puts a packet into the block and returns how many samples it has, 60 ms at most.
func (d *Decoder) length(packet []byte) (int, error) {
	if d.stream.Closed() {
		return 0, native.ErrClosed
	}
	if len(packet) > MaxPacket {
		return 0, errCorrupt
	}
	copy(d.stream.Bytes(d.at.packet, len(packet)), packet)
	n := d.stream.Call(d.library.nbSamples, d.stream.Address(0), d.stream.Address(d.at.packet), uintptr(len(packet))).Int()
	if n <= 0 || n > d.at.room {
		return 0, errCorrupt
	}
	return n, nil
}

// Conceal writes what a lost packet may have held, in whole 2.5 ms, and returns how many
// samples that is.
func (d *Decoder) Conceal(pcm []int16) int {
	if d.stream.Closed() {
		return 0
	}
	n := min(len(pcm), d.at.room)
	n -= n % d.step
	return d.run(pcm[:n], 0, false)
}

// Recover is Conceal for when the packet after the lost one is there, in which there may be
// a copy of it. Packets that have none are concealed. The packet itself is to be decoded
// next.
func (d *Decoder) Recover(pcm []int16, next []byte) int {
	if len(next) == 0 {
		return 0
	}
	if _, err := d.length(next); err != nil {
		return 0
	}
	n := min(len(pcm), d.at.room)
	n -= n % d.step
	return d.run(pcm[:n], len(next), true)
}

// run decodes the packet that is in the block, or conceals if it has no octets, and returns
// how many samples it wrote to pcm: 0 if it failed.
func (d *Decoder) run(pcm []int16, octets int, before bool) int {
	if len(pcm) == 0 {
		return 0
	}
	s := d.stream
	packet := s.Address(d.at.packet)
	if octets == 0 {
		packet = 0 // libopus: the packet was lost
	}
	n := s.Call(d.library.decode, s.Address(0), packet, uintptr(octets), s.Address(d.at.samples), uintptr(len(pcm)), uintptr(number(before))).Int()
	if n <= 0 || n > len(pcm) {
		return 0
	}
	return copy(pcm, s.Samples(d.at.samples, n))
}

// Close gives the decoder's memory back.
func (d *Decoder) Close() { d.stream.Close() }
