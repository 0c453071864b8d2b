package raftgroup_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
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

// SPEC MS10: dialogs that change while a batch is on its way become one entry of the
// log, up to the limits; what is too much is refused at once.
func TestDialogsAreReplicatedInBatches(t *testing.T) {
	t.Parallel()
	s := idleSite(t, "n1", "n2")
	s.timing.Patience = patience
	s.start("n1")
	var held *gate
	err := s.tryStart("n2", func(c *raftgroup.Config) {
		held = newGate(c.Forwarder)
		c.Forwarder = held
	})
	if err != nil {
		t.Fatal(err)
	}
	s.up()
	s.voters("n1")
	leader, owner := s.node("n1").running(), s.node("n2").running()
	before := leader.Status().Commit

	var puts sync.WaitGroup
	put := func(i int) {
		puts.Go(func() {
			if err := owner.PutDialog(t.Context(), fmt.Sprint("call", i), 1, make([]byte, 100)); err != nil {
				t.Errorf("call %d: %v", i, err)
			}
		})
	}
	put(0)
	<-held.reached
	for i := range raftgroup.MaxQueuedDialogs {
		put(i + 1)
	}
	s.eventually("the queue is full", func() bool {
		return owner.Status().DialogsWaiting == raftgroup.MaxQueuedDialogs
	})
	if err := owner.PutDialog(t.Context(), "too many", 1, nil); !errors.Is(err, raftgroup.ErrQueueFull) {
		t.Errorf("a full queue: %v", err)
	}
	close(held.opened)
	puts.Wait()

	if entries := leader.Status().Commit - before; entries > raftgroup.MaxQueuedDialogs/10 {
		t.Errorf("%d dialogs made %d log entries", raftgroup.MaxQueuedDialogs+1, entries)
	}
	s.same()
	_ = leader.View(func(r *registry.State) {
		if _, dialogs, _ := r.Sizes(); dialogs != raftgroup.MaxQueuedDialogs+1 {
			t.Errorf("%d dialogs", dialogs)
		}
	})
}

// SPEC MS10: an ingress node dies; of the others that want its dialog one gets it, with
// its latest state, and the dead node's next run does not.
func TestOneNodeTakesTheDialogOfADeadNode(t *testing.T) {
	t.Parallel()
	s := newSite(t, "n1", "n2", "n3")
	s.voters("n1", "n2", "n3")
	s.up()
	owner := s.leader()
	run := owner.instance()
	s.keeps(owner, "call", 1, "early")
	s.keeps(owner, "call", 2, "answered")
	s.keeps(owner, "over", 1, "answered")
	if err := owner.running().DropDialog(t.Context(), "over"); err != nil {
		t.Fatal(err)
	}
	if err := owner.running().PutDialog(t.Context(), "call", 2, nil); !errors.Is(err, registry.Stale) {
		t.Errorf("putting the same version again: %v", err)
	}
	s.crash(owner.name)

	heirs := s.others()
	var taken [2]registry.Dialog
	var failed [2]error
	var takers sync.WaitGroup
	for i, heir := range heirs {
		s.eventually(heir.name+" sees the orphan", func() bool { return len(orphans(heir)) == 1 })
		takers.Go(func() { taken[i], failed[i] = s.take(heir, "call", run) })
	}
	takers.Wait()
	winner := 0
	if failed[0] != nil {
		winner = 1
	}
	loser := 1 - winner
	if failed[winner] != nil || string(taken[winner].State) != "answered" || taken[winner].Version != 2 {
		t.Fatalf("%+v, %v", taken, failed)
	}
	if !errors.Is(failed[loser], registry.NotOwner) {
		t.Errorf("the second to take it: %+v, %v", taken[loser], failed[loser])
	}
	s.keeps(heirs[winner], "call", 3, "moved")
	s.start(owner.name)
	s.up()
	if err := owner.running().PutDialog(t.Context(), "call", 4, nil); !errors.Is(err, registry.NotOwner) {
		t.Errorf("the former owner puts it: %v", err)
	}
	s.same()
}

// keeps puts a dialog, however often it takes. A put that was not answered and was
// carried out makes the next one stale.
func (s *site) keeps(n *node, call string, version uint64, state string) {
	s.t.Helper()
	s.eventually(fmt.Sprintf("%s is kept in version %d", call, version), func() bool {
		err := n.running().PutDialog(s.t.Context(), call, version, []byte(state))
		if err != nil && !transient(err) && !errors.Is(err, registry.Stale) {
			s.t.Fatalf("putting %s: %v", call, err)
		}
		return err == nil || errors.Is(err, registry.Stale)
	})
}

// take takes a dialog, however often it takes. When an answer is lost, it looks.
func (s *site) take(n *node, call string, from registry.Instance) (d registry.Dialog, err error) {
	for {
		d, err = n.running().TakeDialog(s.t.Context(), call, from)
		if err == nil || !transient(err) {
			return d, err
		}
		if n.running().Sync(s.t.Context()) != nil {
			continue
		}
		_ = n.running().View(func(r *registry.State) { d, _ = r.Dialog(call) })
		if d.Owner == n.instance() {
			return d, nil
		}
	}
}

func orphans(n *node) (found []registry.Dialog) {
	_ = n.running().View(func(r *registry.State) { found = r.OrphanDialogs() })
	return found
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
