package session

import (
	"errors"
	"net/netip"
	"time"

	"github.com/conclave-voice/conclave/media/playout"
)

var errClosed = errors.New("the media session is closed")

// Receive takes in what has arrived since the last tick, and sends a report when
// one is due. now is the time since the engine's start.
func (s *Session) Receive(now time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	b := s.ports.batches.take()
	defer s.ports.batches.giveBack(b)
	for range maxDrain / batchSize {
		n := b.receive(s.rtp)
		for i := range n {
			datagram, from := b.datagram(i)
			s.takeRTP(datagram, from, now)
		}
		if n < batchSize {
			break
		}
	}
	s.control(now, b)
}

// controlTime is how often a session looks for the peer's reports, of which there are some
// in ten seconds: looking costs as much as taking a packet. When they came is the kernel's
// word.
const controlTime = 200 * time.Millisecond

// control takes the peer's reports, rates what arrives, and sends our report when it is due.
func (s *Session) control(now time.Duration, b *batch) {
	if now >= s.reports.look {
		s.reports.look = now + jittered(controlTime)
		n := b.receive(s.rtcp)
		clock := time.Now()
		for i := range n {
			datagram, from := b.datagram(i)
			age := b.age(i, clock)
			s.takeRTCP(datagram, from, now-age, clock.Add(-age))
		}
	}
	s.meter(now)
	s.report(now)
}

// accept reads a datagram into packet, and says whether it is one of the peer's
// stream that is to be played: no stray, and not while the call is held.
func (s *Session) accept(b []byte, from netip.AddrPort, now time.Duration) bool {
	if s.decode.rate == 0 {
		s.stats.Strays++
		return false
	}
	if s.packet.Unmarshal(b) != nil || s.packet.Version != 2 || !s.expected(s.packet.PayloadType) {
		s.stats.Malformed++
		return false
	}
	h := &s.packet.Header
	if !s.source.accept(from, h.SSRC, h.SequenceNumber, now) {
		s.stats.Strays++
		return false
	}
	s.stats.Received++
	s.last = now
	if s.agreed.DTMF != 0 && h.PayloadType == s.agreed.DTMF {
		s.keyed = now
	}
	if !s.agreed.Direction.Receives() {
		return false // the caller is on hold; what it sends all the same is not played
	}
	if !s.decode.known || h.SSRC != s.decode.ssrc {
		// A transfer behind the peer, or its restart: another stream altogether.
		if s.decode.known {
			s.decode.buffer.Reset()
		}
		s.decode.ssrc, s.decode.known = h.SSRC, true
	}
	return true
}

func (s *Session) takeRTP(b []byte, from netip.AddrPort, now time.Duration) {
	if !s.accept(b, from, now) {
		return
	}
	h := &s.packet.Header
	if s.agreed.DTMF != 0 && h.PayloadType == s.agreed.DTMF {
		s.takeEvent()
		return
	}
	if isNoise(s.agreed, h.PayloadType) {
		s.decode.comfort.take(s.packet.Payload, s.decode.rate)
		s.decode.buffer.Pause(h.SequenceNumber)
		return
	}
	s.decode.comfort.audio()
	s.decode.buffer.Push(h.SequenceNumber, h.Timestamp, s.packet.Payload, now)
}

// expected says whether the payload type was agreed.
func (s *Session) expected(pt uint8) bool {
	return int(pt) == s.agreed.Format.PayloadType || (s.agreed.DTMF != 0 && pt == s.agreed.DTMF) || isNoise(s.agreed, pt)
}

func (s *Session) takeEvent() {
	digit, ok := s.decode.events.Packet(s.packet.Timestamp, s.packet.Marker, s.packet.Payload)
	if ok && !s.digits.push(digit) {
		s.stats.DigitsDropped++
	}
	// The event took the place of audio: its sequence numbers are not losses.
	s.decode.buffer.Skip(s.packet.SequenceNumber)
}

// Read fills pcm with the next frame: Rate()/50 samples. It returns how many
// samples there are (0 before the first Apply, or if pcm is too short for the
// rate) and whether they are voice, a concealed loss, or silence,
// in which the peer's comfort noise may be.
func (s *Session) Read(pcm []int16) (n int, status playout.Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n = s.decode.rate / 50
	if s.closed || n == 0 || len(pcm) < n {
		return 0, playout.Silence
	}
	status = s.decode.buffer.Read(pcm[:n])
	s.decode.comfort.fill(pcm[:n], status)
	return n, status
}

// Skip is Read for who is not listened to: the next 20 ms pass without being decoded. It
// returns how many samples Read would have given.
func (s *Session) Skip() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.decode.rate == 0 {
		return 0
	}
	s.decode.buffer.Advance()
	return s.decode.rate / 50
}
