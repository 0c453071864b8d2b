package raftgroup_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/conclave-voice/conclave/cluster/raftgroup"
	"github.com/conclave-voice/conclave/cluster/registry"
)

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
	put := func(version uint64) error {
		return s.settled("the owner puts the dialog", func() error {
			return owner.running().PutDialog(t.Context(), "call", version, nil)
		})
	}
	s.keeps(owner, "call", 1, "early")
	s.keeps(owner, "call", 2, "answered")
	s.keeps(owner, "over", 1, "answered")
	drop := func() error { return owner.running().DropDialog(t.Context(), "over") }
	if err := s.settled("a dialog is dropped", drop); err != nil {
		t.Fatal(err)
	}
	if err := put(2); !errors.Is(err, registry.Stale) {
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
	if err := put(4); !errors.Is(err, registry.NotOwner) {
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
