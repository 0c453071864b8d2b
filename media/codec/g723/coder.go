package g723

import (
	"encoding/binary"
	"errors"

	"github.com/conclave-voice/conclave/media/codec/native"
)

// The block of a stream: where the library's functions that free an object want its
// address to be, and room for two texts.
const (
	atContext    = 0
	atPacket     = 8
	atFrame      = 16
	atParameters = 24
	atName       = 32
	atValue      = 64
	blockSize    = 96
)

// coder is what encoders and decoders have alike.
type coder struct {
	library                *Library
	stream                 *native.Stream
	context, packet, frame uintptr
}

// newCoder makes a context for the codec that find knows.
func (l *Library) newCoder(find native.Function) (*coder, error) {
	s, err := l.native.NewStream(blockSize)
	if err != nil {
		return nil, err
	}
	c := &coder{library: l, stream: s}
	if err := c.allocate(find); err != nil {
		s.Close()
		return nil, err
	}
	return c, nil
}

func (c *coder) allocate(find native.Function) error {
	codec := c.stream.Call(find, c.text(atName, "g723_1")).Address()
	if codec == 0 {
		return errors.New("g723: libavcodec was built without G.723.1")
	}
	l := c.library
	for _, o := range []struct {
		at      int
		address *uintptr
		made    native.Result
		free    native.Function
	}{
		{atContext, &c.context, c.stream.Call(l.newContext, codec), l.freeContext},
		{atPacket, &c.packet, c.stream.Call(l.allocatePacket), l.freePacket},
		{atFrame, &c.frame, c.stream.Call(l.allocateFrame), l.freeFrame},
	} {
		*o.address = o.made.Address()
		c.owns(o.at, *o.address, o.free)
	}
	if c.context == 0 || c.packet == 0 || c.frame == 0 {
		return errors.New("g723: no memory for a codec")
	}
	return nil
}

// owns has an object freed with the stream. The functions want the place where its address
// is, and take a zero there.
func (c *coder) owns(at int, address uintptr, free native.Function) {
	binary.NativeEndian.PutUint64(c.stream.Bytes(at, 8), uint64(address))
	c.stream.Owns(c.stream.Address(at), free)
}

// text puts a text into the block, for a call.
func (c *coder) text(at int, text string) uintptr {
	b := c.stream.Bytes(at, 32)
	b[copy(b[:31], text)] = 0
	return c.stream.Address(at)
}

// open starts the codec as it was configured.
func (c *coder) open() error {
	if code := c.stream.Call(c.library.openContext, c.context, 0, 0).Int(); code != 0 {
		return failure("start", code)
	}
	return nil
}

// setInt sets an option of the context by its name.
func (c *coder) setInt(name string, value int) error {
	if code := c.stream.Call(c.library.setInt, c.context, c.text(atName, name), uintptr(value), 0).Int(); code != 0 {
		return failure("set "+name, code)
	}
	return nil
}

// set sets an option from a text.
func (c *coder) set(name, value string) error {
	if code := c.stream.Call(c.library.set, c.context, c.text(atName, name), c.text(atValue, value), 0).Int(); code != 0 {
		return failure("set "+name, code)
	}
	return nil
}

// Close gives the library's memory back.
func (c *coder) Close() { c.stream.Close() }
