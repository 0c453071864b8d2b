package session

import (
	"math"
	"time"

	"github.com/pion/rtcp"

	"github.com/conclave-voice/conclave/media/playout"
	"github.com/conclave-voice/conclave/media/quality"
)

// Extended reports (RFC 3611) are sent to a peer that has asked for them in SDP, or sends
// them. Others would have to ignore them (RFC 3550 section 6.1), but some gateways count
// what they do not know as errors.

// unavailable is what a field of one octet says that has nothing to tell (RFC 3611
// section 4.7).
const unavailable = 127

// What Receiver Configuration says of us (section 4.7.6): losses are concealed by what was
// heard before, and the jitter buffer adapts.
const adaptiveConcealing = 3<<6 | 3<<4

// PeerMetrics are what the peer tells of what it hears of us (RFC 3611 section 4.7). What
// it does not tell is zero.
type PeerMetrics struct {
	Known             bool    // it has told something
	MOS, ListeningMOS float64 // as the peer itself rates it, 1 to 5
	R                 float64 // likewise, 1 to 100
	Lost, Discarded   float64 // share of the packets of the whole call, 0 to 1
	EndSystemDelay    time.Duration
	Buffer            time.Duration // its jitter buffer's delay
	SignalLevel       int           // of speech, dBm0
	NoiseLevel        int           // of silence, dBm0
}

// extends says whether the peer is sent extended reports.
func (s *Session) extends() bool { return s.agreed.XR || s.reports.extended }

// extendedReport tells how the peer's stream was over the whole call; and the time, to a
// peer of whom we only receive, so that it can answer with how long it took (section 4.4).
func (s *Session) extendedReport(now time.Duration) *rtcp.ExtendedReport {
	x := &rtcp.ExtendedReport{SenderSSRC: s.encode.header.SSRC}
	if s.decode.known {
		x.Reports = append(x.Reports, s.metrics())
	}
	if s.reports.packets == 0 {
		x.Reports = append(x.Reports, &rtcp.ReceiverReferenceTimeReportBlock{NTPTimestamp: ntp(time.Now())})
	}
	if s.reports.peerRR != 0 {
		x.Reports = append(x.Reports, &rtcp.DLRRReportBlock{Reports: []rtcp.DLRRReport{
			{SSRC: s.reports.receiver, LastRR: s.reports.peerRR, DLRR: shortTime(now - s.reports.peerRRAt)}}})
	}
	return x
}

// metrics is the block of VoIP metrics (section 4.7).
func (s *Session) metrics() *rtcp.VoIPMetricsReportBlock {
	st, losses := s.decode.buffer.Stats(), s.decode.buffer.Losses()
	counts, bursts := losses.Counts(), losses.Bursts(st.Packet)
	b := &rtcp.VoIPMetricsReportBlock{
		SSRC:     s.decode.ssrc,
		LossRate: fraction(float64(counts.Lost) / float64(max(counts.Total(), 1))), DiscardRate: fraction(float64(counts.Late) / float64(max(counts.Total(), 1))),
		BurstDensity: fraction(bursts.BurstDensity), GapDensity: fraction(bursts.GapDensity),
		BurstDuration: milliseconds(bursts.Burst), GapDuration: milliseconds(bursts.Gap),
		RoundTripDelay: milliseconds(s.stats.RoundTrip), EndSystemDelay: milliseconds(st.Delay + FrameTime + s.agreed.PacketTime),
		SignalLevel: unavailable, NoiseLevel: unavailable, RERL: unavailable, Gmin: quality.Gmin,
		RFactor: unavailable, ExtRFactor: unavailable, MOSLQ: unavailable, MOSCQ: unavailable,
	}
	if st.Voice+st.Concealed+st.Passed > 0 { // else it is passed on, and played by another
		b.RXConfig = adaptiveConcealing
		b.JBNominal, b.JBMaximum, b.JBAbsMax = milliseconds(st.Target), milliseconds(playout.MaxDelay), milliseconds(playout.MaxDelay)
	}
	if counts.Total() > 0 {
		r := s.arrived(counts, st).Rate()
		b.RFactor, b.MOSLQ, b.MOSCQ = uint8(math.Round(r.R)), uint8(math.Round(10*r.ListeningMOS)), uint8(math.Round(10*r.MOS))
	}
	return b
}

// takeExtended reads the peer's extended report, which came at now by the engine's clock.
func (s *Session) takeExtended(x *rtcp.ExtendedReport, now time.Duration, arrival time.Time) {
	s.reports.extended = true
	for _, block := range x.Reports {
		switch b := block.(type) {
		case *rtcp.VoIPMetricsReportBlock:
			if b.SSRC == s.encode.header.SSRC {
				s.metering.peer = peerMetrics(b)
			}
		case *rtcp.ReceiverReferenceTimeReportBlock:
			s.reports.receiver, s.reports.peerRR, s.reports.peerRRAt = x.SenderSSRC, uint32(b.NTPTimestamp>>16), now
		case *rtcp.DLRRReportBlock:
			for _, r := range b.Reports {
				if r.SSRC == s.encode.header.SSRC && r.LastRR != 0 {
					s.tripped(r.LastRR, r.DLRR, arrival)
				}
			}
		}
	}
}

func peerMetrics(b *rtcp.VoIPMetricsReportBlock) PeerMetrics {
	within := func(v, least, most uint8) float64 {
		if v < least || v > most {
			return 0
		}
		return float64(v)
	}
	level := func(v uint8) int {
		if v == unavailable {
			return 0
		}
		return int(int8(v))
	}
	return PeerMetrics{Known: true,
		MOS: within(b.MOSCQ, 10, 50) / 10, ListeningMOS: within(b.MOSLQ, 10, 50) / 10, R: within(b.RFactor, 0, 100),
		Lost: float64(b.LossRate) / 256, Discarded: float64(b.DiscardRate) / 256,
		EndSystemDelay: time.Duration(b.EndSystemDelay) * time.Millisecond, Buffer: time.Duration(b.JBNominal) * time.Millisecond,
		SignalLevel: level(b.SignalLevel), NoiseLevel: level(b.NoiseLevel)}
}

// fraction is a share in 256ths, as RTCP counts.
func fraction(share float64) uint8 { return uint8(min(256*share, 255)) }

// milliseconds is a time as the block has it.
func milliseconds(d time.Duration) uint16 { return uint16(min(d.Milliseconds(), math.MaxUint16)) }

// shortTime is a time in 1/65536 s.
func shortTime(d time.Duration) uint32 { return uint32(d * 65536 / time.Second) }
