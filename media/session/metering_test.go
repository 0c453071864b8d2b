package session

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtcp"

	"github.com/conclave-voice/conclave/media/codec"
	"github.com/conclave-voice/conclave/media/offeranswer"
)

// link is a network between two sessions, over real sockets: it delays all, and loses RTP.
// Its time is that of the test's bubble.
type link struct {
	t     *testing.T
	ends  [2]*Session
	near  [2][2]*socket // RTP and RTCP that face each end
	queue []onTheWay
	loss  [2]float64 // of RTP that leaves each end
	delay time.Duration
	now   time.Duration
	rand  *rand.Rand
	xr    int // extended reports that were carried
}

// onTheWay is a datagram that arrives later.
type onTheWay struct {
	due      time.Duration
	to, port int
	data     []byte
}

// newLink connects two sessions that agree on a codec, each with its direction.
func newLink(t *testing.T, name string, xr [2]bool, directions [2]offeranswer.Direction) *link {
	t.Helper()
	l := &link{t: t, rand: rand.New(rand.NewPCG(7, 11))}
	ports, err := NewPorts(loopback, 35000, 35999)
	if err != nil {
		t.Fatal(err)
	}
	registry := codec.Standard()
	for i := range l.ends {
		if l.ends[i], err = Open(ports, registry); err != nil {
			t.Fatal(err)
		}
		rtp, rtcp, err := ports.open()
		if err != nil {
			t.Fatal(err)
		}
		l.near[i] = [2]*socket{rtp, rtcp}
	}
	t.Cleanup(func() {
		for i := range l.ends {
			l.ends[i].Close()
			l.near[i][0].close()
			l.near[i][1].close()
		}
	})
	for _, f := range registry.Formats() {
		if f.Name != name {
			continue
		}
		for i, s := range l.ends {
			apply(t, s, offeranswer.Media{Format: f, PacketTime: FrameTime, Direction: directions[i], XR: xr[i],
				Remote: l.near[i][0].local, RemoteRTCP: l.near[i][1].local}, 0)
		}
	}
	return l
}

func both() [2]offeranswer.Direction {
	return [2]offeranswer.Direction{offeranswer.SendRecv, offeranswer.SendRecv}
}

// run lets both talk for a while.
func (l *link) run(d time.Duration) {
	voice := make([]int16, 960)
	for i := range voice {
		voice[i] = int16(2000 * (i%16 - 8))
	}
	heard := make([]int16, 960)
	for end := l.now + d; l.now < end; {
		time.Sleep(FrameTime)
		l.now += FrameTime
		l.carry()
		for _, s := range l.ends {
			s.reports.look = 0 // at every tick: the kernel's word of when reports came is not of the bubble's time
			s.Receive(l.now)
			s.Read(heard[:s.Rate()/50])
			s.Send(voice[:s.Rate()/50])
		}
	}
}

// carry takes what was sent, and delivers what is due.
func (l *link) carry() {
	var buf [maxPacket]byte
	for from := range l.near {
		for port, s := range l.near[from] {
			for {
				n, _, ok := s.receive(buf[:])
				if !ok {
					break
				}
				l.take(from, port, append([]byte(nil), buf[:n]...))
			}
		}
	}
	kept := l.queue[:0]
	for _, p := range l.queue {
		if p.due > l.now {
			kept = append(kept, p)
			continue
		}
		to := l.ends[p.to].Addr()
		if err := l.near[p.to][p.port].send(p.data, netip.AddrPortFrom(to.Addr(), to.Port()+uint16(p.port))); err != nil {
			l.t.Fatal(err)
		}
	}
	l.queue = kept
}

func (l *link) take(from, port int, data []byte) {
	if port == 0 && l.rand.Float64() < l.loss[from] {
		return
	}
	if port == 1 {
		packets, err := rtcp.Unmarshal(data)
		if err != nil {
			l.t.Error(err)
		}
		for _, p := range packets {
			if _, ok := p.(*rtcp.ExtendedReport); ok {
				l.xr++
			}
		}
	}
	l.queue = append(l.queue, onTheWay{due: l.now + l.delay, to: 1 - from, port: port, data: data})
}

func (l *link) quality(end int) Quality { return l.ends[end].Stats().Quality }

// CF14: both ends know how good both directions are; with 5 % loss one way the figures of
// that direction fall, and come back.
func TestQualityFollowsLoss(t *testing.T) {
	for _, name := range []string{"PCMA", "G722"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLink(t, name, [2]bool{true, true}, both())
				l.run(20 * time.Second)
				for end := range 2 {
					q := l.quality(end)
					if q.Inbound.MOS < 4.2 || q.Outbound.MOS < 4.2 || q.Inbound.Loss != 0 || q.Outbound.Loss != 0 || q.Inbound.Rated < 14*time.Second {
						t.Fatalf("clean, end %d: %+v", end, q)
					}
				}
				clean := l.quality(1).Inbound.MOS

				l.loss[0] = 0.05
				l.run(30 * time.Second)
				heard, told, other := l.quality(1).Inbound, l.quality(0).Outbound, l.quality(0).Inbound
				// A report tells of some 250 packets, of which 5 % are not always so many.
				if heard.WorstMOS > clean-0.15 || heard.Loss < 0.005 || heard.Loss > 0.12 || told.WorstMOS > clean-0.15 || told.Loss < 0.005 || told.Loss > 0.12 {
					t.Errorf("with loss: heard %+v, told %+v", heard, told)
				}
				if other.MOS < clean-0.05 || other.Loss != 0 {
					t.Errorf("the other direction: %+v", other)
				}

				l.loss[0] = 0
				l.run(20 * time.Second)
				again := l.quality(1).Inbound
				if again.MOS < clean-0.05 || again.Loss != 0 || again.WorstMOS > clean-0.15 || again.MeanMOS < again.WorstMOS || again.MeanMOS > clean {
					t.Errorf("clean again: %+v", again)
				}
				if f := l.quality(0).Outbound; f.MOS < clean-0.1 || f.WorstMOS > clean-0.15 {
					t.Errorf("told when clean again: %+v", f)
				}
			})
		})
	}
}

// CF14: delay counts in both directions, and nobody is sent extended reports unasked.
func TestQualityFollowsDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLink(t, "PCMU", [2]bool{}, both())
		l.run(20 * time.Second)
		clean := l.quality(0)
		l.delay = 300 * time.Millisecond
		l.run(30 * time.Second)
		q := l.quality(0)
		if trip := l.ends[0].Stats().RoundTrip; trip < 590*time.Millisecond || trip > 660*time.Millisecond {
			t.Errorf("round trip %s", trip)
		}
		if q.Inbound.MOS > clean.Inbound.MOS-0.5 || q.Outbound.MOS > clean.Outbound.MOS-0.5 || q.Inbound.Delay < 300*time.Millisecond {
			t.Errorf("%+v, clean it was %+v", q, clean)
		}
		if l.xr != 0 {
			t.Errorf("%d extended reports that nobody has asked for", l.xr)
		}
	})
}

// CF14, RFC 3611 section 4.7: each end tells the other what it hears; who was not asked
// answers who sends them.
func TestExtendedReports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLink(t, "PCMU", [2]bool{true, false}, both())
		l.loss[1] = 0.1
		l.run(60 * time.Second)
		// The stream from 1 to 0 is lossy, which 0 tells 1; and 1, which has seen 0's
		// reports, tells that it hears 0 well.
		bad, good := l.quality(1).Peer, l.quality(0).Peer
		if !bad.Known || bad.Lost < 0.06 || bad.Lost > 0.14 || bad.MOS < 1 || bad.MOS > 4 || bad.ListeningMOS < bad.MOS || bad.Buffer <= 0 || bad.EndSystemDelay <= 0 {
			t.Errorf("of the lossy stream: %+v", bad)
		}
		if !good.Known || good.Lost != 0 || good.MOS < 4.2 || good.R < 85 || good.SignalLevel != 0 {
			t.Errorf("of the clean stream: %+v", good)
		}
	})
}

// CF14, RFC 3611 section 4.4: one who only receives knows the round trip too.
func TestRoundTripOfAReceiver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLink(t, "PCMU", [2]bool{true, true}, [2]offeranswer.Direction{offeranswer.SendOnly, offeranswer.RecvOnly})
		l.delay = 100 * time.Millisecond
		l.run(30 * time.Second)
		if trip := l.ends[1].Stats().RoundTrip; trip < 195*time.Millisecond || trip > 260*time.Millisecond {
			t.Errorf("round trip %s", trip)
		}
		if q := l.quality(1); q.Outbound.Rated != 0 || q.Inbound.Rated == 0 {
			t.Errorf("%+v", q)
		}
	})
}

// CF14: a call that is too short for a report is rated all the same.
func TestShortCallIsRated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLink(t, "PCMU", [2]bool{}, both())
		l.run(2 * time.Second)
		if f := l.quality(0).Inbound; f.MOS < 4.2 || f.Rated < time.Second || f.WorstMOS != f.MOS {
			t.Errorf("%+v", f)
		}
	})
}

// CF14: the VoIP metrics block as it is on the wire, and what is not told.
func TestPeerMetrics(t *testing.T) {
	b := &rtcp.VoIPMetricsReportBlock{SSRC: 1, LossRate: 64, DiscardRate: 32, EndSystemDelay: 80, SignalLevel: 0xec, NoiseLevel: 0xb9,
		RFactor: 88, MOSLQ: 42, MOSCQ: 41, JBNominal: 60}
	raw, err := rtcp.Marshal([]rtcp.Packet{&rtcp.ExtendedReport{SenderSSRC: 2, Reports: []rtcp.ReportBlock{b}}})
	if err != nil || len(raw) != 8+36 {
		t.Fatalf("%d octets, %v", len(raw), err)
	}
	want := PeerMetrics{Known: true, MOS: 4.1, ListeningMOS: 4.2, R: 88, Lost: 0.25, Discarded: 0.125,
		EndSystemDelay: 80 * time.Millisecond, Buffer: 60 * time.Millisecond, SignalLevel: -20, NoiseLevel: -71}
	if got := peerMetrics(b); got != want {
		t.Errorf("%+v", got)
	}
	b.RFactor, b.MOSLQ, b.MOSCQ, b.SignalLevel, b.NoiseLevel = unavailable, unavailable, unavailable, unavailable, unavailable
	if got := peerMetrics(b); got.MOS != 0 || got.ListeningMOS != 0 || got.R != 0 || got.SignalLevel != 0 || got.NoiseLevel != 0 {
		t.Errorf("%+v", got)
	}
}

// CF14: a report of the peer counts once, an older one not at all, nor one on what was not
// sent.
func TestReportsCountOnce(t *testing.T) {
	s, _ := open(t)
	p := newPeer(t)
	apply(t, s, p.media(offeranswer.SendRecv), 0)
	first := s.encode.header.SequenceNumber
	for range 200 {
		s.Send(make([]int16, 160))
	}
	rated := func(upTo uint16) time.Duration {
		s.heardOf(rtcp.ReceptionReport{LastSequenceNumber: 7<<16 | uint32(first+upTo)})
		return s.Stats().Quality.Outbound.Rated
	}
	const all = 200 * FrameTime // the first report is on all so far
	for _, c := range []struct {
		upTo uint16
		want time.Duration
	}{{100, all}, {100, all}, {40, all}, {100, all + 60*FrameTime}, {199, all + 159*FrameTime}, {5000, all + 159*FrameTime}} {
		if got := rated(c.upTo); got != c.want {
			t.Errorf("up to %d: %s rated, want %s", c.upTo, got, c.want)
		}
	}
}
