package gossip

import (
	"context"
	"log"
	"net"
	"net/netip"
	"time"

	"github.com/hashicorp/memberlist"
)

// sockets are memberlist's UDP and TCP sockets, whose connections to others end with a
// context, so that closing need not wait for a site that does not answer.
type sockets struct {
	*memberlist.NetTransport
	ctx context.Context // the pool's life
}

// listen opens UDP and TCP at one port. With port 0 the kernel picks one that may be
// free for one of the two only; then it picks another.
func listen(ctx context.Context, bind netip.AddrPort, logger *log.Logger) (
	t memberlist.NodeAwareTransport, bound netip.AddrPort, err error) {
	c := &memberlist.NetTransportConfig{BindAddrs: []string{bind.Addr().String()},
		BindPort: int(bind.Port()), Logger: logger}
	tries := 1
	if bind.Port() == 0 {
		tries = 10
	}
	for range tries {
		var open *memberlist.NetTransport
		if open, err = memberlist.NewNetTransport(c); err == nil {
			bound = netip.AddrPortFrom(bind.Addr(), uint16(open.GetAutoBindPort()))
			return &sockets{open, ctx}, bound, nil
		}
	}
	return nil, netip.AddrPort{}, err
}

// DialTimeout implements memberlist.Transport.
func (s *sockets) DialTimeout(addr string, timeout time.Duration) (net.Conn, error) {
	dialer := net.Dialer{Timeout: timeout}
	conn, err := dialer.DialContext(s.ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(s.ctx, func() { conn.Close() })
	return &connection{conn, stop}, nil
}

// DialAddressTimeout implements memberlist.NodeAwareTransport.
func (s *sockets) DialAddressTimeout(a memberlist.Address, timeout time.Duration) (net.Conn, error) {
	return s.DialTimeout(a.Addr, timeout)
}

// connection is closed by the end of its transport's context, or before.
type connection struct {
	net.Conn
	release func() bool
}

func (c *connection) Close() error {
	c.release()
	return c.Conn.Close()
}
