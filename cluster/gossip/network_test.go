package gossip

import (
	"context"
	"errors"
	"log"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
)

// cuts say which packets and connections between hosts get through.
type cuts struct {
	mu   sync.Mutex
	cut  map[[2]netip.Addr]bool
	loss float64 // of packets
	seen func([]byte)
}

func newCuts() *cuts { return &cuts{cut: map[[2]netip.Addr]bool{}} }

// set cuts the ways from the first hosts to the second, and back, or heals them.
func (c *cuts) set(cut bool, from, to []netip.Addr) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, a := range from {
		for _, b := range to {
			c.cut[[2]netip.Addr{a, b}], c.cut[[2]netip.Addr{b, a}] = cut, cut
		}
	}
}

func (c *cuts) lost(from, to netip.Addr, packet []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen != nil && packet != nil {
		c.seen(packet)
	}
	return c.cut[[2]netip.Addr{from, to}] || (packet != nil && rand.Float64() < c.loss)
}

// wire is a real socket whose paths can be cut.
type wire struct {
	memberlist.NodeAwareTransport
	cuts *cuts
	host netip.Addr
}

// listen opens real sockets behind the cuts.
func (c *cuts) listen(ctx context.Context, bind netip.AddrPort, logger *log.Logger) (
	memberlist.NodeAwareTransport, netip.AddrPort, error) {
	t, bound, err := listen(ctx, bind, logger)
	return &wire{t, c, bind.Addr()}, bound, err
}

func (w *wire) WriteTo(b []byte, addr string) (time.Time, error) {
	if w.cuts.lost(w.host, netip.MustParseAddrPort(addr).Addr(), b) {
		return time.Now(), nil
	}
	return w.NodeAwareTransport.WriteTo(b, addr)
}

func (w *wire) WriteToAddress(b []byte, a memberlist.Address) (time.Time, error) {
	return w.WriteTo(b, a.Addr)
}

func (w *wire) DialTimeout(addr string, timeout time.Duration) (net.Conn, error) {
	if w.cuts.lost(w.host, netip.MustParseAddrPort(addr).Addr(), nil) {
		return nil, errors.New("no answer")
	}
	return w.NodeAwareTransport.DialTimeout(addr, timeout)
}

func (w *wire) DialAddressTimeout(a memberlist.Address, timeout time.Duration) (net.Conn, error) {
	return w.DialTimeout(a.Addr, timeout)
}

// memory is a network without sockets, for fake time.
type memory struct {
	*cuts
	delay time.Duration // one way

	mu    sync.Mutex
	hosts map[netip.AddrPort]*memoryPort
	ports uint16
}

func newMemory(delay time.Duration) *memory {
	return &memory{cuts: newCuts(), delay: delay, hosts: map[netip.AddrPort]*memoryPort{}}
}

type memoryPort struct {
	net     *memory
	ctx     context.Context // ends dialling
	addr    netip.AddrPort
	packets chan *memberlist.Packet
	streams chan net.Conn
	closed  chan struct{}
	once    sync.Once
}

func (m *memory) listen(ctx context.Context, bind netip.AddrPort, _ *log.Logger) (
	memberlist.NodeAwareTransport, netip.AddrPort, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	addr := bind
	if addr.Port() == 0 {
		m.ports++
		addr = netip.AddrPortFrom(bind.Addr(), 10000+m.ports)
	}
	p := &memoryPort{net: m, ctx: ctx, addr: addr, packets: make(chan *memberlist.Packet, 1024),
		streams: make(chan net.Conn, 16), closed: make(chan struct{})}
	m.hosts[addr] = p
	return p, addr, nil
}

// find gives the port at an address, nil if nobody is there.
func (m *memory) find(from netip.AddrPort, addr string, packet []byte) *memoryPort {
	to := netip.MustParseAddrPort(addr)
	if m.lost(from.Addr(), to.Addr(), packet) {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.hosts[to]
}

func (p *memoryPort) FinalAdvertiseAddr(string, int) (net.IP, int, error) {
	return p.addr.Addr().AsSlice(), int(p.addr.Port()), nil
}

func (p *memoryPort) WriteTo(b []byte, addr string) (time.Time, error) {
	b = append([]byte(nil), b...)
	to := p.net.find(p.addr, addr, b)
	if to == nil {
		return time.Now(), nil
	}
	time.AfterFunc(p.net.delay, func() {
		select {
		case to.packets <- &memberlist.Packet{Buf: b, From: net.UDPAddrFromAddrPort(p.addr), Timestamp: time.Now()}:
		default: // as a kernel does
		}
	})
	return time.Now(), nil
}

func (p *memoryPort) WriteToAddress(b []byte, a memberlist.Address) (time.Time, error) {
	return p.WriteTo(b, a.Addr)
}

func (p *memoryPort) DialTimeout(addr string, timeout time.Duration) (net.Conn, error) {
	to := p.net.find(p.addr, addr, nil)
	wait := 2 * p.net.delay
	if to == nil {
		wait = timeout
	}
	select {
	case <-time.After(wait):
	case <-p.ctx.Done():
	}
	if to == nil || p.ctx.Err() != nil {
		return nil, errors.New("no answer")
	}
	here, there := net.Pipe()
	if err := here.SetDeadline(time.Now().Add(timeout)); err != nil { // no buffer takes the first bytes
		return nil, err
	}
	select {
	case to.streams <- there:
		return here, nil
	case <-to.closed:
		return nil, errors.New("connection refused")
	}
}

func (p *memoryPort) DialAddressTimeout(a memberlist.Address, timeout time.Duration) (net.Conn, error) {
	return p.DialTimeout(a.Addr, timeout)
}

func (p *memoryPort) PacketCh() <-chan *memberlist.Packet { return p.packets }
func (p *memoryPort) StreamCh() <-chan net.Conn           { return p.streams }

func (p *memoryPort) Shutdown() error {
	p.once.Do(func() {
		p.net.mu.Lock()
		defer p.net.mu.Unlock()
		if p.net.hosts[p.addr] == p {
			delete(p.net.hosts, p.addr)
		}
		close(p.closed)
	})
	return nil
}
