package wan_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"

	"github.com/conclave-voice/conclave/testenv/netns"
	"github.com/conclave-voice/conclave/testenv/tools"
	"github.com/conclave-voice/conclave/testenv/wan"
)

// world is two sites with one host each, joined by a router over real TUN devices.
type world struct {
	router *wan.Router
	a, b   *netns.Namespace // the hosts 10.1.0.1 and 10.2.0.1
}

var (
	there = wan.Link{From: "a", To: "b"}
	back  = there.Reverse()
	addrA = netip.MustParseAddr("10.1.0.1")
	addrB = netip.MustParseAddr("10.2.0.1")
)

func must(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func newWorld(t *testing.T, seed uint64) *world {
	t.Helper()
	tools.NeedNamespaces(t)
	ctx := t.Context()
	set, err := netns.New(ctx)
	must(t, err)
	t.Cleanup(func() {
		if err := set.Close(); err != nil {
			t.Error(err)
		}
	})
	o := wan.Options{Seed: seed, Log: hclog.NewNullLogger(), Classes: []wan.Class{
		{Name: "icmp", Protocol: wan.ICMP}, {Name: "sip", Ports: []wan.PortRange{wan.Port(5060)}}}}
	w := &world{}
	for i, host := range []**netns.Namespace{&w.a, &w.b} {
		name := string(rune('a' + i))
		gateway, err := set.Add(ctx, name)
		must(t, err)
		*host, err = set.Add(ctx, name+"-1")
		must(t, err)
		device, err := gateway.OpenTUN(ctx, "wan", 1500)
		must(t, err)
		network := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i + 1), 0, 0}), 16)
		router, node := network.Addr().Next().Next(), network.Addr().Next() // .2 and .1
		must(t, gateway.Sysctl("net/ipv4/ip_forward", "1"),
			gateway.AddBridge(ctx, "lan", netip.PrefixFrom(router, 16)),
			gateway.IP(ctx, "route add default dev wan"),
			gateway.Attach(ctx, "lan", *host, netip.PrefixFrom(node, 16), router))
		o.Sites = append(o.Sites, wan.Site{Name: name, Networks: []netip.Prefix{network}, Device: device})
	}
	w.router, err = wan.New(o)
	must(t, err)
	w.run(t)
	return w
}

func (w *world) run(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.router.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// socket is a UDP socket of a host, with room for all that a test sends.
func socket(t *testing.T, n *netns.Namespace, a netip.Addr, port uint16) *net.UDPConn {
	t.Helper()
	conn, err := n.ListenUDP(netip.AddrPortFrom(a, port))
	must(t, err)
	t.Cleanup(func() { conn.Close() })
	must(t, conn.SetReadBuffer(4<<20), conn.SetReadDeadline(time.Now().Add(time.Minute)))
	return conn
}

func send(t *testing.T, conn *net.UDPConn, to netip.Addr, port uint16, payload []byte) {
	t.Helper()
	_, err := conn.WriteToUDPAddrPort(payload, netip.AddrPortFrom(to, port))
	must(t, err)
}

func receive(t *testing.T, conn *net.UDPConn) []byte {
	t.Helper()
	b := make([]byte, 8192)
	n, err := conn.Read(b)
	must(t, err)
	return b[:n]
}

// SPEC OP2: a delay of 80 ms in each direction is measured by a real socket.
func TestDelayIsWhatItSays(t *testing.T) {
	w := newWorld(t, 1)
	line := wan.Impairment{Delay: 80 * time.Millisecond}
	must(t, w.router.Impair(there, "", line), w.router.Impair(back, "", line))
	a, b := socket(t, w.a, addrA, 9000), socket(t, w.b, addrB, 9000)
	best := time.Hour
	for range 10 {
		begin := time.Now()
		send(t, a, addrB, 9000, []byte("there"))
		receive(t, b)
		send(t, b, addrA, 9000, []byte("and back"))
		receive(t, a)
		best = min(best, time.Since(begin))
	}
	// A busy machine makes it more, but not ten times in a row and by half as much.
	if best < 160*time.Millisecond || best > 240*time.Millisecond {
		t.Errorf("the round trip takes %v at best, want 160 ms", best)
	}
	t.Logf("round trip at best %v", best)
}

// SPEC OP2: 30 % loss is 30 %, and the same packets with the same seed.
func TestLossIsWhatItSaysAndRepeatable(t *testing.T) {
	const packets = 2000
	lose := func(t *testing.T) (arrived []int) {
		w := newWorld(t, 42)
		must(t, w.router.Impair(there, "", wan.Impairment{Loss: 0.3}))
		a, b := socket(t, w.a, addrA, 9000), socket(t, w.b, addrB, 9000)
		marks := socket(t, w.b, addrB, 5060)
		must(t, w.router.Impair(there, "sip", wan.Impairment{}))
		for i := range packets {
			send(t, a, addrB, 9000, binary.BigEndian.AppendUint16(nil, uint16(i)))
			if i%100 != 99 {
				continue
			}
			// The mark comes after all that was sent before it, if that was not lost.
			send(t, a, addrB, 5060, []byte("mark"))
			receive(t, marks)
			for uint64(len(arrived)) < counter(w, there, wan.Other).Delivered {
				arrived = append(arrived, int(binary.BigEndian.Uint16(receive(t, b))))
			}
		}
		return arrived
	}
	first, second := lose(t), lose(t)
	if share := 1 - float64(len(first))/packets; share < 0.25 || share > 0.35 {
		t.Errorf("%.1f %% are lost", share*100)
	}
	if fmt.Sprint(first) != fmt.Sprint(second) {
		t.Errorf("the same seed loses others: %d and %d arrived", len(first), len(second))
	}
}

// SPEC OP2, MS12: a cut in one direction stops that direction alone.
func TestOneWayCut(t *testing.T) {
	w := newWorld(t, 1)
	a, b := socket(t, w.a, addrA, 9000), socket(t, w.b, addrB, 9000)
	must(t, w.router.Cut(there, ""))
	send(t, a, addrB, 9000, []byte("cut"))
	send(t, b, addrA, 9000, []byte("whole"))
	if got := receive(t, a); string(got) != "whole" {
		t.Errorf("received %q", got)
	}
	// The packet sent into the cut has been counted before it is healed.
	await(t, func() bool { return counter(w, there, wan.Other).Cut == 1 })
	must(t, w.router.Heal(there, ""))
	send(t, a, addrB, 9000, []byte("healed"))
	if got := receive(t, b); string(got) != "healed" {
		t.Errorf("received %q", got)
	}
}

// SPEC OP2: one class of traffic is cut, large datagrams and their fragments included.
func TestCutOfOneClass(t *testing.T) {
	w := newWorld(t, 1)
	a := socket(t, w.a, addrA, 9000)
	media, signalling := socket(t, w.b, addrB, 9000), socket(t, w.b, addrB, 5060)
	large := bytes.Repeat([]byte("x"), 4000) // three fragments
	must(t, w.router.Cut(there, "sip"))
	send(t, a, addrB, 5060, large)
	send(t, a, addrB, 9000, large)
	if got := receive(t, media); !bytes.Equal(got, large) {
		t.Errorf("received %d octets", len(got))
	}
	must(t, w.router.Heal(there, "sip"))
	send(t, a, addrB, 5060, []byte("healed"))
	if got := receive(t, signalling); string(got) != "healed" {
		t.Errorf("received %d octets through a cut", len(got))
	}
}

// SPEC OP2: TCP gets everything across a bad line, in order.
func TestTCPOverABadLine(t *testing.T) {
	w := newWorld(t, 1)
	bad := wan.Impairment{Delay: 5 * time.Millisecond, Jitter: 5 * time.Millisecond, Loss: 0.01, Duplicate: 0.02, Reorder: 0.01}
	must(t, w.router.Impair(there, "", bad), w.router.Impair(back, "", bad))
	listener, err := w.b.ListenTCP(netip.AddrPortFrom(addrB, 80))
	must(t, err)
	defer listener.Close()
	const size = 512 << 10
	sent := make([]byte, size)
	_, err = rand.Read(sent)
	must(t, err)
	written := make(chan error, 1)
	go func() { written <- serve(listener, sent) }()

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	conn, err := w.a.DialContext(ctx, "tcp", "10.2.0.1:80")
	must(t, err)
	defer conn.Close()
	must(t, conn.SetDeadline(time.Now().Add(time.Minute)))
	received, err := io.ReadAll(conn)
	must(t, err, <-written)
	if !bytes.Equal(received, sent) {
		t.Errorf("%d octets arrived, or not those that were sent", len(received))
	}
	if c := counter(w, back, wan.Other); c.Lost == 0 || c.Duplicated == 0 || c.Reordered == 0 {
		t.Errorf("the line was not bad: %+v", c)
	}
}

func serve(listener net.Listener, content []byte) error {
	conn, err := listener.Accept()
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = conn.Write(content)
	return err
}

// SPEC OP2: ICMP passes; a full packet passes; and in a black hole it does not, while
// a small one does.
func TestPingAndBlackHole(t *testing.T) {
	w := newWorld(t, 1)
	ping := newPinger(t, w.a)
	ping.send(t, 1, 1472) // 1,500 with its headers
	ping.await(t, 1)
	must(t, w.router.Impair(there, "", wan.Impairment{MaxPacket: 1499}))
	ping.send(t, 2, 1472)
	ping.send(t, 3, 1471)
	ping.await(t, 3) // and no other came before it
	if c := counter(w, there, "icmp"); c.TooLarge != 1 || c.Delivered != 2 {
		t.Errorf("counted %+v", c)
	}
}

// pinger sends echo requests from a host to the other.
type pinger struct{ *icmp.PacketConn }

func newPinger(t *testing.T, n *netns.Namespace) pinger {
	t.Helper()
	var p pinger
	must(t, n.Do(func() (err error) {
		p.PacketConn, err = icmp.ListenPacket("ip4:icmp", addrA.String())
		return err
	}))
	t.Cleanup(func() { p.Close() })
	must(t, p.SetReadDeadline(time.Now().Add(time.Minute)))
	return p
}

func (p pinger) send(t *testing.T, sequence, size int) {
	t.Helper()
	m := icmp.Message{Type: ipv4.ICMPTypeEcho, Body: &icmp.Echo{ID: 77, Seq: sequence, Data: make([]byte, size)}}
	b, err := m.Marshal(nil)
	must(t, err)
	_, err = p.WriteTo(b, &net.IPAddr{IP: addrB.AsSlice()})
	must(t, err)
}

// await wants the reply to a request next, and no other.
func (p pinger) await(t *testing.T, sequence int) {
	t.Helper()
	b := make([]byte, 2048)
	n, _, err := p.ReadFrom(b)
	must(t, err)
	m, err := icmp.ParseMessage(int(wan.ICMP), b[:n])
	must(t, err)
	if echo, ok := m.Body.(*icmp.Echo); !ok || m.Type != ipv4.ICMPTypeEchoReply || echo.Seq != sequence {
		t.Errorf("received %v %+v, want the reply to %d", m.Type, m.Body, sequence)
	}
}

func counter(w *world, l wan.Link, class string) wan.Counter {
	for _, c := range w.router.Counters() {
		if c.Link == l && c.Class == class {
			return c
		}
	}
	return wan.Counter{}
}

// await polls what gives no event.
func await(t *testing.T, done func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); !done(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatal("it did not come about within a minute")
		}
	}
}
