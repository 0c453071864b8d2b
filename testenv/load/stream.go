package load

import (
	"encoding/binary"
	"math/rand/v2"
	"net"
	"slices"
	"time"

	"github.com/conclave-voice/conclave/testenv/pcap"
)

// Keys are sent as telephone events: so many packets each, and so many frames of
// nothing between them.
const (
	keyPackets = 5
	keyPause   = 3
	keyDelay   = 10 // frames after the answer
	eventType  = pcap.EventType
)

// stream is the audio of one call, both ways.
type stream struct {
	seat *seat
	to   *net.UDPAddr

	// What is sent.
	sequence  uint16
	timestamp uint32
	ssrc      uint32
	keys      string
	frames    int

	// What is received, from ready on.
	ready        time.Time
	known        bool
	origin, last int64         // extended sequence numbers: the first, and the highest
	started      time.Duration // when the first came
	heard        *spool        // nil: it is not listened to

	// In this window.
	counted  int64 // up to this sequence number packets were expected in windows before
	since    time.Time
	received uint64
	offsets  []int32 // of each packet: arrival less its place in the cadence, in µs
}

func newStream(s *seat, to *net.UDPAddr, keys string, ready time.Time) *stream {
	return &stream{seat: s, to: to, keys: keys, ready: ready, since: ready, sequence: uint16(rand.Uint32()), timestamp: rand.Uint32(), ssrc: rand.Uint32()}
}

// maxPacket is the longest packet that is sent: an RTP header, and Opus at its longest.
const maxPacket = 12 + 1275

// next writes the next packet, and returns its length.
func (s *stream) next(b []byte) int {
	s.sequence++
	s.timestamp += s.seat.codec.Step()
	s.frames++
	b[0], b[1] = 0x80, s.seat.codec.PayloadType
	binary.BigEndian.PutUint16(b[2:], s.sequence)
	binary.BigEndian.PutUint32(b[4:], s.timestamp)
	binary.BigEndian.PutUint32(b[8:], s.ssrc)
	if k := s.frames - keyDelay; k >= 0 && k < len(s.keys)*(keyPackets+keyPause) {
		if i := k % (keyPackets + keyPause); i < keyPackets {
			return s.event(b, s.keys[k/(keyPackets+keyPause)], i)
		}
	}
	return 12 + copy(b[12:], s.seat.frames[s.frames%len(s.seat.frames)])
}

// event writes the ith packet of a key (RFC 4733 section 2.3).
func (s *stream) event(b []byte, key byte, i int) int {
	step := s.seat.codec.Step()
	b[1] = eventType
	if i == 0 {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint32(b[4:], s.timestamp-uint32(i)*step) // of its beginning
	b[12], b[13] = digit(key), 10
	if i >= keyPackets-2 {
		b[13] |= 0x80 // the end
	}
	binary.BigEndian.PutUint16(b[14:], uint16(uint32(i+1)*step))
	return 16
}

func digit(key byte) byte {
	switch key {
	case '*':
		return 10
	case '#':
		return 11
	}
	return key - '0'
}

// take takes a packet that arrived at a time (UNIX).
func (s *stream) take(b []byte, at time.Duration) {
	when := time.Unix(0, int64(at))
	if when.Before(s.ready) || len(b) < 12 || b[0]>>6 != 2 || b[1]&0x7f != s.seat.codec.PayloadType {
		return
	}
	number := int64(binary.BigEndian.Uint16(b[2:]))
	if !s.known {
		s.known, s.origin, s.last, s.counted, s.started = true, number, number, number-1, at
	} else {
		number = s.last + int64(int16(uint16(number)-uint16(s.last)))
		s.last = max(s.last, number)
	}
	s.received++
	index := number - s.origin
	s.offsets = append(s.offsets, int32((at-s.started-time.Duration(index)*frame)/time.Microsecond))
	if s.heard != nil && index >= 0 {
		s.heard.add(index, b[12:], when)
	}
}

// onTheWay is for how long packets are not missed that time says must have come, while
// sequence numbers do not.
const onTheWay = 300 * time.Millisecond

// cut adds what was measured to w, and begins the next window.
func (s *stream) cut(w *Window, now time.Time) {
	expected := uint64(max(0, s.last-s.counted))
	// A node that has fallen silent sends no sequence numbers that would tell. What comes
	// later all the same has been counted, as lost.
	if due := now.Sub(s.since) - onTheWay; due > 0 {
		expected = max(expected, uint64(due/frame))
	}
	s.counted += int64(expected)
	w.Expected += expected
	w.Received += s.received
	w.Lost += expected - min(s.received, expected)
	if len(s.offsets) > 0 {
		least := slices.Min(s.offsets)
		for _, o := range s.offsets {
			w.Late.add(time.Duration(o-least) * time.Microsecond)
		}
	}
	s.received, s.offsets = 0, s.offsets[:0]
	if now.After(s.since) {
		s.since = now
	}
}
