package session

import "sync/atomic"

// Send encodes and sends one frame of 20 ms, at once. A frame of another rate than Rate()
// is dropped: the format changed since the caller asked.
func (s *Session) Send(pcm []int16) { s.send(pcm, nil) }

func (s *Session) send(pcm []int16, by *Traffic) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.decode.rate == 0 || len(pcm) != s.decode.rate/50 {
		return
	}
	e := &s.encode
	if !s.sending() {
		e.pause(uint32(s.agreed.Format.ClockRate / 50))
		return
	}
	if e.shared != nil {
		e.shared.handBack(&e.pack)
		e.shared = nil
	}
	e.pack.add(pcm)
	for e.pack.ready() {
		n, err := e.pack.encode(e.room(e.most))
		if err != nil {
			s.stats.SendErrors++
			n = 0
		}
		s.transmit(n, by)
	}
}

// room is where a payload of at most so many octets goes. It has what the largest needed so
// far, which for G.711 is an eighth of maxPayload.
func (e *encoding) room(octets int) []byte {
	if need := headerLength + octets; need > len(e.out) {
		e.out = make([]byte, need)
	}
	return e.out[headerLength:]
}

func (s *Session) sending() bool {
	return s.agreed.Direction.Sends() && !s.agreed.Remote.Addr().IsUnspecified()
}

// pause lets the media clock run while nothing is sent (RFC 3550 section 5.1).
func (e *encoding) pause(step uint32) {
	e.header.Timestamp += step
	e.pack.drop()
	e.shared, e.marker, e.splice.known = nil, true, false
}

// transmit sends the payload of n octets that is in out, as the next of our stream. 0
// octets are an error of the codec, or the silence that it marks: its time passes.
func (s *Session) transmit(n int, by *Traffic) {
	e := &s.encode
	if n == 0 {
		e.header.Timestamp += e.step
		e.marker, e.splice.known = true, false
		return
	}
	e.header.Marker, e.marker = e.marker, false
	s.put(n, by)
	e.splice.known = false
	e.header.SequenceNumber++
	e.header.Timestamp += e.step
}

// put sends the payload of n octets that is in out, with the header as it is.
func (s *Session) put(n int, by *Traffic) {
	e := &s.encode
	if _, err := e.header.MarshalTo(e.out[:headerLength]); err != nil {
		s.stats.SendErrors++
	} else if err := by.put(s, e.out[:headerLength+n]); err != nil {
		s.stats.SendErrors++
	} else {
		s.stats.Sent++
		s.reports.octets += uint32(n)
		s.reports.packets++
	}
}

// unsent are packets that put has counted and a Traffic could not send, until the session
// takes note of them: a Traffic takes no session's lock.
type unsent struct{ packets, octets atomic.Uint32 }

// notSent tells of a packet of so many octets, header and all.
func (s *Session) notSent(length int) {
	s.unsent.packets.Add(1)
	s.unsent.octets.Add(uint32(length - headerLength))
}

// settle corrects what was counted by what was not sent.
func (s *Session) settle() {
	n := s.unsent.packets.Swap(0)
	s.stats.Sent -= uint64(n)
	s.stats.SendErrors += uint64(n)
	s.reports.packets -= n
	s.reports.octets -= s.unsent.octets.Swap(0)
}
