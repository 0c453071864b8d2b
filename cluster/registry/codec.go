package registry

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrVersion means that the bytes were written by a later version of the program.
// Finish the upgrade of this node.
var ErrVersion = errors.New("written by a later version than this program knows")

// errShort means that the bytes end too soon, or promise more than there is.
var errShort = errors.New("the encoding is cut short or damaged")

// encoder writes numbers as varints and strings with their length in front. Equal
// values have equal encodings.
type encoder struct {
	buf []byte
}

func (e *encoder) byte(b byte)     { e.buf = append(e.buf, b) }
func (e *encoder) uint(v uint64)   { e.buf = binary.AppendUvarint(e.buf, v) }
func (e *encoder) bytes(b []byte)  { e.uint(uint64(len(b))); e.buf = append(e.buf, b...) }
func (e *encoder) string(s string) { e.uint(uint64(len(s))); e.buf = append(e.buf, s...) }

func (e *encoder) bool(b bool) {
	if b {
		e.byte(1)
	} else {
		e.byte(0)
	}
}

func (e *encoder) instance(i Instance) {
	e.string(i.Node)
	e.uint(i.Incarnation)
}

func (e *encoder) assignment(a Assignment) {
	e.string(a.Room)
	e.instance(a.Focus)
	e.byte(byte(a.Kind))
	e.uint(a.Epoch)
}

func (e *encoder) dialog(d Dialog) {
	e.string(d.Call)
	e.instance(d.Owner)
	e.uint(d.Version)
	e.bytes(d.State)
}

// decoder reads what encoder wrote. After the first error it gives zero values, so
// that only done needs to be checked. It copies what it gives.
type decoder struct {
	buf []byte
	err error
}

func (d *decoder) fail(err error) {
	if d.err == nil {
		d.err = err
	}
	d.buf = nil
}

func (d *decoder) byte() byte {
	if len(d.buf) == 0 {
		d.fail(errShort)
		return 0
	}
	b := d.buf[0]
	d.buf = d.buf[1:]
	return b
}

func (d *decoder) bool() bool {
	b := d.byte()
	if b > 1 {
		d.fail(errShort)
	}
	return b == 1
}

func (d *decoder) uint() uint64 {
	v, n := binary.Uvarint(d.buf)
	if n <= 0 {
		d.fail(errShort)
		return 0
	}
	d.buf = d.buf[n:]
	return v
}

func (d *decoder) bytes() []byte {
	n := d.uint()
	if n > uint64(len(d.buf)) {
		d.fail(errShort)
		return nil
	}
	b := append([]byte(nil), d.buf[:n]...)
	d.buf = d.buf[n:]
	return b
}

func (d *decoder) string() string {
	n := d.uint()
	if n > uint64(len(d.buf)) {
		d.fail(errShort)
		return ""
	}
	s := string(d.buf[:n])
	d.buf = d.buf[n:]
	return s
}

// count reads how many elements follow, each of at least smallest bytes, so that a
// damaged count cannot make us reserve memory.
func (d *decoder) count(smallest int) int {
	n := d.uint()
	if n > uint64(len(d.buf)/smallest) {
		d.fail(errShort)
		return 0
	}
	return int(n)
}

func (d *decoder) instance() Instance {
	return Instance{Node: d.string(), Incarnation: d.uint()}
}

func (d *decoder) assignment() Assignment {
	return Assignment{Room: d.string(), Focus: d.instance(), Kind: Kind(d.byte()), Epoch: d.uint()}
}

func (d *decoder) dialog() Dialog {
	return Dialog{Call: d.string(), Owner: d.instance(), Version: d.uint(), State: d.bytes()}
}

// done is the first error; bytes that are left over are one as well.
func (d *decoder) done() error {
	if d.err == nil && len(d.buf) > 0 {
		return fmt.Errorf("%d bytes too many", len(d.buf))
	}
	return d.err
}
