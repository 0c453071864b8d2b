package session

import (
	"time"

	"github.com/pion/rtcp"

	"github.com/conclave-voice/conclave/media/playout"
	"github.com/conclave-voice/conclave/media/quality"
)

const (
	// meterInterval is how long what arrives is counted before it is rated.
	meterInterval = 5 * time.Second
	// fewPackets are too few to be rated: the interval goes on.
	fewPackets = 25
	// peerBuffer is assumed of the peer's jitter buffer while it does not tell: two packets.
	peerBuffer = 40 * time.Millisecond
)

// Quality is how good both directions are, as far as this end can know.
type Quality struct {
	Inbound  quality.Figures // what is heard of the peer
	Outbound quality.Figures // what the peer hears of us, by its reports; zero if it sends none
	Peer     PeerMetrics
}

// metering rates both directions: the inbound one by what is counted here, the outbound
// one by each report of the peer.
type metering struct {
	codec    quality.Codec
	next     time.Duration  // when the interval ends
	begin    quality.Counts // at its begin
	inbound  quality.Meter
	outbound quality.Meter

	reported   bool   // the peer has reported on our stream
	reportedTo uint16 // up to this sequence number
	peer       PeerMetrics
}

// meter rates what arrived since the last time, if it is due.
func (s *Session) meter(now time.Duration) {
	m := &s.metering
	if s.decode.rate == 0 || now < m.next {
		return
	}
	m.next = now + meterInterval
	losses := s.decode.buffer.Losses()
	part := losses.Counts().Since(m.begin)
	if part.Total() < fewPackets {
		return
	}
	m.begin = losses.Counts()
	m.inbound.Add(s.arrived(part, s.decode.buffer.Stats()))
}

// arrived is a sample of the inbound direction. Its delay is that of the network, of the
// packet that has to be full before it is sent, and of the jitter buffer.
func (s *Session) arrived(part quality.Counts, st playout.Stats) quality.Sample {
	return quality.Sample{
		Path: quality.Path{Codec: s.metering.codec, Loss: part.Share(), BurstRatio: part.BurstRatio(),
			Delay: s.stats.RoundTrip/2 + st.Packet + s.metering.codec.LookAhead + st.Delay},
		Jitter: st.Jitter, Length: time.Duration(part.Total()) * st.Packet,
	}
}

// heardOf rates the outbound direction by a block of the peer's report. What the peer
// received and threw away, for it came too late, only extended reports tell, over the
// whole call.
func (s *Session) heardOf(r rtcp.ReceptionReport) {
	m := &s.metering
	to := uint16(r.LastSequenceNumber)
	packets := int64(int16(to - m.reportedTo))
	if !m.reported {
		packets = int64(s.reports.packets)
	}
	m.reported, m.reportedTo = true, to
	if packets <= 0 || packets > int64(s.reports.packets) {
		return // a repetition, an older one, or a report on what was not sent
	}
	buffer := m.peer.Buffer
	if buffer == 0 {
		buffer = peerBuffer
	}
	m.outbound.Add(quality.Sample{
		Path: quality.Path{Codec: m.codec, Loss: min(1, float64(r.FractionLost)/256+m.peer.Discarded),
			Delay: s.stats.RoundTrip/2 + FrameTime + s.agreed.PacketTime + m.codec.LookAhead + buffer},
		Jitter: s.stats.PeerJitter, Length: time.Duration(packets) * s.agreed.PacketTime,
	})
}

// quality is what Stats tells. A call that is too short for an interval is rated by what
// there is.
func (s *Session) quality(st playout.Stats) Quality {
	m := &s.metering
	inbound := m.inbound
	if s.decode.buffer != nil && inbound.Figures().Rated == 0 {
		losses := s.decode.buffer.Losses()
		inbound.Add(s.arrived(losses.Counts(), st))
	}
	return Quality{Inbound: inbound.Figures(), Outbound: m.outbound.Figures(), Peer: m.peer}
}
