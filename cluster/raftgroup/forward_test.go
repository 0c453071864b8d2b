package raftgroup_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/cluster/raftgroup"
	"github.com/conclave-voice/conclave/cluster/registry"
)

// gate holds back what a node forwards until it is opened.
type gate struct {
	raftgroup.Forwarder
	reached chan struct{} // closed when the first request is held
	opened  chan struct{}
	once    sync.Once
}

func newGate(f raftgroup.Forwarder) *gate {
	return &gate{Forwarder: f, reached: make(chan struct{}), opened: make(chan struct{})}
}

func (g *gate) Forward(ctx context.Context, node string, request []byte) ([]byte, error) {
	g.once.Do(func() { close(g.reached) })
	select {
	case <-g.opened:
		return g.Forwarder.Forward(ctx, node, request)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// counter counts what is forwarded.
type counter struct {
	raftgroup.Forwarder
	count *atomic.Int64
}

func (c counter) Forward(ctx context.Context, node string, request []byte) ([]byte, error) {
	defer c.count.Add(1)
	return c.Forwarder.Forward(ctx, node, request)
}

// loser loses the answer to the first command that is forwarded, once it was carried
// out, and lets something happen before it is sent again.
type loser struct {
	raftgroup.Forwarder
	meanwhile func()
	once      sync.Once
}

func (l *loser) Forward(ctx context.Context, node string, request []byte) ([]byte, error) {
	answer, err := l.Forwarder.Forward(ctx, node, request)
	if request[1] == 1 { // a command
		l.once.Do(func() {
			l.meanwhile()
			err = errors.New("the answer is lost")
		})
	}
	return answer, err
}

// SPEC MS4: a request whose answer is lost is sent again and carried out once. Carried
// out again, it would bring back what was released in the meantime.
func TestRepeatedRequestIsCarriedOutOnce(t *testing.T) {
	t.Parallel()
	s := idleSite(t, "n1", "n2")
	s.timing.Patience = patience
	leader := s.start("n1")
	var seen registry.Assignment
	release := func() {
		var err error
		if seen, _, err = leader.running().Assignment(t.Context(), "room"); err != nil {
			t.Error(err)
		}
		if err := leader.running().Release(t.Context(), "room", seen.Epoch); err != nil {
			t.Error(err)
		}
	}
	err := s.tryStart("n2", func(c *raftgroup.Config) {
		c.Forwarder = &loser{Forwarder: c.Forwarder, meanwhile: release}
	})
	if err != nil {
		t.Fatal(err)
	}
	s.up()
	got, err := s.node("n2").running().Assign(t.Context(), registry.Assign{
		Room: "room", Candidate: leader.instance(), Kind: registry.KindMain})
	if err != nil || got.Epoch == 0 || got != seen {
		t.Errorf("assigned %+v, %v; the first attempt gave %+v", got, err, seen)
	}
	if now, ok, err := leader.running().Assignment(t.Context(), "room"); err != nil || ok {
		t.Errorf("the room was released and has %+v, %v", now, err)
	}
}

// A request that is waiting when its node is closed ends, and says what it knows.
func TestCloseEndsThoseWhoWait(t *testing.T) {
	t.Parallel()
	s := idleSite(t, "n1", "n2")
	s.timing.Patience = patience
	s.timing.Stable = time.Hour // n2 has no vote
	s.startAll()
	s.up()
	alone := s.node("n2").running()
	s.crash("n1")
	var waiting sync.WaitGroup
	for _, ask := range []func() error{
		func() error { return alone.Sync(t.Context()) },
		func() error { return alone.Release(t.Context(), "room", 1) },
		func() error { return alone.PutDialog(t.Context(), "call", 1, nil) },
	} {
		waiting.Go(func() {
			if err := ask(); !errors.Is(err, raftgroup.ErrClosed) {
				t.Errorf("after closing: %v", err)
			}
		})
	}
	s.crash("n2")
	waiting.Wait()
	if err := alone.PutDialog(t.Context(), "call", 1, nil); !errors.Is(err, raftgroup.ErrClosed) {
		t.Errorf("once closed: %v", err)
	}
}

// A node that has been told how far to read, and then gets no further, does not wait
// for ever.
func TestReadThatIsNeverReachedEnds(t *testing.T) {
	t.Parallel()
	s := idleSite(t, "n1", "n2")
	s.start("n1")
	if err := s.tryStart("n2", func(c *raftgroup.Config) { c.Forwarder = exaggerator{} }); err != nil {
		t.Fatal(err)
	}
	s.up()
	if err := s.node("n2").running().Sync(t.Context()); !errors.Is(err, raftgroup.ErrNoQuorum) {
		t.Errorf("%v", err)
	}
}

// exaggerator answers every request with a log index that is far off.
type exaggerator struct{}

func (exaggerator) Forward(context.Context, string, []byte) ([]byte, error) {
	return []byte{1, 1, 0xff, 0xff, 0xff, 0x7f}, nil
}
