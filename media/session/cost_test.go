package session

import (
	"net"
	"net/netip"
	"testing"

	"github.com/conclave-voice/conclave/media/codec"
	"github.com/conclave-voice/conclave/media/offeranswer"
)

// BenchmarkTick is a tick of one PCMU caller, with real sockets on loopback: a packet of
// the caller is received and decoded, and one is encoded and sent. BenchmarkSystemCalls is
// what the kernel asks for the same.
func BenchmarkTick(b *testing.B) {
	there, ours, s := benchCall(b)
	by, frame := NewTraffic(), make([]int16, 160)
	out := make([]byte, 2048)
	packet := make([]byte, 12+160)
	packet[0] = 0x80
	for i := 0; b.Loop(); i++ {
		packet[2], packet[3] = byte(i>>8), byte(i)
		stamp := uint32(160 * i)
		packet[4], packet[5], packet[6], packet[7] = byte(stamp>>24), byte(stamp>>16), byte(stamp>>8), byte(stamp)
		b.StopTimer()
		if _, err := there.WriteToUDPAddrPort(packet, ours); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		by.Receive(s, tick(i))
		s.Read(frame)
		by.Send(s, frame)
		b.StopTimer()
		if _, _, err := there.ReadFromUDPAddrPort(out); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

// BenchmarkSystemCalls receives one datagram and sends one.
func BenchmarkSystemCalls(b *testing.B) {
	there, ours, s := benchCall(b)
	out := make([]byte, 2048)
	packet := make([]byte, 12+160)
	for b.Loop() {
		b.StopTimer()
		if _, err := there.WriteToUDPAddrPort(packet, ours); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		if _, _, ok := s.rtp.receive(out); !ok {
			b.Fatal("nothing came")
		}
		if err := s.rtp.send(packet, s.source.target()); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if _, _, err := there.ReadFromUDPAddrPort(out); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

// benchCall is a session that has agreed on PCMU with a socket.
func benchCall(b *testing.B) (there *net.UDPConn, ours netip.AddrPort, s *Session) {
	there, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(loopback, 0)))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { there.Close() })
	ports, err := NewPorts(loopback, 34000, 34999)
	if err != nil {
		b.Fatal(err)
	}
	if s, err = Open(ports, codec.Standard()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(s.Close)
	pcmu, _ := codec.Standard().Static(0)
	remote := there.LocalAddr().(*net.UDPAddr).AddrPort()
	m := offeranswer.Media{Format: pcmu.Format, Remote: remote, RemoteRTCP: netip.AddrPortFrom(loopback, 9), PacketTime: FrameTime}
	if err := s.Apply(m, 0); err != nil {
		b.Fatal(err)
	}
	return there, s.Addr(), s
}
