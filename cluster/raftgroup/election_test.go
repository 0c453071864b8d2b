package raftgroup_test

import (
	"context"
	"errors"
	"testing"

	"github.com/conclave-voice/conclave/cluster/raftgroup"
	"github.com/conclave-voice/conclave/cluster/registry"
)

// SPEC MS4, MS8: three nodes; the leader dies without goodbye; the others go on, with
// higher epochs, and give away what it hosted.
func TestSiteGoesOnWhenTheLeaderDies(t *testing.T) {
	t.Parallel()
	s := newSite(t, "n1", "n2", "n3")
	s.voters("n1", "n2", "n3")
	s.up()
	leader := s.leader()
	other := s.others(leader)[0]
	first := s.assign(other, "room", leader)
	if first.Focus.Node != leader.name {
		t.Fatalf("%+v", first)
	}
	kept := s.assign(leader, "kept", other)

	s.crash(leader.name)
	next := s.leader()
	s.eventually("the room of the dead node is free", func() bool {
		_, ok, err := next.running().Assignment(t.Context(), "room")
		return err == nil && !ok
	})
	second := s.assign(other, "room", other)
	if second.Focus.Node != other.name || second.Epoch <= kept.Epoch {
		t.Errorf("%+v after %+v", second, kept)
	}
	s.has(next, "kept", kept)

	s.start(leader.name)
	s.voters("n1", "n2", "n3")
	s.same()
}

// SPEC MS4: a leader that is cut off assigns nothing, and says so. The site without
// it goes on.
func TestIsolatedLeaderCannotAssign(t *testing.T) {
	t.Parallel()
	s := newSite(t, "n1", "n2", "n3")
	s.voters("n1", "n2", "n3")
	s.up()
	leader := s.leader()
	s.isolate(leader.name)
	_, err := leader.running().Assign(t.Context(), registry.Assign{
		Room: "room", Candidate: leader.instance(), Kind: registry.KindMain})
	if !errors.Is(err, raftgroup.ErrNoQuorum) {
		t.Fatalf("the isolated leader says %v", err)
	}
	if err := leader.running().Sync(t.Context()); !errors.Is(err, raftgroup.ErrNoQuorum) ||
		errors.Is(err, raftgroup.ErrUnknownOutcome) {
		t.Errorf("reading at the isolated leader: %v", err)
	}
	other := s.others(leader)[0]
	a := s.assign(other, "room", other)
	s.rejoin(leader.name)
	s.eventually("the former leader learns of the assignment", func() bool {
		now, ok, err := leader.running().Assignment(t.Context(), "room")
		return err == nil && ok && now == a
	})
	s.same()
}

// SPEC MS4: once a node knows that there is no quorum it says so without waiting: calls
// are hosted by other rules meanwhile. A thousand waits would outlast the test's patience.
func TestKnownLackOfQuorumIsSaidAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t, "n1", "n2", "n3")
	s.voters("n1", "n2", "n3")
	s.crash("n1")
	s.crash("n2")
	alone := s.node("n3")
	s.eventually("it knows", func() bool { return alone.running().Status().Leader == "" })
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for i := range 1000 {
		_, err := alone.running().Assign(ctx, registry.Assign{
			Room: "room", Candidate: alone.instance(), Kind: registry.KindMain})
		if !errors.Is(err, raftgroup.ErrNoQuorum) {
			t.Fatalf("call %d: %v", i, err)
		}
		if errors.Is(err, raftgroup.ErrUnknownOutcome) {
			t.Fatalf("call %d was sent to nobody, and says: %v", i, err)
		}
	}
}

// SPEC MS8: pre-vote is on. Without it the term of a node that is cut off rises with each attempt to be
// elected, and when it comes back makes the site elect again, though nothing was wrong
// with its leader.
func TestIsolatedNodeAsksBeforeItVotes(t *testing.T) {
	t.Parallel()
	s := newSite(t, "n1", "n2", "n3")
	s.voters("n1", "n2", "n3")
	s.up()
	away := s.others(s.leader())[0]
	s.isolate(away.name)
	s.eventually("the isolated node has no leader", func() bool {
		return away.running().Status().Leader == ""
	})
	before := away.running().Status().Term
	campaigns(s, away, 3)
	if term := away.running().Status().Term; term != before {
		t.Errorf("the isolated node went from term %d to %d: it asked for votes without asking first", before, term)
	}
	s.rejoin(away.name)
	s.eventually("the node is back", func() bool { return away.running().Status().Leader != "" })
}

// campaigns waits until a node that reaches nobody has tried to be elected so many
// times. Each time it dials the two others.
func campaigns(s *site, n *node, count int64) {
	s.t.Helper()
	enough := n.dials.Load() + 2*count
	s.eventually("the node campaigns", func() bool { return n.dials.Load() >= enough })
}
