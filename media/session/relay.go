package session

import (
	"sync/atomic"
	"time"

	"github.com/pion/rtp"

	"github.com/conclave-voice/conclave/media/dtmf"
)

// Relay passes RTP between two sessions that agreed on the same codec, without
// decoding it: for a caller whose conference is mixed at another node. It is ticked in
// place of what reads and sends the sessions' audio.
//
// Either side sees one stream that goes on: SSRC, sequence numbers and timestamps stay
// those of the session, whatever is mixed or relayed into it, and whoever relays. Gaps
// and reordering of the one side show at the other, whose jitter buffer deals with
// them. Each side has reports (RTCP) of its own.
type Relay struct {
	a, b   end
	passed *atomic.Uint64
}

// end is one of a relay's two sessions.
type end struct {
	*Session
	// taken are the telephone events that were taken here before the relay began.
	// What still comes of them is no key pressed at the other side.
	taken dtmf.Receiver
}

// NewRelay makes one; tick it with the engine. It counts the packets that it passes on
// in passed, which many relays may share.
func NewRelay(a, b *Session, passed *atomic.Uint64) *Relay {
	return &Relay{a: endOf(a), b: endOf(b), passed: passed}
}

func endOf(s *Session) end {
	s.mu.Lock()
	defer s.mu.Unlock()
	return end{s, s.decode.events}
}

// Tick passes on what has arrived. It holds one session's lock at a time.
func (r *Relay) Tick(now time.Duration, by *Traffic) {
	r.pass(&r.a, &r.b, now, by)
	r.pass(&r.b, &r.a, now, by)
}

func (r *Relay) pass(from, to *end, now time.Duration, by *Traffic) {
	passed := uint64(0)
	for range maxDrain {
		h, payload, more := from.fetch(by.in.data[0][:], now)
		if !more {
			break
		}
		if len(payload) > 0 {
			to.relay(h, payload, by)
			passed++
		}
	}
	if passed > 0 {
		r.passed.Add(passed)
	}
	from.mu.Lock()
	defer from.mu.Unlock()
	if !from.closed {
		from.control(now, by.in)
	}
}

// relayed is a packet on its way from one session to the other.
type relayed struct {
	rtp.Header
	event bool   // a telephone event (RFC 4733), not audio
	noise bool   // comfort noise (RFC 3389)
	codec string // of the session that it came to
}

// fetch takes one datagram into buf. The payload lies there; it is empty if it is not to be
// passed on. more is false when there is none left.
func (s *end) fetch(buf []byte, now time.Duration) (h relayed, payload []byte, more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return h, nil, false
	}
	size, from, ok := s.rtp.receive(buf)
	if !ok {
		return h, nil, false
	}
	if !s.accept(buf[:size], from, now) {
		return h, nil, true
	}
	h.Header, h.codec = s.packet.Header, s.agreed.Format.Name
	h.event = s.agreed.DTMF != 0 && s.packet.PayloadType == s.agreed.DTMF
	h.noise = !h.event && isNoise(s.agreed, s.packet.PayloadType)
	// For our reports; nothing is decoded here.
	switch {
	case h.noise:
		s.decode.buffer.Skip(h.SequenceNumber)
	case !h.event:
		s.decode.buffer.Pass(h.SequenceNumber, h.Timestamp, now)
	default:
		s.decode.buffer.Skip(h.SequenceNumber)
		if s.taken.Known(h.Timestamp, s.packet.Payload) {
			return h, nil, true
		}
		// So that this end, when the relay is over, does not take it for a new one.
		s.decode.events.Packet(h.Timestamp, h.Marker, s.packet.Payload)
	}
	return h, s.packet.Payload, true
}

// splice is how a relayed stream is laid into ours.
type splice struct {
	known     bool
	ssrc      uint32 // of the relayed stream
	sequence  uint16 // ours minus theirs
	timestamp uint32 // likewise
}

// relay sends a packet of another session as the next of our stream.
func (s *Session) relay(h relayed, payload []byte, by *Traffic) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := &s.encode
	if s.closed || s.decode.rate == 0 || !s.sending() || h.codec != s.agreed.Format.Name || h.event && s.agreed.DTMF == 0 || len(payload) > maxPayload {
		e.splice.known = false // what is not sent must not look lost
		return
	}
	if !e.splice.known || e.splice.ssrc != h.SSRC {
		e.splice = splice{known: true, ssrc: h.SSRC,
			sequence: e.header.SequenceNumber - h.SequenceNumber, timestamp: e.header.Timestamp - h.Timestamp}
		h.Marker = h.Marker || !h.event
	}
	next := e.header
	e.header.SequenceNumber, e.header.Timestamp = h.SequenceNumber+e.splice.sequence, h.Timestamp+e.splice.timestamp
	e.header.Marker, e.header.PayloadType = h.Marker, uint8(s.agreed.Format.PayloadType)
	switch {
	case h.event:
		e.header.PayloadType = s.agreed.DTMF
	case h.noise:
		e.header.PayloadType = noiseType(s.agreed)
	}
	s.put(copy(e.room(len(payload)), payload), by)
	// Our own stream, when it goes on, goes on behind the newest packet.
	after := e.header
	e.header = next
	if int16(after.SequenceNumber-next.SequenceNumber) >= 0 {
		e.header.SequenceNumber = after.SequenceNumber + 1
		e.header.Timestamp = after.Timestamp + uint32(s.agreed.Format.ClockRate/50)
	}
	e.marker, e.shared = true, nil
	e.pack.drop()
}
