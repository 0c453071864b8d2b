package ogg

import (
	"bytes"
	"encoding/binary"
	"slices"
)

const (
	oggHead  = 27 // octets before a page's table of segments
	oggBegin = 2  // header type: the stream's first page
	oggEnd   = 4  // and its last
)

// Stream writes a stream: headers, which hold no audio, and packets, of which each has so many
// units of the codec's clock. Each packet has a page of its own; none is longer than 65,024
// octets.
func Stream(headers, packets [][]byte, units int64) []byte {
	var out []byte
	for i, p := range slices.Concat(headers, packets) {
		kind, position := byte(0), max(0, int64(i-len(headers)+1)*units)
		switch i {
		case 0:
			kind = oggBegin
		case len(headers) + len(packets) - 1:
			kind = oggEnd
		}
		out = append(out, oggPage(kind, position, uint32(i), p)...)
	}
	return out
}

func oggPage(kind byte, position int64, number uint32, packet []byte) []byte {
	page := append([]byte("OggS"), 0, kind)
	page = binary.LittleEndian.AppendUint64(page, uint64(position))
	page = binary.LittleEndian.AppendUint32(page, 1) // serial number
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

// Packets are the packets of a stream, without its first two, which are headers.
func Packets(stream []byte) [][]byte {
	var packets [][]byte
	var packet []byte
	for len(stream) >= oggHead && string(stream[:4]) == "OggS" {
		table := stream[oggHead : oggHead+int(stream[oggHead-1])]
		stream = stream[oggHead+len(table):]
		for _, size := range table {
			packet = append(packet, stream[:size]...)
			stream = stream[size:]
			if size < 255 {
				packets = append(packets, packet)
				packet = nil
			}
		}
	}
	return packets[min(2, len(packets)):]
}

// OpusHeaders are those of mono Opus (RFC 7845 section 5), with nothing to be skipped.
func OpusHeaders(rate int) [][]byte {
	head := append([]byte("OpusHead"), 1, 1, 0, 0)
	head = binary.LittleEndian.AppendUint32(head, uint32(rate))
	return [][]byte{append(head, 0, 0, 0), append([]byte("OpusTags"), make([]byte, 8)...)}
}

// SpeexHeaders are those of mono Speex, as libspeex has them in speex_header.h.
func SpeexHeaders(rate, framesPerPacket int) [][]byte {
	head := append([]byte("Speex   "), make([]byte, 20)...)
	copy(head[8:], "1.2.1")
	mode := uint32(rate/8000 - 1)
	for _, v := range []uint32{1, 80, uint32(rate), mode, 4, 1, ^uint32(0), uint32(rate / 50), 0, uint32(framesPerPacket), 0, 0, 0} {
		head = binary.LittleEndian.AppendUint32(head, v)
	}
	return [][]byte{head, make([]byte, 8)}
}
