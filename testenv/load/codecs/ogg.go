package codecs

import (
	"bytes"
	"encoding/binary"
)

const (
	oggHead  = 27 // octets of a page before its table of segments
	oggBegin = 2  // header type: the first page of a stream
	oggEnd   = 4  // and its last
	opusStep = 960
)

// ogg is a stream of mono Opus with nothing to be skipped (RFC 7845 section 5), each
// packet of 20 ms in a page of its own.
func ogg(packets [][]byte) []byte {
	head := append([]byte("OpusHead"), 1, 1, 0, 0)
	head = binary.LittleEndian.AppendUint32(head, 48000)
	head = append(head, 0, 0, 0)                               // gain and channel mapping
	tags := append([]byte("OpusTags"), 0, 0, 0, 0, 0, 0, 0, 0) // no vendor, no comments
	out := append(oggPage(oggBegin, 0, 0, head), oggPage(0, 0, 1, tags)...)
	for i, p := range packets {
		kind := byte(0)
		if i == len(packets)-1 {
			kind = oggEnd
		}
		out = append(out, oggPage(kind, uint64(i+1)*opusStep, uint32(i+2), p)...)
	}
	return out
}

// oggPage is a page with one packet, of up to 65,024 octets (RFC 3533 section 6).
func oggPage(kind byte, position uint64, number uint32, packet []byte) []byte {
	page := append([]byte("OggS"), 0, kind)
	page = binary.LittleEndian.AppendUint64(page, position)
	page = binary.LittleEndian.AppendUint32(page, 1) // the stream's serial number
	page = binary.LittleEndian.AppendUint32(page, number)
	page = append(page, 0, 0, 0, 0, byte(len(packet)/255+1))
	page = append(page, bytes.Repeat([]byte{255}, len(packet)/255)...)
	page = append(append(page, byte(len(packet)%255)), packet...)
	binary.LittleEndian.PutUint32(page[22:], oggChecksum(page))
	return page
}

// oggChecksum is a CRC of 32 bits by the polynomial 04c11db7, most significant bit first.
func oggChecksum(page []byte) (crc uint32) {
	for _, octet := range page {
		crc ^= uint32(octet) << 24
		for range 8 {
			top := crc >> 31
			crc = crc<<1 ^ top*0x04c11db7
		}
	}
	return crc
}

// oggPackets are the packets of a stream, without its two headers.
func oggPackets(stream []byte) [][]byte {
	var packets [][]byte
	var packet []byte
	for len(stream) >= oggHead && string(stream[:4]) == "OggS" {
		table := stream[oggHead:][:stream[oggHead-1]]
		stream = stream[oggHead+len(table):]
		for _, size := range table {
			packet = append(packet, stream[:size]...)
			stream = stream[size:]
			if size < 255 {
				packets, packet = append(packets, packet), nil
			}
		}
	}
	return packets[min(2, len(packets)):]
}
