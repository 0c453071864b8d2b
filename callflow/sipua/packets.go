package signaling

import (
	"bytes"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/hashicorp/go-hclog"
	"golang.org/x/time/rate"
)

const (
	// maxSources is after how many sources the stack's reader, which remembers
	// each, is started anew.
	maxSources = 1024
	// maxLimiters is how many sources are counted at once. When there are more, the
	// counting starts over: a flood of invented sources costs no more memory.
	maxLimiters = 8192
	// burst is how many datagrams of one source may come at once.
	burst = 200
	// streamIdle ends a TCP connection on which nothing has come for so long.
	streamIdle = 10 * time.Minute
)

// packetConn stands between the UDP socket and the stack: what is too much, or no
// SIP, does not get through to where it would cost memory.
type packetConn struct {
	*net.UDPConn
	counters *counters
	parser   *sip.Parser
	limit    rate.Limit
	closed   atomic.Bool

	mu       sync.Mutex
	limiters map[netip.Addr]*rate.Limiter
	sources  map[netip.AddrPort]struct{} // that the stack has seen since renew
}

func newPacketConn(c *net.UDPConn, perSecond float64, n *counters) *packetConn {
	return &packetConn{UDPConn: c, counters: n, parser: sip.NewParser(), limit: rate.Limit(perSecond),
		limiters: map[netip.Addr]*rate.Limiter{}, sources: map[netip.AddrPort]struct{}{}}
}

// ReadFrom gives the next datagram that is worth parsing. It pretends that the
// socket was closed when the stack's reader has seen enough sources.
func (p *packetConn) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := p.UDPConn.ReadFromUDPAddrPort(b)
		if err != nil {
			return n, nil, err
		}
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		switch {
		case keepAlive(b[:n]):
		case !p.allow(from.Addr()):
			p.counters.limited.Add(1)
		case !p.readable(b[:n], from):
			p.counters.malformed.Add(1)
		default:
			if !p.remember(from) {
				// The reader ends; the datagram comes again by retransmission.
				return 0, nil, net.ErrClosed
			}
			return n, net.UDPAddrFromAddrPort(from), nil
		}
	}
}

// keepAlive says whether a datagram holds nothing but line ends (RFC 5626 section
// 3.5.1) or zeros.
func keepAlive(b []byte) bool { return len(bytes.Trim(b, "\r\n\x00")) == 0 }

func (p *packetConn) allow(from netip.Addr) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.limiters[from]
	if l == nil {
		if len(p.limiters) >= maxLimiters {
			clear(p.limiters)
		}
		l = rate.NewLimiter(p.limit, burst)
		p.limiters[from] = l
	}
	return l.Allow()
}

// readable parses a datagram ahead of the stack, which would drop it in silence
// and log it in full. A request that is recognizable gets its 400.
func (p *packetConn) readable(b []byte, from netip.AddrPort) bool {
	if _, err := p.parser.ParseSIP(b); err == nil {
		return true
	}
	if res := badRequest(b); res != nil {
		p.UDPConn.WriteToUDPAddrPort(res, from)
	}
	return false
}

// remember says whether the stack may see one more source.
func (p *packetConn) remember(from netip.AddrPort) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sources[from] = struct{}{}
	return len(p.sources) <= maxSources
}

// renew lets the stack's next reader begin.
func (p *packetConn) renew() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.sources)
}

// Close is what the stack calls when its reader ends. The socket stays.
func (p *packetConn) Close() error { return nil }

// shut closes the socket.
func (p *packetConn) shut() {
	p.closed.Store(true)
	p.UDPConn.Close()
}

// badRequest answers a request that cannot be parsed by copying the headers that
// a response must have (RFC 3261 section 8.2.6); nil if they are not there.
func badRequest(b []byte) []byte {
	head, _, _ := bytes.Cut(b, []byte("\r\n\r\n"))
	lines := bytes.Split(head, []byte("\r\n"))
	first := bytes.Fields(lines[0])
	if len(first) < 3 || !bytes.HasPrefix(bytes.ToUpper(first[len(first)-1]), []byte("SIP/")) || bytes.Equal(first[0], []byte("ACK")) {
		return nil
	}
	status := "400 Bad Request"
	if !bytes.EqualFold(first[len(first)-1], []byte("SIP/2.0")) {
		status = "505 Version Not Supported"
	}
	out := bytes.NewBufferString("SIP/2.0 " + status + "\r\n")
	copied := map[string]bool{}
	for _, line := range lines[1:] {
		name, _, ok := bytes.Cut(line, []byte(":"))
		if !ok {
			continue
		}
		switch full := longName(string(bytes.ToLower(bytes.TrimSpace(name)))); full {
		case "via", "from", "to", "call-id", "cseq":
			if full == "via" || !copied[full] {
				copied[full] = true
				out.Write(line)
				out.WriteString("\r\n")
			}
		}
	}
	if !copied["via"] || !copied["call-id"] || !copied["cseq"] {
		return nil
	}
	out.WriteString("Content-Length: 0\r\n\r\n")
	return out.Bytes()
}

// longName expands the compact forms (section 7.3.3) of the headers above.
func longName(name string) string {
	switch name {
	case "v":
		return "via"
	case "f":
		return "from"
	case "t":
		return "to"
	case "i":
		return "call-id"
	}
	return name
}

// steadyListener goes on after an Accept that failed, as when descriptors are
// used up: the stack would stop listening for good.
type steadyListener struct {
	net.Listener
	logger hclog.Logger
}

func (l *steadyListener) Accept() (net.Conn, error) {
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		c, err := l.Listener.Accept()
		if err == nil {
			return &idleConn{Conn: c}, nil
		}
		if ignoreClosed(err) == nil {
			return nil, err
		}
		l.logger.Warn("cannot accept a TCP connection", "error", err, "again_in", pause)
		time.Sleep(pause)
	}
}

// idleConn is closed by the read that waits too long.
type idleConn struct{ net.Conn }

func (c *idleConn) Read(b []byte) (int, error) {
	if err := c.Conn.SetReadDeadline(time.Now().Add(streamIdle)); err != nil {
		return 0, err
	}
	return c.Conn.Read(b)
}
