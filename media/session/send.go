package session

// Send encodes and sends one frame of 20 ms. A frame of another rate than Rate()
// is dropped: the format changed since the caller asked.
func (s *Session) Send(pcm []int16) {
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
	e.pending += copy(e.samples[e.pending:], pcm)
	sent := 0
	for e.pending-sent >= e.perPacket {
		n, err := e.encoder.Encode(e.out[headerLength:], e.samples[sent:sent+e.perPacket])
		sent += e.perPacket
		if err != nil {
			s.stats.SendErrors++
			n = 0
		}
		if n == 0 { // an error, or the codec marks silence
			e.header.Timestamp += e.step
			e.marker, e.splice.known = true, false
			continue
		}
		s.transmit(n, e.step)
	}
	copy(e.samples, e.samples[sent:e.pending])
	e.pending -= sent
}

// Shareable says whether another session's encoding of the same audio can be
// sent by SendEncoded, and the name under which encodings are the same.
func (s *Session) Shareable() (key string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.encode.codec.Name, s.encode.codec.Stateless && s.encode.perPacket == s.decode.rate/50
}

// Encode encodes a frame without sending it, into dst, for others to send by
// SendEncoded. Only for a session that is Shareable.
func (s *Session) Encode(dst []byte, pcm []int16) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return 0, errClosed
	}
	return s.encode.encoder.Encode(dst, pcm)
}

// SendEncoded sends one frame of 20 ms that was encoded before.
func (s *Session) SendEncoded(payload []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.decode.rate == 0 {
		return
	}
	step := uint32(s.agreed.Format.ClockRate / 50)
	if !s.sending() {
		s.encode.pause(step)
		return
	}
	s.transmit(copy(s.encode.out[headerLength:], payload), step)
}

func (s *Session) sending() bool {
	return s.agreed.Direction.Sends() && !s.agreed.Remote.Addr().IsUnspecified()
}

// pause lets the media clock run while nothing is sent (RFC 3550 section 5.1).
func (e *encoding) pause(step uint32) {
	e.header.Timestamp += step
	e.pending, e.marker, e.splice.known = 0, true, false
}

// transmit sends the payload of n octets that is in out, as the next of our stream.
func (s *Session) transmit(n int, step uint32) {
	e := &s.encode
	e.header.Marker, e.marker = e.marker, false
	s.put(n)
	e.splice.known = false
	e.header.SequenceNumber++
	e.header.Timestamp += step
}

// put sends the payload of n octets that is in out, with the header as it is.
func (s *Session) put(n int) {
	e := &s.encode
	if _, err := e.header.MarshalTo(e.out[:headerLength]); err != nil {
		s.stats.SendErrors++
	} else if err := s.rtp.send(e.out[:headerLength+n], s.source.target()); err != nil {
		s.stats.SendErrors++
	} else {
		s.stats.Sent++
		s.reports.octets += uint32(n)
		s.reports.packets++
	}
}
