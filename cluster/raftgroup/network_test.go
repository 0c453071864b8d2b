package raftgroup_test

import (
	"errors"
	"io"
	"net"
	"sync"
	"testing"
)

// network joins the nodes of a test. Each node is behind a front: a TCP port that
// passes connections on, unless the link is cut in that direction. Which node a
// connection comes from shows in its source address. A cut link neither loses nor
// refuses: what is sent waits until the link is whole again, as with TCP.
type network struct {
	mu    sync.Mutex
	cuts  map[link]bool
	whole *sync.Cond // on mu: a link was cut or healed, or the network closed
	done  bool
}

// link is one direction between two nodes.
type link struct{ from, to string }

func newNetwork() *network {
	n := &network{cuts: map[link]bool{}}
	n.whole = sync.NewCond(&n.mu)
	return n
}

// cut cuts one direction.
func (n *network) cut(from, to string) { n.set(from, to, true) }

func (n *network) set(from, to string, cut bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cuts[link{from, to}] = cut
	n.whole.Broadcast()
}

func (n *network) close() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.done = true
	n.whole.Broadcast()
}

func (n *network) open(from, to string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return !n.cuts[link{from, to}]
}

// pass waits until the link is whole. It is false when over has become true.
func (n *network) pass(from, to string, over func() bool) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	for n.cuts[link{from, to}] && !n.done && !over() {
		n.whole.Wait()
	}
	return !n.done && !over()
}

// front is the port at which the others see a node.
type front struct {
	network  *network
	node     string
	listener net.Listener
	target   string
	name     func(net.Addr) string // node of a source address
	workers  sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]bool
	over  bool
}

func (n *network) front(t testing.TB, node, target string, name func(net.Addr) string) *front {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &front{network: n, node: node, listener: listener, target: target, name: name,
		conns: map[net.Conn]bool{}}
	f.workers.Go(f.run)
	return f
}

func (f *front) addr() string { return f.listener.Addr().String() }

func (f *front) run() {
	for {
		in, err := f.listener.Accept()
		if err != nil {
			return
		}
		f.workers.Go(func() { f.serve(in) })
	}
}

func (f *front) serve(in net.Conn) {
	from := f.name(in.RemoteAddr())
	if !f.keep(in) {
		return
	}
	defer f.drop(in)
	if !f.network.pass(from, f.node, f.isOver) {
		return
	}
	out, err := net.Dial("tcp", f.target)
	if err != nil || !f.keep(out) {
		return
	}
	defer f.drop(out)
	var back sync.WaitGroup
	back.Go(func() { f.copy(in, out, f.node, from) })
	f.copy(out, in, from, f.node)
	back.Wait()
}

// copy passes on what it reads while the link is whole, and closes both at the end.
func (f *front) copy(to, from net.Conn, source, destination string) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 && f.network.pass(source, destination, f.isOver) {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				return
			}
			f.network.pass(source, destination, f.isOver)
			return
		}
	}
}

func (f *front) keep(c net.Conn) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.over {
		_ = c.Close()
		return false
	}
	f.conns[c] = true
	return true
}

func (f *front) drop(c net.Conn) {
	_ = c.Close()
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.conns, c)
}

func (f *front) isOver() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.over
}

// close closes the port and its connections, as the end of a process does.
func (f *front) close() {
	_ = f.listener.Close()
	f.mu.Lock()
	f.over = true
	for c := range f.conns {
		_ = c.Close()
	}
	f.mu.Unlock()
	f.network.mu.Lock()
	f.network.whole.Broadcast()
	f.network.mu.Unlock()
	f.workers.Wait()
}
