package pcap

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"time"
)

// WriteFile writes the stream as a capture file: libpcap's classic format, with
// Ethernet, IPv4 and UDP heads around each packet. SIPp takes from it the packets
// and their times, and puts its own addresses and ports in.
func (s *Stream) WriteFile(path string) error {
	var b bytes.Buffer
	le := func(v any) { _ = binary.Write(&b, binary.LittleEndian, v) } // a Buffer does not fail
	le(uint32(0xA1B2C3D4))                                             // with microseconds
	le([]uint16{2, 4})                                                 // version
	le([]uint32{0, 0, 65535, 1})                                       // zone, accuracy, longest packet, Ethernet

	for _, p := range s.packets {
		frame := ethernet(p.data)
		le([]uint32{uint32(p.at / time.Second), uint32(p.at % time.Second / time.Microsecond)})
		le([]uint32{uint32(len(frame)), uint32(len(frame))})
		b.Write(frame)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("writing a capture: %w", err)
	}
	return nil
}

// ethernet puts a payload from port 4000 to port 4000 of 127.0.0.1.
func ethernet(payload []byte) []byte {
	const port = 4000
	frame := make([]byte, 12, 14+20+8+len(payload)) // both hardware addresses are zero
	frame = append(frame, 0x08, 0x00)               // IPv4

	be16 := binary.BigEndian.AppendUint16
	head := []byte{0x45, 0}                          // version 4, five words
	head = be16(head, uint16(20+8+len(payload)))     // total length
	head = append(head, 0, 0, 0x40, 0, 64, 17, 0, 0) // do not fragment; 64 hops; UDP; checksum
	head = append(head, 127, 0, 0, 1, 127, 0, 0, 1)
	binary.BigEndian.PutUint16(head[10:], checksum(head))
	frame = append(frame, head...)

	frame = be16(be16(frame, port), port)
	frame = be16(frame, uint16(8+len(payload)))
	frame = be16(frame, 0) // no checksum (RFC 768)
	return append(frame, payload...)
}

// checksum is that of RFC 791 section 3.1.
func checksum(head []byte) uint16 {
	sum := uint32(0)
	for i := 0; i < len(head); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(head[i:]))
	}
	for sum>>16 != 0 {
		sum = sum&0xFFFF + sum>>16
	}
	return ^uint16(sum)
}
