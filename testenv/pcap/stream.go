package pcap

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/conclave-voice/conclave/testenv/tone"
)

// Codec is how sound is coded; the value is the static payload type of RFC 3551.
type Codec uint8

// The codecs, both at 8,000 Hz.
const (
	PCMU Codec = 0
	PCMA Codec = 8
)

// EventType is the payload type of telephone events, which SIPp's offer says too.
const EventType = 101

const (
	rate         = 8000
	frameTime    = 20 * time.Millisecond
	frameSamples = 160
)

// Stream is an RTP stream under construction. Its methods each add to its end.
type Stream struct {
	codec    Codec
	ssrc     uint32
	sequence uint16
	time     uint32 // RTP timestamp
	now      time.Duration
	talking  bool // the packet before was sound: no marker is due
	packets  []packet
}

// packet is an RTP packet and when it is sent.
type packet struct {
	at   time.Duration
	data []byte
}

// New begins a stream, with a random SSRC, sequence number and timestamp.
func New(codec Codec) *Stream {
	return &Stream{codec: codec, ssrc: rand.Uint32(), sequence: uint16(rand.Uint32()), time: rand.Uint32()}
}

// Codec returns the codec of the sound.
func (s *Stream) Codec() Codec { return s.codec }

// Duration returns how long the stream lasts.
func (s *Stream) Duration() time.Duration { return s.now }

// Packets returns how many packets the stream has.
func (s *Stream) Packets() int { return len(s.packets) }

// Sound adds sound at 8,000 Hz in packets of 20 ms; the last is filled up with
// silence. It panics at another rate.
func (s *Stream) Sound(sound tone.Sound) *Stream {
	if sound.Rate != rate {
		panic(fmt.Sprintf("pcap: sound of %d Hz for G.711", sound.Rate))
	}
	for rest := sound.Samples; len(rest) > 0; rest = rest[min(frameSamples, len(rest)):] {
		frame := make([]byte, frameSamples)
		for i := range frame {
			sample := int16(0)
			if i < len(rest) {
				sample = rest[i]
			}
			frame[i] = s.codec.Encode(sample)
		}
		s.add(uint8(s.codec), !s.talking, s.time, frame)
		s.talking = true
		s.advance(frameSamples)
	}
	return s
}

// Silence adds packets of silence.
func (s *Stream) Silence(d time.Duration) *Stream { return s.Sound(tone.Silence(rate, d)) }

// Nothing adds a time in which no packet is sent, as with voice activity
// detection; the packet after it has the marker bit (RFC 3551 section 4.1).
func (s *Stream) Nothing(d time.Duration) *Stream {
	s.talking = false
	s.now += d
	s.time += uint32(d * rate / time.Second)
	return s
}

// Keys adds keys (0-9, *, #, A-D) as telephone events of 100 ms, each followed by
// 100 ms of silence. It panics at another key.
func (s *Stream) Keys(keys string) *Stream {
	for _, key := range keys {
		s.Event(key, 100*time.Millisecond, false).Silence(100 * time.Millisecond)
	}
	return s
}

// Event adds one key as RFC 4733 section 2.5 has it: packets every 20 ms with the
// timestamp of the beginning and the duration so far, the marker on the first,
// and the last sent three times with the end bit. With onlyEnd the first ones are
// left out, as if they were lost: the key must count all the same.
func (s *Stream) Event(key rune, d time.Duration, onlyEnd bool) *Stream {
	const keys = "0123456789*#ABCD" // in the order of the codes of RFC 4733 section 3.2
	code := strings.IndexRune(keys, key)
	if code < 0 {
		panic(fmt.Sprintf("pcap: %q is no telephone key", key))
	}
	const volume = 10 // -10 dBm0
	frames := max(1, int(d/frameTime))
	began := s.time
	for n := 1; n <= frames; n++ {
		payload := []byte{byte(code), volume, 0, 0}
		binary.BigEndian.PutUint16(payload[2:], uint16(n*frameSamples))
		copies := 1
		if n == frames {
			payload[1] |= 0x80 // end
			copies = 3
		}
		for range copies {
			if !onlyEnd || n == frames {
				s.add(EventType, n == 1, began, payload)
			} else {
				s.sequence++ // lost on the way
			}
		}
		s.advance(frameSamples)
	}
	s.talking = false
	return s
}

func (s *Stream) advance(samples uint32) {
	s.time += samples
	s.now += frameTime
}

// add appends one packet (RFC 3550 section 5.1).
func (s *Stream) add(payloadType uint8, marker bool, timestamp uint32, payload []byte) {
	data := []byte{2 << 6, payloadType}
	if marker {
		data[1] |= 0x80
	}
	data = binary.BigEndian.AppendUint16(data, s.sequence)
	data = binary.BigEndian.AppendUint32(data, timestamp)
	data = binary.BigEndian.AppendUint32(data, s.ssrc)
	s.packets = append(s.packets, packet{s.now, append(data, payload...)})
	s.sequence++
}
