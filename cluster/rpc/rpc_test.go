package rpc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"go.uber.org/goleak"

	"github.com/conclave-voice/conclave/cluster/certs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errFull = errors.New("the room is full")

var codes = Codes{"full": errFull}

// world is a cluster whose nodes find one another.
type world struct {
	*testing.T
	authority string

	mu    sync.Mutex
	addrs map[certs.Identity]string
}

func newWorld(t *testing.T) *world {
	w := &world{T: t, authority: filepath.Join(t.TempDir(), "authority"), addrs: map[certs.Identity]string{}}
	if err := certs.Init(w.authority, "test", time.Now()); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) bundle(site, node string) *certs.Bundle {
	w.Helper()
	dir := filepath.Join(w.TempDir(), node)
	if err := certs.Add(w.authority, dir, certs.Identity{Site: site, Node: node}, time.Now()); err != nil {
		w.Fatal(err)
	}
	b, err := certs.Open(dir)
	if err != nil {
		w.Fatal(err)
	}
	return b
}

func (w *world) addresses(node certs.Identity) (string, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	addr, known := w.addrs[node]
	return addr, known
}

func (w *world) set(node certs.Identity, addr string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.addrs[node] = addr
}

func (w *world) client(b *certs.Bundle) *Client {
	c := NewClient(b, w.addresses, codes, &net.Dialer{})
	w.Cleanup(c.Close)
	return c
}

// serve runs a server of the bundle's node until the test ends or stop is called.
func (w *world) serve(b *certs.Bundle, s *Server) (stop func()) {
	w.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.Fatal(err)
	}
	w.set(b.Identity(), l.Addr().String())
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, l, b.ServerTLS(b.AnyNode())) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			w.Error(err)
		}
	})
	w.Cleanup(stop)
	return stop
}

type question struct{ Room string }
type answer struct{ Peer, Room string }

// newServer answers "where", which is full for the room "full"; "wait" waits until the
// call ends, and says so.
func newServer(entered chan<- struct{}, ended chan<- error) *Server {
	s := NewServer(codes, hclog.NewNullLogger())
	Handle(s, "where", func(_ context.Context, peer certs.Identity, q question) (answer, error) {
		switch q.Room {
		case "full":
			return answer{}, fmt.Errorf("room %s: %w", q.Room, errFull)
		case "odd":
			return answer{}, errors.New("something odd")
		}
		return answer{Peer: peer.Node, Room: q.Room}, nil
	})
	Handle(s, "wait", func(ctx context.Context, _ certs.Identity, _ question) (answer, error) {
		entered <- struct{}{}
		<-ctx.Done()
		ended <- ctx.Err()
		return answer{}, ctx.Err()
	})
	return s
}

// SE2: a call reaches the node that it is for, which knows who calls.
func TestCall(t *testing.T) {
	w := newWorld(t)
	a, b := w.bundle("west", "a"), w.bundle("east", "b")
	w.serve(b, newServer(nil, nil))
	got, err := Call[question, answer](t.Context(), w.client(a), b.Identity(), "where", question{"r"})
	if err != nil || got != (answer{"a", "r"}) {
		t.Errorf("%+v %v", got, err)
	}
	if err := w.client(a).Ping(t.Context(), b.Identity()); err != nil {
		t.Error(err)
	}
}

// Errors are at this end what they are at the other.
func TestErrors(t *testing.T) {
	w := newWorld(t)
	a, b := w.bundle("west", "a"), w.bundle("east", "b")
	w.serve(b, newServer(nil, nil))
	c := w.client(a)
	for _, x := range []struct {
		method, room, text string
		is                 error
	}{
		{"where", "full", "where at east/b: room full: the room is full", errFull},
		{"where", "odd", "where at east/b: something odd", nil},
		{"none", "", "the node has no such method", ErrNoMethod},
	} {
		_, err := Call[question, answer](t.Context(), c, b.Identity(), x.method, question{x.room})
		var remote *Error
		if !errors.As(err, &remote) || !strings.Contains(err.Error(), x.text) || x.is != nil && !errors.Is(err, x.is) || errors.Is(err, ErrUnreachable) {
			t.Errorf("%s %s: %v", x.method, x.room, err)
		}
	}
	long := question{strings.Repeat("x", maxBody)}
	if _, err := Call[question, answer](t.Context(), c, b.Identity(), "where", long); err == nil || !strings.Contains(err.Error(), "too large") {
		t.Errorf("a request that is too long: %v", err)
	}
}

// SE2: another node than the one that is meant is not talked to, even at its address.
func TestOnlyTheNodeThatIsMeant(t *testing.T) {
	w := newWorld(t)
	a, b, c := w.bundle("west", "a"), w.bundle("west", "b"), w.bundle("west", "c")
	w.serve(b, newServer(nil, nil))
	addr, _ := w.addresses(b.Identity())
	w.set(c.Identity(), addr)
	if err := w.client(a).Ping(t.Context(), c.Identity()); !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), "is there, not") {
		t.Error(err)
	}
	unknown := certs.Identity{Cluster: "test", Site: "west", Node: "d"}
	if err := w.client(a).Ping(t.Context(), unknown); !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), "no address") {
		t.Error(err)
	}
}

// A call ends at both ends when who calls waits no longer.
func TestDeadlineIsCarriedOver(t *testing.T) {
	w := newWorld(t)
	a, b := w.bundle("west", "a"), w.bundle("east", "b")
	ended := make(chan error, 1)
	w.serve(b, newServer(make(chan struct{}, 1), ended))
	c := w.client(a)
	if err := c.Ping(t.Context(), b.Identity()); err != nil { // the connection is there
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := Call[question, answer](ctx, c, b.Identity(), "wait", question{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	<-ended
}

// A node that serves too many calls of one says so; pings are answered all the same,
// and other nodes' calls are served.
func TestBusy(t *testing.T) {
	w := newWorld(t)
	a, b, other := w.bundle("west", "a"), w.bundle("east", "b"), w.bundle("west", "other")
	entered, ended := make(chan struct{}, maxCalls), make(chan error, maxCalls)
	w.serve(b, newServer(entered, ended))
	c := w.client(a)
	ctx, cancel := context.WithCancel(t.Context())
	var calls sync.WaitGroup
	for range maxCalls {
		calls.Go(func() { _, _ = Call[question, answer](ctx, c, b.Identity(), "wait", question{}) })
	}
	for range maxCalls {
		<-entered
	}
	if _, err := Call[question, answer](t.Context(), c, b.Identity(), "where", question{"r"}); !errors.Is(err, ErrBusy) {
		t.Error(err)
	}
	if err := c.Ping(t.Context(), b.Identity()); err != nil {
		t.Error(err)
	}
	if _, err := Call[question, answer](t.Context(), w.client(other), b.Identity(), "where", question{"r"}); err != nil {
		t.Error(err)
	}
	cancel()
	calls.Wait()
	for range maxCalls {
		<-ended
	}
}

// MS15: a node that comes back elsewhere is found there.
func TestNodeComesBackElsewhere(t *testing.T) {
	w := newWorld(t)
	a, b := w.bundle("west", "a"), w.bundle("east", "b")
	stop := w.serve(b, newServer(nil, nil))
	c := w.client(a)
	if err := c.Ping(t.Context(), b.Identity()); err != nil {
		t.Fatal(err)
	}
	stop()
	if err := c.Ping(t.Context(), b.Identity()); !errors.Is(err, ErrUnreachable) {
		t.Error(err)
	}
	w.serve(b, newServer(nil, nil))
	if err := c.Ping(t.Context(), b.Identity()); err != nil {
		t.Error(err)
	}
}
