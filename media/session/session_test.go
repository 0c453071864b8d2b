package session

import (
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/conclave-voice/conclave/media/codec"
	"github.com/conclave-voice/conclave/media/offeranswer"
	"github.com/conclave-voice/conclave/media/playout"
	testports "github.com/conclave-voice/conclave/testenv/loopback"
)

var loopback = netip.MustParseAddr("127.0.0.1")

// peer is the other end of a session: a real socket pair.
type peer struct {
	t         *testing.T
	rtp, rtcp *net.UDPConn
	seq       uint16
	ts        uint32
}

func newPeer(t *testing.T) *peer {
	listen := func() *net.UDPConn {
		c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	return &peer{t: t, rtp: listen(), rtcp: listen(), seq: 100, ts: 1000}
}

func (p *peer) media(d offeranswer.Direction) offeranswer.Media {
	return offeranswer.Media{
		Format: codec.Format{Name: "PCMU", ClockRate: 8000, SampleRate: 8000, Channels: 1},
		DTMF:   101, Direction: d, PacketTime: FrameTime,
		Remote:     p.rtp.LocalAddr().(*net.UDPAddr).AddrPort(),
		RemoteRTCP: p.rtcp.LocalAddr().(*net.UDPAddr).AddrPort(),
	}
}

// send sends one packet of 20 ms to the session.
func (p *peer) send(s *Session, payloadType uint8, payload []byte) {
	packet := rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: payloadType, SequenceNumber: p.seq, Timestamp: p.ts, SSRC: 7}, Payload: payload}
	b, err := packet.Marshal()
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := p.rtp.WriteToUDPAddrPort(b, s.Addr()); err != nil {
		p.t.Fatal(err)
	}
	p.seq++
	if payloadType != 101 {
		p.ts += 160
	}
}

// receive takes what has arrived on a socket; on loopback it is there as soon as
// it has been sent.
func (p *peer) receive(c *net.UDPConn) [][]byte {
	var list [][]byte
	buf := make([]byte, 2000)
	for {
		if err := c.SetReadDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
			p.t.Fatal(err)
		}
		n, err := c.Read(buf)
		if err != nil {
			return list
		}
		list = append(list, append([]byte(nil), buf[:n]...))
	}
}

func open(t *testing.T) (*Session, *Ports) {
	t.Helper()
	ports, err := NewPorts(loopback, 32000, 32999)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(ports, codec.Standard())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s, ports
}

// tick is one tick of the engine's clock.
func tick(n int) time.Duration { return time.Duration(n) * FrameTime }

func apply(t *testing.T, s *Session, m offeranswer.Media, now time.Duration) {
	t.Helper()
	if err := s.Apply(m, now); err != nil {
		t.Fatal(err)
	}
}

func TestAudioBothWays(t *testing.T) {
	s, _ := open(t)
	p := newPeer(t)
	apply(t, s, p.media(offeranswer.SendRecv), 0)
	voice := make([]byte, 160)
	for i := range voice {
		voice[i] = 0x90 // a constant level in µ-law
	}
	frame := make([]int16, 160)
	heard := 0
	for i := range 20 {
		p.send(s, 0, voice)
		s.Receive(tick(i))
		if n, status := s.Read(frame); n == 160 && status == playout.Voice && frame[80] != 0 {
			heard++
		}
		s.Send(frame)
	}
	if heard < 17 {
		t.Errorf("heard %d of 20 frames", heard)
	}
	sent := p.receive(p.rtp)
	if len(sent) != 20 {
		t.Fatalf("the peer got %d packets, want 20", len(sent))
	}
	var first, last rtp.Packet
	if err := first.Unmarshal(sent[0]); err != nil {
		t.Fatal(err)
	}
	if err := last.Unmarshal(sent[19]); err != nil {
		t.Fatal(err)
	}
	if !first.Marker || last.Marker || last.SequenceNumber-first.SequenceNumber != 19 ||
		last.Timestamp-first.Timestamp != 19*160 || last.SSRC != first.SSRC || len(last.Payload) != 160 {
		t.Errorf("first %v\nlast %v", first.Header, last.Header)
	}
}

// SE3: what does not come from the peer is counted and not heard.
func TestStraysAreCountedAndDropped(t *testing.T) {
	s, _ := open(t)
	p, stranger := newPeer(t), newPeer(t)
	stranger.send(s, 0, make([]byte, 160))
	s.Receive(0)
	if st := s.Stats(); st.Strays != 1 {
		t.Errorf("before the negotiation: %+v", st)
	}
	apply(t, s, p.media(offeranswer.SendRecv), 0)
	p.send(s, 0, make([]byte, 160))
	s.Receive(0)
	for range 10 {
		stranger.send(s, 0, make([]byte, 160))
	}
	p.send(s, 18, make([]byte, 20)) // a payload type that was not agreed
	if _, err := p.rtp.WriteToUDPAddrPort([]byte("hello"), s.Addr()); err != nil {
		t.Fatal(err)
	}
	s.Receive(tick(1))
	if st := s.Stats(); st.Strays != 11 || st.Malformed != 2 || st.Received != 1 {
		t.Errorf("%+v", st)
	}
}

// A caller behind a NAT is answered where it sends from.
func TestSymmetricRTP(t *testing.T) {
	s, _ := open(t)
	p, behind := newPeer(t), newPeer(t)
	apply(t, s, p.media(offeranswer.SendRecv), 0)
	if from := s.Source(); from.IsValid() {
		t.Errorf("before any packet came it is known where from: %v", from)
	}
	for i := range latchPackets {
		behind.send(s, 0, make([]byte, 160))
		s.Receive(tick(i))
	}
	if from := s.Source(); from == s.Agreed().Remote || !from.IsValid() {
		t.Errorf("packets are taken from %v", from)
	}
	s.Send(make([]int16, 160))
	if len(behind.receive(behind.rtp)) != 1 || len(p.receive(p.rtp)) != 0 {
		t.Error("audio goes to the address in the SDP, not to where the caller is")
	}
}

// SE3, CA6: where no NAT can be, one who is somewhere else is not answered.
func TestSignalledAddressAlone(t *testing.T) {
	s, _ := open(t)
	s.TrustSignalled()
	p, stranger := newPeer(t), newPeer(t)
	apply(t, s, p.media(offeranswer.SendRecv), 0)
	for i := range 3 * latchPackets {
		stranger.send(s, 0, make([]byte, 160))
		s.Receive(tick(i))
	}
	s.Send(make([]int16, 160))
	if st := s.Stats(); st.Strays != 3*latchPackets || s.Source().IsValid() || len(p.receive(p.rtp)) != 1 {
		t.Errorf("%+v, from %v", st, s.Source())
	}
}

// CA9: hold, and back.
func TestHoldStopsSendingAndTheClockRunsOn(t *testing.T) {
	s, _ := open(t)
	p := newPeer(t)
	apply(t, s, p.media(offeranswer.SendRecv), 0)
	frame := make([]int16, 160)
	s.Send(frame)
	apply(t, s, p.media(offeranswer.Inactive), tick(1))
	for range 10 {
		s.Send(frame)
	}
	if s.Silence(time.Hour) != 0 {
		t.Error("a caller on hold counts as silent")
	}
	apply(t, s, p.media(offeranswer.SendRecv), tick(12))
	s.Send(frame)
	sent := p.receive(p.rtp)
	if len(sent) != 2 {
		t.Fatalf("%d packets, want 2", len(sent))
	}
	var a, b rtp.Packet
	if a.Unmarshal(sent[0]) != nil || b.Unmarshal(sent[1]) != nil {
		t.Fatal("not RTP")
	}
	if b.SequenceNumber-a.SequenceNumber != 1 || b.Timestamp-a.Timestamp != 11*160 || !b.Marker {
		t.Errorf("%v then %v", a.Header, b.Header)
	}
	if s.Silence(tick(12)+time.Minute) != time.Minute {
		t.Error("silence is not counted from the resumption")
	}
}

// CA4: digits by RFC 4733, each once.
func TestTelephoneEvents(t *testing.T) {
	s, _ := open(t)
	p := newPeer(t)
	apply(t, s, p.media(offeranswer.SendRecv), 0)
	for event, key := range []byte("12#") {
		code := map[byte]byte{'1': 1, '2': 2, '#': 11}[key]
		for i := range 6 {
			end := byte(0)
			if i >= 3 {
				end = 0x80
			}
			p.send(s, 101, []byte{code, end | 10, 0, byte(160 * (i + 1) & 0xff)})
		}
		p.ts += 1600
		s.Receive(tick(event))
	}
	if last := tick(2); !s.Keyed(last+time.Second, 2*time.Second) || s.Keyed(last+time.Second, time.Second) {
		t.Error("it is not known when a key was pressed last")
	}
	got := ""
	for d, ok := s.Digit(); ok; d, ok = s.Digit() {
		got += d.String()
	}
	if got != "12#" {
		t.Errorf("digits %q", got)
	}
}

// CF14: reports are sent and read.
func TestReports(t *testing.T) {
	s, _ := open(t)
	p := newPeer(t)
	apply(t, s, p.media(offeranswer.SendRecv), 0)
	frame := make([]int16, 160)
	for i := range 500 { // 10 s: at least one report
		p.send(s, 0, make([]byte, 160))
		s.Receive(tick(i))
		s.Read(frame)
		s.Send(frame)
	}
	var sr *rtcp.SenderReport
	for _, b := range p.receive(p.rtcp) {
		packets, err := rtcp.Unmarshal(b)
		if err != nil {
			t.Fatal(err)
		}
		if len(packets) != 2 {
			t.Errorf("a compound of %d packets, want a report and a description", len(packets))
		}
		if r, ok := packets[0].(*rtcp.SenderReport); ok {
			sr = r
		}
	}
	if sr == nil || sr.PacketCount == 0 || len(sr.Reports) != 1 || sr.Reports[0].SSRC != 7 || sr.Reports[0].TotalLost != 0 {
		t.Fatalf("sender report: %+v", sr)
	}
	// The peer says that it lost a quarter.
	reply, err := rtcp.Marshal([]rtcp.Packet{&rtcp.ReceiverReport{SSRC: 7, Reports: []rtcp.ReceptionReport{{
		SSRC: sr.SSRC, FractionLost: 64, Jitter: 80, LastSenderReport: uint32(sr.NTPTime >> 16)}}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.rtcp.WriteToUDPAddrPort(reply, netip.AddrPortFrom(loopback, s.Addr().Port()+1)); err != nil {
		t.Fatal(err)
	}
	s.Receive(tick(501) + 2*controlTime) // it looks by then
	if st := s.Stats(); st.PeerLoss != 0.25 || st.PeerJitter != 10*time.Millisecond || st.RoundTrip <= 0 {
		t.Errorf("%+v", st)
	}
}

// CF4: what was opened is given back.
func TestCloseGivesPortsAndDescriptorsBack(t *testing.T) {
	first := uint16(testports.Ports(t, 20)) // that nobody else has
	ports, err := NewPorts(loopback, first, first+19)
	if err != nil {
		t.Fatal(err)
	}
	before := descriptors(t)
	var all []*Session
	for range 10 {
		s, err := Open(ports, codec.Standard())
		if err != nil {
			t.Fatal(err)
		}
		if s.Addr().Port()%2 != 0 {
			t.Errorf("RTP on odd port %d", s.Addr().Port())
		}
		all = append(all, s)
	}
	if _, err := Open(ports, codec.Standard()); err == nil {
		t.Error("an eleventh session found ports")
	}
	for _, s := range all {
		s.Close()
		s.Close()
		s.Receive(0)
		s.Send(make([]int16, 160))
	}
	if n := ports.InUse(); n != 0 {
		t.Errorf("%d pairs in use", n)
	}
	if after := descriptors(t); after != before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}

func descriptors(t *testing.T) int {
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// A port that somebody else holds is passed over.
func TestForeignPortIsPassedOver(t *testing.T) {
	first := testports.Ports(t, 4)
	other, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: first + 1})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	ports, err := NewPorts(loopback, uint16(first), uint16(first)+3)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(ports, codec.Standard())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if int(s.Addr().Port()) != first+2 {
		t.Errorf("bound %v", s.Addr())
	}
}

func TestTickAllocatesNothing(t *testing.T) {
	s, _ := open(t)
	p := newPeer(t)
	apply(t, s, p.media(offeranswer.SendRecv), 0)
	by, frame := NewTraffic(), make([]int16, 160)
	step := func() {
		by.Receive(s, 0)
		s.Read(frame)
		by.Send(s, frame)
	}
	for range 100 {
		p.send(s, 0, make([]byte, 160))
		step()
	}
	if n := testing.AllocsPerRun(200, step); n != 0 {
		t.Errorf("%v allocations a tick", n)
	}
}

// SE4: whatever arrives by RTP or RTCP is counted, and nothing breaks.
func FuzzDatagram(f *testing.F) {
	f.Add([]byte{0x80, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 7, 1, 2, 3})
	f.Add([]byte{0x80, 101, 0, 1, 0, 0, 0, 1, 0, 0, 0, 7, 1, 0x8a, 0, 160})
	f.Add([]byte{0x81, 200, 0, 6, 0, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1})
	// An extended report with VoIP metrics, a receiver reference time, and DLRR.
	f.Add(append([]byte{0x80, 207, 0, 16, 0, 0, 0, 7, 4, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 5, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 7, 0, 0, 8}, make([]byte, 32)...))
	ports, err := NewPorts(loopback, 34000, 34999)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := Open(ports, codec.Standard())
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		m := offeranswer.Media{Format: codec.Format{Name: "PCMU", ClockRate: 8000, SampleRate: 8000, Channels: 1},
			DTMF: 101, PacketTime: FrameTime, Remote: netip.MustParseAddrPort("127.0.0.1:9"), RemoteRTCP: netip.MustParseAddrPort("127.0.0.1:9")}
		if err := s.Apply(m, 0); err != nil {
			t.Fatal(err)
		}
		frame := make([]int16, 160)
		for i := range 5 {
			s.takeRTP(b, m.Remote, tick(i))
			s.takeRTCP(b, m.Remote, tick(i), time.Now())
			s.Read(frame)
		}
		s.report(time.Hour)
	})
}
