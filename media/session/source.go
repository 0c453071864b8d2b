package session

import (
	"net/netip"
	"time"
)

// How a source other than the one in the SDP is learned.
const (
	// latchPackets is how many consecutive packets of one SSRC it must send.
	latchPackets = 4
	// latchWindow is how long after an offer/answer it may be learned at all. A
	// caller behind a NAT sends within a second or two of the answer; the rest
	// is for callers who first listen to early media or are slow to start.
	latchWindow = 10 * time.Second
)

// source decides whose packets are taken. It is pure: time comes with each call.
//
// The addresses that it trusts follow SPEC SE3: the SDP's own, else the first
// other that fits, then locked until the next offer/answer.
type source struct {
	exact     bool           // nobody but who was signalled is learned
	signalled netip.AddrPort // from the SDP
	locked    netip.AddrPort // whose packets are taken; zero until one is
	previous  netip.AddrPort // locked before the last re-arm: taken until the new peer shows
	deadline  time.Duration  // end of the window for learning

	candidate     netip.AddrPort
	candidateSSRC uint32
	candidateSeq  uint16
	candidateRun  int
}

// arm starts a new round after an offer/answer whose peer is at signalled.
func (s *source) arm(signalled netip.AddrPort, now time.Duration) {
	if signalled == s.signalled && s.locked.IsValid() {
		return // nothing moved: a session refresh, hold, or a change of codec
	}
	// Packets of the old peer still arrive while the new one starts.
	s.previous = s.locked
	s.signalled, s.locked = signalled, netip.AddrPort{}
	s.deadline = now + latchWindow
	s.candidateRun = 0
}

// accept says whether a packet is taken.
func (s *source) accept(from netip.AddrPort, ssrc uint32, seq uint16, now time.Duration) bool {
	if s.locked.IsValid() {
		return from == s.locked
	}
	if from == s.signalled {
		s.lock(from)
		return true
	}
	if from == s.previous {
		return true
	}
	return !s.exact && now <= s.deadline && s.learn(from, ssrc, seq)
}

// learn counts consecutive packets of a stranger and locks to it when enough
// came. The packets before that are not taken: a burst of one packet each from
// many sources must not be heard.
func (s *source) learn(from netip.AddrPort, ssrc uint32, seq uint16) bool {
	if from == s.candidate && ssrc == s.candidateSSRC && seq == s.candidateSeq+1 {
		s.candidateRun++
	} else {
		s.candidate, s.candidateSSRC, s.candidateRun = from, ssrc, 1
	}
	s.candidateSeq = seq
	if s.candidateRun < latchPackets {
		return false
	}
	s.lock(from)
	return true
}

func (s *source) lock(from netip.AddrPort) {
	s.locked, s.previous = from, netip.AddrPort{}
}

// target is where to send: to the source that was learned, so that our packets
// pass the NAT that theirs came through, else where the SDP says.
func (s *source) target() netip.AddrPort {
	if s.locked.IsValid() {
		return s.locked
	}
	return s.signalled
}
