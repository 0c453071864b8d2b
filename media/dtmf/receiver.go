package dtmf

import "encoding/binary"

// payloadSize is that of one telephone event (RFC 4733 section 2.3).
const payloadSize = 4

// maxDuration is the longest duration that an event's field holds. A longer event
// goes on in a further segment (section 2.5.1.3).
const maxDuration = 0xffff

// remembered is how many events, or segments, are known when their packets come
// again: more than ten seconds of the fastest dialling.
const remembered = 16

// Receiver turns the packets of telephone events into digits: exactly one for
// each event, with its first packet that arrives, whichever it is. The zero
// Receiver is ready for use. It belongs to one RTP stream.
type Receiver struct {
	known [remembered]event // a ring, the newest before next
	next  int
}

// event is one key press, or one segment of a long one. Its timestamp is its
// identity: all its packets have the same.
type event struct {
	timestamp uint32
	duration  uint32 // the longest that was seen, timestamp units
	code      byte
	ended     bool
	valid     bool
}

// Packet takes one packet, in any order and any number of times. timestamp and
// marker are those of the RTP header. Codes that are not a key, and payloads that
// are too short, are ignored.
func (r *Receiver) Packet(timestamp uint32, marker bool, payload []byte) (Digit, bool) {
	if len(payload) < payloadSize || int(payload[0]) >= len(keys) {
		return 0, false
	}
	e := event{
		timestamp: timestamp, code: payload[0], valid: true,
		ended:    payload[1]&0x80 != 0,
		duration: uint32(binary.BigEndian.Uint16(payload[2:])),
	}
	if old := r.find(timestamp, e.code); old != nil {
		old.ended = old.ended || e.ended
		old.duration = max(old.duration, e.duration)
		return 0, false
	}
	continues := !marker && r.continues(e)
	r.known[r.next] = e
	r.next = (r.next + 1) % remembered
	if continues {
		return 0, false
	}
	return Digit(keys[e.code]), true
}

// Known says whether a packet belongs to an event that has been taken already.
func (r *Receiver) Known(timestamp uint32, payload []byte) bool {
	return len(payload) >= payloadSize && r.find(timestamp, payload[0]) != nil
}

func (r *Receiver) find(timestamp uint32, code byte) *event {
	for i := range r.known {
		if k := &r.known[i]; k.valid && k.timestamp == timestamp && k.code == code {
			return k
		}
	}
	return nil
}

// continues says whether e is a further segment of an event that has not ended:
// one begins where the last one stopped. If the last packets of the segment
// before were lost, it still was of the longest duration.
func (r *Receiver) continues(e event) bool {
	for i := range r.known {
		k := &r.known[i]
		if !k.valid || k.ended || k.code != e.code {
			continue
		}
		if gap := e.timestamp - k.timestamp; gap != 0 && (gap == k.duration || gap == maxDuration) {
			return true
		}
	}
	return false
}
