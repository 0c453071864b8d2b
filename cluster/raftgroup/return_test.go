package raftgroup_test

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/conclave-voice/conclave/cluster/raftgroup"
	"github.com/conclave-voice/conclave/cluster/registry"
)

// SPEC MS15: a voter comes back without its disk, and is a voter again.
func TestVoterReturnsWithoutItsDisk(t *testing.T) {
	t.Parallel()
	s := newSite(t, "n1", "n2", "n3")
	s.voters("n1", "n2", "n3")
	s.up()
	lost := s.others(s.leader())[0]
	a := s.assign(lost, "room", s.leader())
	s.crash(lost.name)
	s.loseDisk(lost.name)
	s.start(lost.name)
	s.voters("n1", "n2", "n3")
	s.up()
	s.same()
	s.has(lost, "room", a)
}

// SPEC MS4: the server that lost its disk has forgotten its vote. Another one at the same
// address must not be counted in its place, or a committed entry is lost: here the
// only other server that has the entry is dead, and the site must wait for it.
func TestServerWithoutItsDiskDoesNotVoteForItsFormerSelf(t *testing.T) {
	t.Parallel()
	s := newSite(t, "n1", "n2", "n3")
	s.voters("n1", "n2", "n3")
	s.up()
	leader := s.leader()
	lost, behind := s.others(leader)[0], s.others(leader)[1]
	s.isolate(behind.name)
	a := s.assign(leader, "room", leader) // at leader and lost only
	s.crash(lost.name)
	s.loseDisk(lost.name)
	s.crash(leader.name)
	s.rejoin(behind.name)
	s.start(lost.name)
	campaigns(s, behind, 3)
	for _, n := range []*node{behind, lost} {
		if status := n.running().Status(); status.Leader != "" {
			t.Fatalf("%s believes in leader %s, who cannot have the entry", n.name, status.Leader)
		}
	}
	s.start(leader.name)
	if epoch := s.assign(behind, "next", behind).Epoch; epoch <= a.Epoch {
		t.Errorf("epoch %d was given twice: %d", a.Epoch, epoch)
	}
	s.voters("n1", "n2", "n3")
	s.same()
}

// SPEC MS15: each start is at a new address. All nodes at once come back, too.
func TestAllNodesReturnAtNewAddresses(t *testing.T) {
	t.Parallel()
	s := newSite(t, "n1", "n2", "n3")
	s.voters("n1", "n2", "n3")
	s.up()
	a := s.assign(s.leader(), "room", s.leader())
	for _, name := range s.seeds {
		s.crash(name)
	}
	for _, name := range s.seeds {
		s.start(name)
	}
	s.up()
	s.voters("n1", "n2", "n3")
	next := s.assign(s.leader(), "room", s.leader())
	if next.Epoch <= a.Epoch {
		t.Errorf("the focus has restarted: epoch %d after %d", next.Epoch, a.Epoch)
	}
	s.same()
}

// SPEC MS8, MS10: of five nodes three vote. A dead voter is replaced by a live spare,
// so that one failure after the other is survived, until two nodes are left.
func TestDeadVotersAreReplaced(t *testing.T) {
	t.Parallel()
	s := newSite(t, "n1", "n2", "n3", "n4", "n5")
	s.up()
	voters := s.voting(3)
	s.eventually("there are two spares", func() bool { return len(s.leader().running().Status().Spares) == 2 })
	for range 2 {
		dead := s.leader().name
		s.crash(dead)
		s.eventually("three live nodes vote", func() bool {
			voters = s.voting(3)
			return !slices.Contains(voters, dead)
		})
		s.assign(s.leader(), "room", s.leader())
	}
	s.crash(s.leader().name)
	s.assign(s.leader(), "room", s.leader())
	s.up()
	s.same()
}

// SPEC MS15: a seed that lost its disk finds the group that it founded, and does not
// found another, even when gossip still says that the other node has never been in one.
func TestFounderWithoutItsDiskFoundsNothing(t *testing.T) {
	t.Parallel()
	s := idleSite(t, "n1", "n2")
	s.start("n1")
	err := s.tryStart("n2", func(c *raftgroup.Config) {
		announce := c.Announce
		c.Announce = func(m raftgroup.Member) {
			m.Fresh, m.Group = true, ""
			announce(m)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	s.up()
	s.eventually("n2 knows its group", func() bool { return s.node("n2").running().Status().Group != "" })
	group := s.node("n2").running().Status().Group
	s.crash("n1") // the only voter of two
	s.loseDisk("n1")
	var asked atomic.Int64
	err = s.tryStart("n1", func(c *raftgroup.Config) { c.Forwarder = counter{c.Forwarder, &asked} })
	if err != nil {
		t.Fatal(err)
	}
	s.eventually("n1 has asked n2, or founded a group", func() bool {
		return asked.Load() >= 3 || len(s.node("n1").running().Status().Voters) > 0
	})
	if status := s.node("n1").running().Status(); status.Group != "" || len(status.Voters) != 0 {
		t.Errorf("n1 is in group %s with voters %v; the site's is %s", status.Group, status.Voters, group)
	}
}

// SPEC MS15: one node is a site, and survives its restart.
func TestSiteOfOne(t *testing.T) {
	t.Parallel()
	s := newSite(t, "n1")
	s.up()
	first := s.assign(s.node("n1"), "room", s.node("n1"))
	s.crash("n1")
	s.start("n1")
	s.up()
	second := s.assign(s.node("n1"), "room", s.node("n1"))
	if second.Epoch <= first.Epoch || second.Focus == first.Focus {
		t.Errorf("%+v after %+v", second, first)
	}
}

// SPEC MS15: of two nodes one votes; the other may die.
func TestSiteOfTwoSurvivesTheSpare(t *testing.T) {
	t.Parallel()
	s := newSite(t, "n1", "n2")
	s.up()
	s.voters("n1")
	a := s.assign(s.node("n2"), "room", s.node("n2"))
	s.crash("n2")
	s.eventually("n2's room is free", func() bool {
		_, ok, err := s.node("n1").running().Assignment(t.Context(), "room")
		return err == nil && !ok
	})
	if b := s.assign(s.node("n1"), "room", s.node("n1")); b.Epoch <= a.Epoch {
		t.Errorf("%+v after %+v", b, a)
	}
	s.start("n2")
	s.up()
	s.same()
}

// SPEC MS15: a site grows from one node, and nodes that join need no list.
func TestSiteGrows(t *testing.T) {
	t.Parallel()
	s := newSite(t, "n1")
	s.up()
	for i := 2; i <= 4; i++ {
		s.start(fmt.Sprint("n", i))
	}
	s.up()
	s.voting(3)
	s.same()
}

// SPEC MS14: a node leaves, the leader among them, and the rest goes on at its size.
func TestNodesLeave(t *testing.T) {
	t.Parallel()
	s := newSite(t, "n1", "n2", "n3")
	s.voters("n1", "n2", "n3")
	s.up()
	for len(s.running()) > 1 {
		leaver := s.leader()
		leave := func() error { return leaver.running().Leave(t.Context()) }
		if err := s.settled("the leader leaves", leave); err != nil {
			t.Fatal(err)
		}
		s.crash(leaver.name)
		left := s.leader()
		s.eventually("the group is without it", func() bool {
			status := left.running().Status()
			return !slices.Contains(append(status.Voters, status.Spares...), leaver.name)
		})
		known, _ := registered(left, leaver.name)
		if !known.Gone || !known.Left {
			t.Errorf("the registry has %+v", known)
		}
		s.voting(1)
		s.assign(left, "room", left)
	}
	// They are welcome again, with the disks that they had.
	s.startAll()
	s.voters("n1", "n2", "n3")
	s.up()
}

// SPEC MS14: an operator removes a node that will not come back.
func TestDeadNodeIsRemoved(t *testing.T) {
	t.Parallel()
	s := newSite(t, "n1", "n2", "n3")
	s.voters("n1", "n2", "n3")
	s.up()
	dead := s.others(s.leader())[0]
	s.crash(dead.name)
	remove := func() error { return s.leader().running().Remove(t.Context(), dead.name) }
	if err := s.settled("the dead node is removed", remove); err != nil {
		t.Fatal(err)
	}
	s.eventually("it is no member", func() bool {
		status := s.leader().running().Status()
		return len(status.Voters)+len(status.Spares) == 2
	})
}

// SPEC MS14: a node that drains keeps its rooms and is given no more.
func TestDrainingNodeIsGivenNoRooms(t *testing.T) {
	t.Parallel()
	s := newSite(t, "n1")
	s.up()
	n := s.node("n1")
	kept := s.assign(n, "kept", n)
	for _, draining := range []bool{true, false} {
		if err := n.running().Order(t.Context(), registry.Order{Kind: registry.DrainNode, Name: "n1", On: draining}); err != nil {
			t.Fatal(err)
		}
		_, err := n.running().Assign(t.Context(), registry.Assign{
			Room: "next", Candidate: n.instance(), Kind: registry.KindMain})
		if errors.Is(err, registry.Draining) != draining {
			t.Errorf("draining %v: %v", draining, err)
		}
		s.has(n, "kept", kept)
	}
}

// SPEC MS14: a leader that is stopped on purpose hands over first.
func TestHandOver(t *testing.T) {
	t.Parallel()
	s := newSite(t, "n1", "n2", "n3")
	s.voters("n1", "n2", "n3")
	leader := s.leader()
	s.eventually("the leader hands over", func() bool { return leader.running().HandOver(t.Context()) == nil })
	s.eventually("another leads", func() bool { return s.leader() != leader })
	if err := leader.running().HandOver(t.Context()); err != nil {
		t.Errorf("handing over what one does not have: %v", err)
	}
}

// SPEC MS15: a node that is behind by more than the log is sent a snapshot; a node
// that restarts begins with its own.
func TestSnapshotBringsANodeUpToDate(t *testing.T) {
	t.Parallel()
	s := idleSite(t, "n1", "n2", "n3")
	s.entries = 16
	for _, name := range s.seeds {
		s.start(name)
	}
	s.voters("n1", "n2", "n3")
	s.up()
	behind := s.others(s.leader())[0]
	s.crash(behind.name)
	rooms := 0
	assignSome := func() {
		for range 40 {
			rooms++
			s.assign(s.leader(), fmt.Sprint("room", rooms), s.leader())
		}
	}
	assignSome()
	for _, n := range s.running() {
		s.eventually(n.name+" has a snapshot", n.hasSnapshot)
	}
	assignSome()
	s.start(behind.name)
	s.up()
	s.same()
	for _, name := range s.seeds {
		s.crash(name)
	}
	for _, name := range s.seeds {
		s.start(name)
	}
	s.up()
	s.same()
	_ = s.leader().running().View(func(r *registry.State) {
		if have, _, _ := r.Sizes(); have != rooms {
			t.Errorf("%d of %d rooms", have, rooms)
		}
	})
}

// SPEC MS15: a node that was in a group of its own is left out, whatever gossip says.
func TestNodeOfAnotherGroupIsLeftOut(t *testing.T) {
	t.Parallel()
	s := newSite(t, "n1", "n2")
	s.up()
	s.start("n3")
	s.crash("n3")
	s.loseDisk("n3")
	s.isolate("n3")
	if err := s.tryStart("n3", func(c *raftgroup.Config) { c.Seeds = []string{"n3"} }); err != nil {
		t.Fatal(err)
	}
	s.eventually("n3 leads its own group", func() bool {
		status := s.node("n3").running().Status()
		return status.Leading && status.Group != ""
	})
	s.rejoin("n3")
	s.start("n4") // is taken in after n3 was looked at
	s.eventually("n4 is a member", func() bool {
		status := s.node("n1").running().Status()
		return slices.Contains(append(status.Voters, status.Spares...), "n4")
	})
	status := s.node("n1").running().Status()
	if slices.Contains(append(status.Voters, status.Spares...), "n3") {
		t.Errorf("n3 was taken in: %+v", status)
	}
	if known, _ := registered(s.node("n1"), "n3"); known.Instance == s.node("n3").instance() {
		t.Errorf("rooms could be assigned to n3: %+v", known)
	}
}
