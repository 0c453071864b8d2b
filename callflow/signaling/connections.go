package signaling

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
)

// connections are the open TCP connections, by the peer's address.
type connections struct {
	limits Limits

	mu       sync.Mutex
	all      map[*tcpConn]struct{}
	byPeer   map[netip.AddrPort]*tcpConn // the latest: two calls may dial a peer at once
	bySource map[netip.Addr]int
}

func newConnections(l Limits) *connections {
	return &connections{limits: l, all: map[*tcpConn]struct{}{}, byPeer: map[netip.AddrPort]*tcpConn{}, bySource: map[netip.Addr]int{}}
}

func (c *connections) size() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.all)
}

// add takes a connection in; false if there are too many.
func (c *connections) add(t *tcpConn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	source := t.far.Addr()
	if len(c.all) >= c.limits.MaxConnections || c.bySource[source] >= c.limits.MaxConnectionsPerSource {
		return false
	}
	c.all[t] = struct{}{}
	c.byPeer[t.far] = t
	c.bySource[source]++
	return true
}

func (c *connections) remove(t *tcpConn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.all, t)
	if c.byPeer[t.far] == t {
		delete(c.byPeer, t.far)
	}
	source := t.far.Addr()
	if c.bySource[source]--; c.bySource[source] <= 0 {
		delete(c.bySource, source)
	}
}

func (c *connections) to(peer netip.AddrPort) *tcpConn {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t := c.byPeer[peer]; t != nil && t.alive() {
		return t
	}
	return nil
}

func (c *connections) closeAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for t := range c.all {
		t.Close()
	}
}

// adopt serves a connection until it ends.
func (e *Endpoint) adopt(c net.Conn) (*tcpConn, error) {
	t := newTCPConn(c, e.config.Limits)
	if !e.connections.add(t) {
		c.Close()
		e.stats.dropped("connections")
		return nil, errors.New("too many connections")
	}
	ok := e.spawnIO(func() {
		defer e.connections.remove(t)
		t.serve(e.receiveTCP, func(raw []byte, err error) { e.brokenTCP(raw, t, err) })
	})
	if !ok {
		e.connections.remove(t)
		t.Close()
		return nil, errors.New("the endpoint has stopped")
	}
	return t, nil
}

// dialTCP finds or makes a connection to a peer.
func (e *Endpoint) dialTCP(ctx context.Context, peer netip.AddrPort) (*tcpConn, error) {
	if t := e.connections.to(peer); t != nil {
		return t, nil
	}
	d := net.Dialer{Timeout: e.config.Limits.MessageTimeout}
	c, err := d.DialContext(ctx, "tcp", peer.String())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTransport, err)
	}
	return e.adopt(c)
}

// receiveTCP takes a message; false ends the connection.
func (e *Endpoint) receiveTCP(raw []byte, f flow) bool {
	if !e.limiter.allow(f.remote().Addr(), e.config.Clock.Now()) {
		e.stats.dropped("rate")
		return false
	}
	e.receive(raw, f)
	return true
}

// brokenTCP answers a message whose end cannot be known.
func (e *Endpoint) brokenTCP(raw []byte, f flow, why error) {
	defer e.recovered("broken message")
	m, _ := scan(raw)
	if m == nil || !m.isRequest() {
		e.stats.dropped("not_sip")
		return
	}
	m.flow = f
	bad := badRequest("Missing Or Malformed Content-Length")
	if errors.Is(why, errTooLarge) {
		bad = &refusal{status: 513}
	}
	e.refuse(m, bad)
}
