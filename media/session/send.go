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
	if e.shared != nil {
		e.shared.handBack(&e.pack)
		e.shared = nil
	}
	e.pack.add(pcm)
	for e.pack.ready() {
		n, err := e.pack.encode(e.out[headerLength:])
		if err != nil {
			s.stats.SendErrors++
			n = 0
		}
		s.transmit(n)
	}
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
func (s *Session) transmit(n int) {
	e := &s.encode
	if n == 0 {
		e.header.Timestamp += e.step
		e.marker, e.splice.known = true, false
		return
	}
	e.header.Marker, e.marker = e.marker, false
	s.put(n)
	e.splice.known = false
	e.header.SequenceNumber++
	e.header.Timestamp += e.step
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
