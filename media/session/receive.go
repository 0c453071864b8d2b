package session

import (
	"errors"
	"net/netip"
	"time"

	"github.com/conclave-voice/conclave/media/playout"
)

var errClosed = errors.New("the media session is closed")

// Receive takes in what has arrived since the last tick, and sends a report when
// one is due. now is the time since the engine's start. Who has many sessions has a
// [Traffic], which does this without making room first.
func (s *Session) Receive(now time.Duration) { s.receive(now, newBatch()) }

func (s *Session) receive(now time.Duration, b *batch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	if !s.steady.one() || !s.takeOne(b, now) {
		s.drain(b, now)
	}
	s.control(now, b)
}

// drain takes what has arrived.
func (s *Session) drain(b *batch, now time.Duration) {
	taken, audio := 0, true
	for range maxDrain / batchSize {
		n := b.receive(s.rtp)
		for i := range n {
			datagram, from := b.datagram(i)
			audio = s.takeRTP(datagram, from, now) && audio
		}
		taken += n
		if n < batchSize {
			break
		}
	}
	s.steady.note(taken == 1 && audio)
}

// takeOne takes one datagram. It is false if that was none of the peer's audio, behind which
// audio may wait.
func (s *Session) takeOne(b *batch, now time.Duration) bool {
	n, from, ok := s.rtp.receive(b.data[0][:])
	audio := ok && s.takeRTP(b.data[0][:n], from, now)
	s.steady.note(audio)
	return audio || !ok
}

// steady is for how many ticks exactly one packet of audio has come in each. From a peer
// that is steady one datagram is asked for, which costs two thirds of asking whether there
// are more. Should there be one, it has come early, and is taken in the next tick, in which
// it was due. Now and then there is a look at all, should the way have become shorter.
type steady int

// steadyTicks make a peer steady, and are how often all is taken from one that is.
const steadyTicks = 10

// one says whether to ask for one datagram in this tick.
func (s steady) one() bool { return s%steadyTicks != 0 && s > steadyTicks }

// note takes in a tick.
func (s *steady) note(one bool) {
	if *s++; !one {
		*s = 0
	}
}

// controlTime is how often a session looks for the peer's reports, of which there are some
// in ten seconds: looking costs as much as taking a packet. When they came is the kernel's
// word.
const controlTime = time.Second

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

// takeRTP takes in a datagram. It says whether it was audio of the peer.
func (s *Session) takeRTP(b []byte, from netip.AddrPort, now time.Duration) bool {
	if !s.accept(b, from, now) {
		return false
	}
	h := &s.packet.Header
	if s.agreed.DTMF != 0 && h.PayloadType == s.agreed.DTMF {
		s.takeEvent()
		return false
	}
	if isNoise(s.agreed, h.PayloadType) {
		s.decode.comfort.take(s.packet.Payload, s.decode.rate)
		s.decode.buffer.Pause(h.SequenceNumber)
		return false
	}
	s.decode.comfort.audio()
	s.decode.buffer.Push(h.SequenceNumber, h.Timestamp, s.packet.Payload, now)
	return true
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
