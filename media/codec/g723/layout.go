package g723

import (
	"encoding/binary"
	"fmt"

	"github.com/conclave-voice/conclave/media/codec/native"
)

// Offsets of fields, in octets, on 64-bit systems.
const (
	packetData   = 24  // AVPacket.data, a pointer
	packetSize   = 32  // AVPacket.size, an int
	frameData    = 0   // AVFrame.data[0], a pointer
	frameSamples = 112 // AVFrame.nb_samples, an int

	packetFields = packetSize + 4 // octets that are looked at
	frameFields  = frameSamples + 4
)

func pointerAt(b []byte, offset int) uintptr { return uintptr(binary.NativeEndian.Uint64(b[offset:])) }

func intAt(b []byte, offset int) int { return int(int32(binary.NativeEndian.Uint32(b[offset:]))) }

// verify has the library fill in the fields, and looks for that.
func (l *Library) verify() error {
	d, err := l.NewDecoder()
	if err != nil {
		return err
	}
	defer d.Close()
	const odd = 19 // octets: a number that is nowhere by chance
	fields := d.stream.Memory(d.packet, packetFields)
	if code := d.stream.Call(l.newPacket, d.packet, odd).Int(); code != 0 {
		return failure("make a packet", code)
	}
	if intAt(fields, packetSize) != odd || pointerAt(fields, packetData) == 0 {
		return fmt.Errorf("%w: %s has another AVPacket than is known", native.ErrUnfit, l.Name())
	}
	d.stream.Call(l.unrefPacket, d.packet)
	if !d.decode(silentFrame[:]) || pointerAt(d.stream.Memory(d.frame, frameFields), frameData) == 0 {
		return fmt.Errorf("%w: %s has another AVFrame than is known", native.ErrUnfit, l.Name())
	}
	return nil
}

// samples are those of the frame, as long as the library does not touch it.
func (c *coder) samples() []byte {
	data := pointerAt(c.stream.Memory(c.frame, frameFields), frameData)
	return c.stream.Memory(data, 2*frameLength)
}
