package wal

import (
	"encoding/binary"
	"hash/crc32"
)

// A segment's header: a magic number with the version of the format, and the sequence
// number of its first entry.
const (
	magic       = "CJ01"
	headerBytes = len(magic) + 8
)

// What a frame has before its body: length, checksum, kind and number.
const prefixBytes = 4 + 4 + 1 + 8

// MaxEntry is the size of the largest entry, in bytes.
const MaxEntry = 1 << 20

type kind byte

const (
	entryFrame kind = 'E' // number: the entry's sequence number
	marksFrame kind = 'D' // body: sequence numbers of entries that are done
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// frame is one as it was read.
type frame struct {
	kind   kind
	number uint64
	body   []byte // shares the memory of what it was read from
}

// size is how many bytes the frame takes on disk.
func (f frame) size() int { return prefixBytes + len(f.body) }

// appendFrame adds a frame to b.
func appendFrame(b []byte, f frame) []byte {
	start := len(b)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(f.body)))
	b = append(b, 0, 0, 0, 0, byte(f.kind))
	b = binary.LittleEndian.AppendUint64(b, f.number)
	b = append(b, f.body...)
	binary.LittleEndian.PutUint32(b[start+4:], crc32.Checksum(b[start+8:], castagnoli))
	return b
}

// readFrame reads the frame that b begins with; false if there is none.
func readFrame(b []byte) (frame, bool) {
	if len(b) < prefixBytes {
		return frame{}, false
	}
	n := binary.LittleEndian.Uint32(b)
	if n > MaxEntry || int(n) > len(b)-prefixBytes {
		return frame{}, false
	}
	b = b[:prefixBytes+int(n)]
	f := frame{kind: kind(b[8]), number: binary.LittleEndian.Uint64(b[9:]), body: b[prefixBytes:]}
	switch f.kind {
	case entryFrame:
	case marksFrame:
		if n%8 != 0 {
			return frame{}, false
		}
	default:
		return frame{}, false
	}
	return f, crc32.Checksum(b[8:], castagnoli) == binary.LittleEndian.Uint32(b[4:])
}

// marks are the sequence numbers that a marks frame lists.
func (f frame) marks() []uint64 {
	list := make([]uint64, 0, len(f.body)/8)
	for b := f.body; len(b) >= 8; b = b[8:] {
		list = append(list, binary.LittleEndian.Uint64(b))
	}
	return list
}

// marksOf is the frame that says that entries are done.
func marksOf(list []uint64) frame {
	body := make([]byte, 0, 8*len(list))
	for _, seq := range list {
		body = binary.LittleEndian.AppendUint64(body, seq)
	}
	return frame{kind: marksFrame, body: body}
}

// header is the beginning of a segment.
func header(first uint64) []byte {
	return binary.LittleEndian.AppendUint64([]byte(magic), first)
}

// gap is a run of bytes that are no frames, with frames behind it.
type gap struct{ from, to int }

// contents are the frames of a segment.
type contents struct {
	frames  []frame
	offsets []int // of frames, from the start of the file
	gaps    []gap
	end     int // of the last frame; what follows is torn
}

// parse reads a segment's bytes. Nothing that it is given makes it fail: what cannot
// be read is a gap, or torn.
func parse(b []byte) contents {
	c := contents{end: min(headerBytes, len(b))}
	for at := c.end; at < len(b); {
		f, ok := readFrame(b[at:])
		if !ok {
			next, found := resume(b, at+1)
			if !found {
				break
			}
			c.gaps = append(c.gaps, gap{at, next})
			at = next
			continue
		}
		c.frames, c.offsets = append(c.frames, f), append(c.offsets, at)
		at += f.size()
		c.end = at
	}
	return c
}

// resume finds the next frame from an offset on.
func resume(b []byte, from int) (at int, found bool) {
	for at := from; at+prefixBytes <= len(b); at++ {
		if k := kind(b[at+8]); k != entryFrame && k != marksFrame {
			continue
		}
		if _, ok := readFrame(b[at:]); ok {
			return at, true
		}
	}
	return 0, false
}
