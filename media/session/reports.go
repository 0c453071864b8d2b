package session

import (
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/pion/rtcp"
)

// reportInterval is RFC 3550's minimum for a session of two (section 6.2).
const reportInterval = 5 * time.Second

// ntpEpoch is how many seconds NTP's era began before Unix's.
const ntpEpoch = 2_208_988_800

// reports is the state of RTCP: what we sent, and the peer's last reports.
type reports struct {
	next    time.Duration // when ours is due; 0 before start
	look    time.Duration // when the peer's are looked for next
	packets uint32        // sent so far
	octets  uint32
	peerSR  uint32        // middle 32 bits of the NTP time of the peer's last sender report
	peerAt  time.Duration // when it came

	extended bool          // the peer has sent extended reports
	receiver uint32        // SSRC of who sent the last receiver reference time (RFC 3611 section 4.4)
	peerRR   uint32        // as peerSR, of that time
	peerRRAt time.Duration // when it came
}

// start lets the first report leave after half the interval (section 6.2).
func (r *reports) start(now time.Duration) {
	if r.next == 0 {
		r.next = now + jittered(reportInterval/2)
	}
}

// jittered spreads reports over 0.5 to 1.5 of the interval (section 6.3.1), so
// that those of many calls do not fall together.
func jittered(d time.Duration) time.Duration {
	return d/2 + rand.N(d)
}

// report sends a compound SR or RR with SDES, and XR for who takes it, when it is due.
func (s *Session) report(now time.Duration) {
	if s.decode.rate == 0 || now < s.reports.next {
		return
	}
	s.reports.next = now + jittered(reportInterval)
	packets := []rtcp.Packet{s.ownReport(now), s.description()}
	if s.extends() {
		packets = append(packets, s.extendedReport(now))
	}
	s.sendCompound(packets...)
}

// ownReport is a sender report if we sent anything, else a receiver report.
func (s *Session) ownReport(now time.Duration) rtcp.Packet {
	s.settle()
	var blocks []rtcp.ReceptionReport
	if s.decode.known {
		blocks = append(blocks, s.reception(now))
	}
	if s.reports.packets == 0 {
		return &rtcp.ReceiverReport{SSRC: s.encode.header.SSRC, Reports: blocks}
	}
	return &rtcp.SenderReport{
		SSRC: s.encode.header.SSRC, NTPTime: ntp(time.Now()), RTPTime: s.encode.header.Timestamp,
		PacketCount: s.reports.packets, OctetCount: s.reports.octets, Reports: blocks,
	}
}

// reception describes what we got of the peer's stream (section 6.4.1).
func (s *Session) reception(now time.Duration) rtcp.ReceptionReport {
	r := s.decode.buffer.Report()
	block := rtcp.ReceptionReport{
		SSRC: s.decode.ssrc, FractionLost: r.FractionLost, TotalLost: r.TotalLost,
		LastSequenceNumber: r.HighestSequence, Jitter: r.Jitter, LastSenderReport: s.reports.peerSR,
	}
	if s.reports.peerSR != 0 {
		block.Delay = shortTime(now - s.reports.peerAt)
	}
	return block
}

// description names us by a value that tells nothing (RFC 7022).
func (s *Session) description() rtcp.Packet {
	return rtcp.NewCNAMESourceDescription(s.encode.header.SSRC, cname(s.encode.header.SSRC))
}

func cname(ssrc uint32) string {
	const digits = "0123456789abcdef"
	b := make([]byte, 8)
	for i := range b {
		b[i] = digits[ssrc>>(4*i)&15]
	}
	return string(b)
}

func (s *Session) sendBye() {
	if s.decode.rate == 0 || s.reports.packets == 0 {
		return
	}
	s.sendCompound(&rtcp.ReceiverReport{SSRC: s.encode.header.SSRC}, s.description(),
		&rtcp.Goodbye{Sources: []uint32{s.encode.header.SSRC}})
}

// sendCompound sends to the port that was signalled, at the address that RTP
// comes from.
func (s *Session) sendCompound(packets ...rtcp.Packet) {
	to := s.rtcpTarget()
	if !to.IsValid() || to.Addr().IsUnspecified() {
		return
	}
	b, err := rtcp.Marshal(packets)
	if err == nil {
		err = s.rtcp.send(b, to)
	}
	if err != nil {
		s.stats.SendErrors++
	}
}

func (s *Session) rtcpTarget() netip.AddrPort {
	rtp := s.source.target()
	if rtp == s.agreed.Remote {
		return s.agreed.RemoteRTCP
	}
	// Learned behind a NAT: the next port is the likely one (RFC 3550 section 11).
	return netip.AddrPortFrom(rtp.Addr(), rtp.Port()+1)
}

// takeRTCP reads the peer's reports. Only the host that RTP comes from is heard.
// They came at the time arrival, which is now on the engine's clock.
func (s *Session) takeRTCP(b []byte, from netip.AddrPort, now time.Duration, arrival time.Time) {
	if s.decode.rate == 0 || from.Addr() != s.source.target().Addr() {
		s.stats.Strays++
		return
	}
	packets, err := rtcp.Unmarshal(b)
	if err != nil {
		s.stats.Malformed++
		return
	}
	for _, p := range packets {
		switch p := p.(type) {
		case *rtcp.SenderReport:
			s.reports.peerSR = uint32(p.NTPTime >> 16)
			s.reports.peerAt = now
			s.takeReception(p.Reports, arrival)
		case *rtcp.ReceiverReport:
			s.takeReception(p.Reports, arrival)
		case *rtcp.ExtendedReport:
			s.takeExtended(p, now, arrival)
		}
	}
}

// takeReception reads what the peer got of our stream.
func (s *Session) takeReception(list []rtcp.ReceptionReport, arrival time.Time) {
	for _, r := range list {
		if r.SSRC != s.encode.header.SSRC {
			continue
		}
		s.stats.PeerLoss = float64(r.FractionLost) / 256
		s.encode.pack.protect(s.stats.PeerLoss)
		if clock := s.agreed.Format.ClockRate; clock > 0 {
			s.stats.PeerJitter = time.Duration(r.Jitter) * time.Second / time.Duration(clock)
		}
		if r.LastSenderReport != 0 {
			s.tripped(r.LastSenderReport, r.Delay, arrival)
		}
		s.heardOf(r)
	}
}

// tripped finds the round trip time, of a report of ours that the peer had for a while
// (section 6.4.1: A - LSR - DLSR, in units of 1/65536 s).
func (s *Session) tripped(sent, held uint32, arrival time.Time) {
	trip := uint32(ntp(arrival)>>16) - sent - held
	if rtt := time.Duration(trip) * time.Second / 65536; rtt < 10*time.Second {
		s.stats.RoundTrip = rtt
	}
}

// ntp is a time as RFC 3550 section 4 has it: seconds since 1900 in the upper
// half, the fraction in the lower.
func ntp(t time.Time) uint64 {
	seconds := uint64(t.Unix() + ntpEpoch)
	fraction := uint64(t.Nanosecond()) << 32 / uint64(time.Second)
	return seconds<<32 | fraction
}
