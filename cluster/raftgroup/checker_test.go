package raftgroup_test

import (
	"testing"

	"github.com/anishathalye/porcupine"

	"github.com/conclave-voice/conclave/cluster/registry"
)

var (
	runA      = registry.Instance{Node: "a", Incarnation: 1}
	runB      = registry.Instance{Node: "b", Incarnation: 1}
	runBLater = registry.Instance{Node: "b", Incarnation: 2}
)

// op is one line of a written history; from and to are instants.
type op struct {
	from, to int64
	call     call
	reply    reply
}

func found(run registry.Instance, epoch uint64) reply {
	return reply{answered, registry.Assignment{Room: "r", Focus: run, Kind: registry.KindMain, Epoch: epoch}}
}

// SPEC MS4: the checker of histories finds what must not be, and lets pass what may.
func TestCheckerFindsPlantedViolations(t *testing.T) {
	assign := func(run registry.Instance, replaced uint64) call { return call{"assign", "r", run, replaced} }
	release := func(epoch uint64) call { return call{op: "release", room: "r", epoch: epoch} }
	read := call{op: "read", room: "r"}
	start := call{op: "start", run: runBLater}
	done, nobody, lost := reply{is: answered}, reply{is: answered}, reply{is: open}
	for _, c := range []struct {
		name string
		want porcupine.CheckResult
		ops  []op
	}{
		{"two foci with one epoch", porcupine.Illegal, []op{
			{1, 4, assign(runA, 0), found(runA, 5)}, {2, 3, assign(runB, 0), found(runB, 5)}}},
		{"two foci, neither of which the other replaced", porcupine.Illegal, []op{
			{1, 4, assign(runA, 0), found(runA, 5)}, {2, 3, assign(runB, 0), found(runB, 6)}}},
		{"a read that sees another focus", porcupine.Illegal, []op{
			{1, 2, assign(runA, 0), found(runA, 5)}, {3, 4, read, found(runB, 5)}}},
		{"a stale read", porcupine.Illegal, []op{
			{1, 2, assign(runA, 0), found(runA, 5)}, {3, 4, assign(runB, 5), found(runB, 6)},
			{5, 6, read, found(runA, 5)}}},
		{"a stale read of nothing", porcupine.Illegal, []op{
			{1, 2, assign(runA, 0), found(runA, 5)}, {3, 4, read, nobody}}},
		{"an epoch that was used before", porcupine.Illegal, []op{
			{1, 2, assign(runA, 0), found(runA, 5)}, {3, 4, release(5), done},
			{5, 6, assign(runA, 0), found(runA, 5)}}},
		{"a released room is still assigned", porcupine.Illegal, []op{
			{1, 2, assign(runA, 0), found(runA, 5)}, {3, 4, release(5), done}, {5, 6, read, found(runA, 5)}}},
		{"a focus whose run is over", porcupine.Illegal, []op{
			{1, 2, assign(runB, 0), found(runB, 5)}, {3, 4, start, done}, {5, 6, read, found(runB, 5)}}},
		{"a lost assignment that is seen, unseen and seen", porcupine.Illegal, []op{
			{1, 0, assign(runA, 0), lost}, {2, 3, read, found(runA, 5)}, {4, 5, read, nobody},
			{6, 7, read, found(runA, 5)}}},

		{"replaced by name", porcupine.Ok, []op{
			{1, 2, assign(runA, 0), found(runA, 5)}, {3, 4, assign(runB, 5), found(runB, 6)},
			{5, 6, read, found(runB, 6)}}},
		{"a read beside a change sees either", porcupine.Ok, []op{
			{1, 2, assign(runA, 0), found(runA, 5)}, {3, 6, assign(runB, 5), found(runB, 6)},
			{4, 5, read, found(runA, 5)}}},
		{"a lost assignment takes effect late", porcupine.Ok, []op{
			{1, 0, assign(runA, 0), lost}, {2, 3, read, nobody}, {4, 5, read, found(runA, 5)}}},
		{"or never", porcupine.Ok, []op{
			{1, 0, assign(runA, 0), lost}, {2, 3, read, nobody}, {4, 5, assign(runB, 0), found(runB, 5)}}},
		{"a restart frees the room at some time", porcupine.Ok, []op{
			{1, 2, assign(runB, 0), found(runB, 5)}, {3, 0, start, lost}, {4, 5, read, found(runB, 5)},
			{6, 7, assign(runA, 0), found(runA, 6)}}},
	} {
		h := newHistory()
		for i, op := range c.ops {
			h.addUntil(i, op.from, op.to, op.call, op.reply)
		}
		if got := h.check(runA, runB); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// SPEC MS4: a real stale read is found: a node that is cut off answers from its own
// copy, as it would if a read did not ask the quorum.
func TestCheckerFindsReadWithoutQuorum(t *testing.T) {
	t.Parallel()
	s := newSite(t, "n1", "n2", "n3")
	s.voters("n1", "n2", "n3")
	s.up()
	h := newHistory()
	runs := []registry.Instance{s.node("n1").instance(), s.node("n2").instance(), s.node("n3").instance()}
	leader := s.leader()
	cut, other := s.others(leader)[0], s.others(leader)[1]

	began := h.now()
	first := s.assign(leader, "room", leader)
	h.add(0, began, call{"assign", "room", leader.instance(), 0}, reply{answered, first})
	s.eventually("the node that will be cut off knows", func() bool { return copyOf(cut, "room") == first })
	s.isolate(cut.name)
	began = h.now()
	second := s.replace(leader, "room", other, first.Epoch)
	h.add(0, began, call{"assign", "room", other.instance(), first.Epoch}, reply{answered, second})
	if got := h.check(runs...); got != porcupine.Ok {
		t.Fatalf("before the stale read: %s", got)
	}
	began = h.now()
	h.add(1, began, call{op: "read", room: "room"}, reply{answered, copyOf(cut, "room")})
	if got := h.check(runs...); got != porcupine.Illegal {
		t.Errorf("with the stale read: %s", got)
	}
}

// copyOf is the room's assignment in the node's own copy.
func copyOf(n *node, room string) (a registry.Assignment) {
	_ = n.running().View(func(r *registry.State) { a, _ = r.Assignment(room) })
	return a
}
