package registry_test

import (
	"strings"
	"testing"

	"github.com/conclave-voice/conclave/cluster/registry"
)

// site applies ops one after the other, as the log would.
type site struct {
	*registry.State
	t     *testing.T
	index uint64
}

var (
	n1  = registry.Instance{Node: "n1", Incarnation: 10}
	n1b = registry.Instance{Node: "n1", Incarnation: 11} // n1 after a restart
	n2  = registry.Instance{Node: "n2", Incarnation: 20}
	n3  = registry.Instance{Node: "n3", Incarnation: 30}
)

func newSite(t *testing.T, nodes ...registry.Instance) *site {
	s := &site{State: registry.New(), t: t}
	for _, n := range nodes {
		s.do(registry.NodeUp{Instance: n})
	}
	return s
}

func (s *site) do(op registry.Op) registry.Result { return s.request(registry.RequestID{}, op) }

func (s *site) request(id registry.RequestID, op registry.Op) registry.Result {
	s.index++
	return s.Apply(s.index, registry.Command{Request: id, Op: op})
}

// accept does op, which must not be refused.
func (s *site) accept(op registry.Op) registry.Result {
	s.t.Helper()
	r := s.do(op)
	if r.Err() != nil {
		s.t.Fatalf("%+v: %v", op, r.Err())
	}
	return r
}

func (s *site) refuse(op registry.Op, want registry.Refusal) {
	s.t.Helper()
	before := s.encoded()
	if r := s.do(op); r.Refusal != want || r.Changed {
		s.t.Errorf("%+v: refusal %q, want %q", op, r.Refusal, want)
	}
	if want != registry.None && before != s.encoded() {
		s.t.Errorf("%+v was refused and changed the state", op)
	}
}

// encoded is the state as bytes, without its log index.
func (s *site) encoded() string {
	var b strings.Builder
	c := s.Clone()
	c.Apply(0, registry.Command{Op: registry.Release{Room: "-"}})
	if _, err := c.WriteTo(&b); err != nil {
		s.t.Fatal(err)
	}
	return b.String()
}

func assign(room string, to registry.Instance) registry.Assign {
	return registry.Assign{Room: room, Candidate: to, Kind: registry.KindMain}
}

// SPEC MS4.
func TestRoomHasOneFocusUntilItIsReleasedOrVoid(t *testing.T) {
	s := newSite(t, n1, n2)
	first := s.accept(assign("room", n1))
	if !first.Changed || first.Assignment.Focus != n1 {
		t.Fatalf("%+v", first)
	}
	if again := s.accept(assign("room", n2)); again.Changed || again.Assignment != first.Assignment {
		t.Errorf("a second candidate got %+v", again)
	}
	s.accept(registry.Release{Room: "room", Epoch: first.Assignment.Epoch - 1})
	if now, ok := s.Assignment("room"); !ok || now != first.Assignment {
		t.Error("a late release took the assignment away")
	}
	s.accept(registry.Release{Room: "room", Epoch: first.Assignment.Epoch})
	if _, ok := s.Assignment("room"); ok {
		t.Error("still there after its release")
	}
	second := s.accept(assign("room", n2)).Assignment
	if second.Epoch <= first.Assignment.Epoch || second.Focus != n2 {
		t.Errorf("%+v after %+v", second, first.Assignment)
	}
}

// SPEC MS4, MS8.
func TestRoomOfDeadFocusIsFree(t *testing.T) {
	s := newSite(t, n1, n2)
	first := s.accept(assign("room", n1)).Assignment
	s.accept(registry.NodeGone{Instance: n1})
	if _, ok := s.Assignment("room"); ok {
		t.Error("a dead node is said to host the room")
	}
	if of := s.AssignmentsOf("n1"); len(of) != 1 || of[0] != first {
		t.Errorf("what the dead node hosted: %+v", of)
	}
	second := s.accept(assign("room", n2))
	if !second.Changed || second.Assignment.Epoch <= first.Epoch {
		t.Errorf("%+v", second)
	}
	s.accept(registry.NodeUp{Instance: n1})
	if now, _ := s.Assignment("room"); now != second.Assignment {
		t.Error("the returning node got the room back")
	}
}

// SPEC MS8: a restart is a death, even when nobody saw the node missing.
func TestRestartEndsWhatTheEarlierRunHosted(t *testing.T) {
	s := newSite(t, n1)
	first := s.accept(assign("room", n1)).Assignment
	s.accept(registry.NodeUp{Instance: n1b})
	s.refuse(registry.NodeUp{Instance: n1}, registry.Stale)
	s.refuse(assign("other", n1), registry.Unknown)
	second := s.accept(assign("room", n1b))
	if !second.Changed || second.Assignment.Epoch <= first.Epoch {
		t.Errorf("%+v", second)
	}
	s.refuse(registry.NodeGone{Instance: n1}, registry.Stale)
}

// SPEC MS4: a false alarm that nobody acted on costs nothing.
func TestFalseAlarmGivesTheRoomBack(t *testing.T) {
	s := newSite(t, n1)
	first := s.accept(assign("room", n1)).Assignment
	s.accept(registry.NodeGone{Instance: n1})
	s.accept(registry.NodeUp{Instance: n1})
	if now, ok := s.Assignment("room"); !ok || now != first {
		t.Errorf("%+v, %v", now, ok)
	}
}

// SPEC MS4, MS14.
func TestReplaceNamesTheEpochThatItReplaces(t *testing.T) {
	s := newSite(t, n1, n2, n3)
	first := s.accept(assign("room", n1)).Assignment
	move := assign("room", n2)
	move.Replace = first.Epoch
	second := s.accept(move)
	if !second.Changed {
		t.Fatal("the room did not move")
	}
	late := assign("room", n3)
	late.Replace = first.Epoch
	if r := s.accept(late); r.Changed || r.Assignment != second.Assignment {
		t.Errorf("a second mover, who had seen the first epoch, got %+v", r)
	}
}

// SPEC MS4: the disks of the whole site are lost, the database remembers.
func TestEpochIsAboveWhatTheDatabaseHasSeen(t *testing.T) {
	s := newSite(t, n1, n2)
	a := assign("room", n1)
	a.Floor = 5000
	first := s.accept(a).Assignment
	if first.Epoch != 5001 {
		t.Errorf("epoch %d above 5000", first.Epoch)
	}
	other := s.accept(assign("other", n1)).Assignment
	if other.Epoch <= first.Epoch {
		t.Errorf("epoch %d of another room is not above %d", other.Epoch, first.Epoch)
	}
	late := assign("room", n2)
	late.Floor = 9000
	if r := s.accept(late); !r.Changed || r.Assignment.Epoch <= 9000 {
		t.Errorf("an assignment below what the database refuses stayed: %+v", r)
	}
	s.index = 20_000
	if r := s.accept(assign("third", n1)); r.Assignment.Epoch < 20_000 {
		t.Errorf("epoch %d at log index %d", r.Assignment.Epoch, s.index)
	}
}

// SPEC MS14.
func TestDrainingNodeTakesNoNewRooms(t *testing.T) {
	s := newSite(t, n1)
	held := s.accept(assign("held", n1)).Assignment
	s.accept(registry.Drain{Instance: n1, Draining: true})
	s.refuse(assign("room", n1), registry.Draining)
	if now, _ := s.Assignment("held"); now != held {
		t.Error("draining took a running room away")
	}
	s.accept(registry.Drain{Instance: n1})
	s.accept(assign("room", n1))
}

func TestNodeThatNobodySawCannotHost(t *testing.T) {
	s := newSite(t)
	s.refuse(assign("room", n1), registry.Unknown)
	s.refuse(registry.NodeGone{Instance: n1}, registry.Unknown)
	s.refuse(registry.Drain{Instance: n1, Draining: true}, registry.Unknown)
}

func put(owner registry.Instance, call string, version uint64, state string) registry.Dialogs {
	return registry.Dialogs{Owner: owner, Changes: []registry.DialogChange{
		{Call: call, Version: version, State: []byte(state)}}}
}

func drop(owner registry.Instance, call string) registry.Dialogs {
	return registry.Dialogs{Owner: owner, Changes: []registry.DialogChange{{Call: call, Drop: true}}}
}

func (s *site) item(op registry.Dialogs, want registry.Refusal) {
	s.t.Helper()
	r := s.accept(op)
	if r.Items[0] != want {
		s.t.Errorf("%+v: %q, want %q", op, r.Items[0], want)
	}
}

// SPEC MS10.
func TestDialogGrowsUnderItsOwner(t *testing.T) {
	s := newSite(t, n1, n2)
	s.item(put(n1, "call", 2, "b"), registry.None)
	s.item(put(n1, "call", 2, "c"), registry.Stale)
	s.item(put(n1, "call", 1, "a"), registry.Stale)
	s.item(put(n2, "call", 3, "x"), registry.NotOwner)
	s.item(drop(n2, "call"), registry.NotOwner)
	if d, _ := s.Dialog("call"); string(d.State) != "b" || d.Owner != n1 {
		t.Errorf("%+v", d)
	}
	s.item(drop(n1, "call"), registry.None)
	s.item(drop(n1, "call"), registry.None)
	if _, _, bytes := s.Sizes(); bytes != 0 || len(s.DialogsOf("n1")) != 0 {
		t.Errorf("%d bytes left of what was dropped", bytes)
	}
}

// SPEC MS10: the ingress node dies, one of the others takes the dialog.
func TestOneNodeTakesTheOrphan(t *testing.T) {
	s := newSite(t, n1, n2, n3)
	s.item(put(n1, "call", 1, "state"), registry.None)
	if orphans := s.OrphanDialogs(); len(orphans) != 0 {
		t.Errorf("orphans of a live node: %+v", orphans)
	}
	s.accept(registry.NodeGone{Instance: n1})
	if orphans := s.OrphanDialogs(); len(orphans) != 1 || orphans[0].Call != "call" {
		t.Fatalf("orphans: %+v", orphans)
	}
	taken := s.accept(registry.TakeDialog{Call: "call", From: n1, To: n2})
	if string(taken.Dialog.State) != "state" || taken.Dialog.Owner != n2 {
		t.Errorf("%+v", taken.Dialog)
	}
	s.refuse(registry.TakeDialog{Call: "call", From: n1, To: n3}, registry.NotOwner)
	s.refuse(registry.TakeDialog{Call: "none", From: n1, To: n3}, registry.NotFound)
	s.item(put(n1, "call", 2, "late"), registry.NotOwner)
	s.item(put(n2, "call", 2, "moved"), registry.None)
	if len(s.OrphanDialogs()) != 0 {
		t.Error("still an orphan")
	}
}

func TestRestartMakesOrphansOfTheEarlierRun(t *testing.T) {
	s := newSite(t, n1)
	s.item(put(n1, "call", 1, ""), registry.None)
	s.accept(registry.NodeUp{Instance: n1b})
	if len(s.OrphanDialogs()) != 1 {
		t.Error("no orphan")
	}
	s.refuse(put(n1, "call", 2, ""), registry.Stale)
	s.refuse(registry.TakeDialog{Call: "call", From: n1, To: n1}, registry.Unknown)
	s.accept(registry.TakeDialog{Call: "call", From: n1, To: n1b})
}

func TestGroupIsNamedOnce(t *testing.T) {
	s := newSite(t)
	s.accept(registry.Found{Group: "first"})
	if r := s.accept(registry.Found{Group: "second"}); r.Changed || s.Group() != "first" {
		t.Errorf("group %q", s.Group())
	}
}

func TestFieldsOutOfRangeAreRefused(t *testing.T) {
	s := newSite(t, n1)
	long := strings.Repeat("x", registry.MaxName+1)
	badKind := assign("room", n1)
	badKind.Kind = 3
	badFloor := assign("room", n1)
	badFloor.Floor = registry.MaxFloor + 1
	for _, op := range []registry.Op{
		assign("", n1), assign(long, n1), badKind, badFloor,
		assign("room", registry.Instance{Node: "n1"}),
		registry.Release{},
		registry.NodeUp{Instance: n1, Addresses: make([]string, registry.MaxAddresses+1)},
		registry.NodeUp{Instance: n1, Addresses: []string{long}},
		registry.Dialogs{Owner: n1},
		registry.Dialogs{Owner: n1, Changes: make([]registry.DialogChange, registry.MaxBatch+1)},
		put(n1, "call", 0, ""),
		put(n1, "call", 1, strings.Repeat("x", registry.MaxDialogState+1)),
		registry.TakeDialog{Call: "call", From: n1},
		registry.Found{},
	} {
		s.refuse(op, registry.Invalid)
		if _, err := (registry.Command{Op: op}).Encode(); err == nil {
			t.Errorf("%T is refused and can be encoded", op)
		}
	}
	s.refuse(nil, registry.Invalid)
}
