package recording

import (
	"encoding/binary"
	"errors"
)

// The flags of an Ogg page (RFC 3533 section 6).
const (
	oggBegin = 0x02 // the stream's first page
	oggEnd   = 0x04 // its last
)

const (
	oggHead     = 27  // octets of a page's header before the table of segments
	oggSegments = 255 // at most, in a page
	oggMax      = oggHead + oggSegments + oggSegments*255
	oggCRCAt    = 22
)

// oggCRC is the table of the checksum: generator 0x04c11db7, not reflected, beginning with
// 0 (RFC 3533 section 6).
var oggCRC = func() (table [256]uint32) {
	for i := range table {
		r := uint32(i) << 24
		for range 8 {
			if r&0x80000000 != 0 {
				r = r<<1 ^ 0x04c11db7
			} else {
				r <<= 1
			}
		}
		table[i] = r
	}
	return table
}()

// sealPage writes the checksum into a page.
func sealPage(page []byte) {
	binary.LittleEndian.PutUint32(page[oggCRCAt:], 0)
	binary.LittleEndian.PutUint32(page[oggCRCAt:], checksum(page))
}

func checksum(page []byte) (crc uint32) {
	for _, b := range page {
		crc = crc<<8 ^ oggCRC[byte(crc>>24)^b]
	}
	return crc
}

// oggStream puts packets of one logical stream into pages, and pages into a file. Packets
// never go over the end of a page: each page can be read without others.
type oggStream struct {
	file     handle
	serial   uint32
	sequence uint32
	end      int64  // of the pages that were written
	last     []byte // the last page, kept to be marked as such
	lastAt   int64
	next     []byte // to be the last page; a buffer

	lacing  []byte // of the page to come
	payload []byte
	granule uint64 // of its last packet
}

// fits says whether a packet fits into the page to come.
func (o *oggStream) fits(packet []byte) bool {
	return len(o.lacing)+len(packet)/255+1 <= oggSegments
}

// put adds a packet, which fits, to the page to come. granule is the position at its end.
func (o *oggStream) put(packet []byte, granule uint64) {
	n := len(packet)
	for ; n >= 255; n -= 255 {
		o.lacing = append(o.lacing, 255)
	}
	o.lacing = append(o.lacing, byte(n))
	o.payload = append(o.payload, packet...)
	o.granule = granule
}

// page writes the page to come, if there is anything in it.
func (o *oggStream) page(flags byte) error {
	if len(o.lacing) == 0 {
		return nil
	}
	p := append(o.next[:0], "OggS\x00"...)
	p = append(p, flags)
	p = binary.LittleEndian.AppendUint64(p, o.granule)
	p = binary.LittleEndian.AppendUint32(p, o.serial)
	p = binary.LittleEndian.AppendUint32(p, o.sequence)
	p = append(p, 0, 0, 0, 0, byte(len(o.lacing)))
	p = append(p, o.lacing...)
	p = append(p, o.payload...)
	sealPage(p)
	if _, err := o.file.WriteAt(p, o.end); err != nil {
		return err // what there is of it, close cuts off
	}
	o.last, o.next, o.lastAt = p, o.last, o.end
	o.end += int64(len(p))
	o.sequence++
	o.lacing, o.payload = o.lacing[:0], o.payload[:0]
	return nil
}

// close marks the last page, and cuts off what is not whole.
func (o *oggStream) close() error {
	var err error
	if len(o.last) > 0 {
		o.last[5] |= oggEnd
		sealPage(o.last)
		_, err = o.file.WriteAt(o.last, o.lastAt)
	}
	return errors.Join(err, o.file.Truncate(o.end))
}

// nextPage finds the page at the beginning of b. ok is false if there is no whole one.
func nextPage(b []byte) (page []byte, ok bool) {
	if len(b) < oggHead || string(b[:5]) != "OggS\x00" {
		return nil, false
	}
	n := int(b[26])
	size := oggHead + n
	if len(b) < size {
		return nil, false
	}
	for _, lacing := range b[oggHead:size] {
		size += int(lacing)
	}
	if len(b) < size {
		return nil, false
	}
	page = b[:size]
	want := binary.LittleEndian.Uint32(page[oggCRCAt:])
	sealed := append([]byte(nil), page...)
	sealPage(sealed)
	return page, binary.LittleEndian.Uint32(sealed[oggCRCAt:]) == want
}
