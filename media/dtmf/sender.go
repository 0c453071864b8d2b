package dtmf

import (
	"encoding/binary"
	"fmt"
)

// endPackets is how often the end of an event is sent (RFC 4733 section 2.5.1.4).
const endPackets = 3

// Sender makes the packets of one event. The caller sends one each time it would
// have sent audio, numbered in sequence with the audio.
type Sender struct {
	code      byte
	volume    byte
	step      uint32 // timestamp units from one packet to the next
	remaining uint32 // of the event, from the start of this segment
	elapsed   uint32 // of this segment
	timestamp uint32
	begun     bool
	ends      int // end packets sent
}

// NewSender prepares an event that begins at timestamp and lasts for duration,
// with a packet every step; all in units of the RTP clock. level is the tone's
// power in dBm0, 0 to -63.
func NewSender(d Digit, timestamp, duration, step uint32, level int) (*Sender, error) {
	if !d.Valid() {
		return nil, fmt.Errorf("dtmf: %q is not a key, use one of %s", byte(d), keys)
	}
	if step == 0 || step > maxDuration || duration == 0 {
		return nil, fmt.Errorf("dtmf: duration %d and step %d must be at least 1, the step at most %d", duration, step, maxDuration)
	}
	if level > 0 || level < -63 {
		return nil, fmt.Errorf("dtmf: level %d dBm0 is not in -63..0", level)
	}
	return &Sender{code: byte(d.code()), volume: byte(-level), step: step, remaining: duration, timestamp: timestamp}, nil
}

// Next writes the next packet's payload, of four octets, to payload. timestamp
// and marker go into the RTP header. ok is false when the event is over, or the
// payload too short.
func (s *Sender) Next(payload []byte) (timestamp uint32, marker, ok bool) {
	if len(payload) < payloadSize || s.ends == endPackets {
		return 0, false, false
	}
	if s.elapsed == maxDuration { // a new segment begins where this one is full
		s.timestamp += maxDuration
		s.remaining -= maxDuration
		s.elapsed = 0
	}
	s.elapsed = min(s.elapsed+s.step, s.remaining, maxDuration)
	payload[0], payload[1] = s.code, s.volume
	if s.elapsed == s.remaining {
		payload[1] |= 0x80
		s.ends++
	}
	binary.BigEndian.PutUint16(payload[2:], uint16(s.elapsed))
	marker, s.begun = !s.begun, true
	return s.timestamp, marker, true
}
