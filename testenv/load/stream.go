package load

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"time"

	"github.com/conclave-voice/conclave/testenv/pcap"
	"github.com/conclave-voice/conclave/testenv/tone"
)

// Keys are sent as telephone events: so many packets each, and so many frames of
// nothing between them.
const (
	keyPackets = 5
	keyPause   = 3
	keyDelay   = 10 // frames after the answer
	eventType  = pcap.EventType
	voices     = 8 // tones; those of one room repeat beyond
)

// stream is the audio of one caller, both ways.
type stream struct {
	n, seat int
	to      *net.UDPAddr
	over    bool

	// What is sent.
	sequence  uint16
	timestamp uint32
	ssrc      uint32
	keys      string
	frames    int
	voice     []byte // one second, played in a loop
	at        int

	// What is received, since the measurement began.
	known       bool
	first, last int64 // extended sequence numbers
	received    uint64
	offsets     []int32 // of each packet: arrival less its place in the cadence, in µs
	begun       time.Duration
	heard       []byte // the payloads one after the other; nil: not kept
}

func newStream(n, seat int, to *net.UDPAddr, keys string) *stream {
	return &stream{n: n, seat: seat, to: to, keys: keys, sequence: uint16(rand.Uint32()), timestamp: rand.Uint32(), ssrc: rand.Uint32(),
		voice: voice(seat)}
}

// voice is a second of a seat's tone in µ-law.
func voice(seat int) []byte {
	sound := tone.Sine(8000, tone.Caller(seat%voices), -26, time.Second)
	coded := make([]byte, len(sound.Samples))
	for i, s := range sound.Samples {
		coded[i] = pcap.PCMU.Encode(s)
	}
	return coded
}

// next writes the next packet, and returns its length.
func (s *stream) next(b []byte) int {
	s.sequence++
	s.timestamp += samples
	s.frames++
	b[0], b[1] = 0x80, 0
	binary.BigEndian.PutUint16(b[2:], s.sequence)
	binary.BigEndian.PutUint32(b[4:], s.timestamp)
	binary.BigEndian.PutUint32(b[8:], s.ssrc)
	if k := s.frames - keyDelay; k >= 0 && k < len(s.keys)*(keyPackets+keyPause) {
		if i := k % (keyPackets + keyPause); i < keyPackets {
			return s.event(b, s.keys[k/(keyPackets+keyPause)], i)
		}
	}
	n := copy(b[12:12+samples], s.voice[s.at:])
	s.at = (s.at + n) % len(s.voice)
	return 12 + n
}

// event writes the ith packet of a key (RFC 4733 section 2.3).
func (s *stream) event(b []byte, key byte, i int) int {
	b[1] = eventType
	if i == 0 {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint32(b[4:], s.timestamp-uint32(i*samples)) // of its beginning
	b[12], b[13] = digit(key), 10
	if i >= keyPackets-2 {
		b[13] |= 0x80 // the end
	}
	binary.BigEndian.PutUint16(b[14:], uint16((i+1)*samples))
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

// begin forgets what came before the measurement.
func (s *stream) begin() {
	s.known, s.received, s.offsets = false, 0, s.offsets[:0]
	if s.heard != nil {
		s.heard = s.heard[:0]
	}
}

// take takes a packet that arrived at a time.
func (s *stream) take(b []byte, at time.Duration, measuring bool) {
	if !measuring || len(b) < 12 || b[0]>>6 != 2 || b[1]&0x7f != 0 {
		return
	}
	number := int64(binary.BigEndian.Uint16(b[2:]))
	if !s.known {
		s.known, s.first, s.last, s.begun = true, number, number, at
	} else {
		number = s.last + int64(int16(uint16(number)-uint16(s.last)))
		s.last = max(s.last, number)
	}
	s.received++
	place := time.Duration(number-s.first) * frame
	s.offsets = append(s.offsets, int32((at-s.begun-place)/time.Microsecond))
	if s.heard != nil {
		s.heard = append(s.heard, b[12:]...)
	}
}

// expected is how many packets the node sent, as the sequence numbers tell.
func (s *stream) expected() uint64 {
	if !s.known {
		return 0
	}
	return uint64(s.last - s.first + 1)
}

// late adds how much later each packet came than the promptest one of the stream: what
// a listener's jitter buffer has to hide.
func (s *stream) late(d *Distribution) {
	if len(s.offsets) == 0 {
		return
	}
	least := slices.Min(s.offsets)
	for _, o := range s.offsets {
		d.add(time.Duration(o-least) * time.Microsecond)
	}
}

// check listens: the tones of the others in the room are there, the own one is not.
func (s *stream) check(size int) error {
	heard := make([]int16, len(s.heard))
	for i, b := range s.heard {
		heard[i] = linear(b)
	}
	length := time.Duration(len(heard)) * time.Second / 8000
	if length < time.Second {
		return fmt.Errorf("caller %d heard %v of audio", s.n, length)
	}
	end := length - length%(50*time.Millisecond)
	for voice := range min(size, voices) {
		alone := size <= voices // the voice is one caller's
		if voice == s.seat%voices && !alone {
			continue
		}
		is := tone.Heard(heard, 8000, end-time.Second, end, tone.Caller(voice))
		if want := voice != s.seat%voices; is != want {
			return fmt.Errorf("caller %d, seat %d of %d: hears the tone of seat %d: %v", s.n, s.seat, size, voice, is)
		}
	}
	return nil
}

// linear decodes µ-law (ITU-T G.711).
func linear(b byte) int16 {
	b = ^b
	magnitude := (int(b&0x0f)<<3+0x84)<<(b>>4&7) - 0x84
	if b&0x80 != 0 {
		return int16(-magnitude)
	}
	return int16(magnitude)
}
