package registry_test

import (
	"bytes"
	"fmt"
	"reflect"
	"testing"

	"github.com/conclave-voice/conclave/cluster/registry"
)

// drainSite is an order that the drained site itself gives.
func drainSite(on bool, deputy string) registry.Order {
	return registry.Order{Kind: registry.DrainSite, Name: "a", Own: true, On: on, Deputy: deputy}
}

// SPEC MS14: a node stays drained when it restarts, and until it is told otherwise.
func TestADrainOutlivesTheRun(t *testing.T) {
	s := newSite(t, n2)
	s.accept(registry.Order{Kind: registry.DrainNode, Name: "n1", On: true}) // it is off
	s.accept(registry.NodeUp{Instance: n1})
	s.refuse(assign("room", n1), registry.Draining)
	s.accept(registry.NodeUp{Instance: n1b})
	s.refuse(assign("room", n1b), registry.Draining)
	s.accept(assign("room", n2))
	s.accept(registry.Order{Kind: registry.DrainNode, Name: "n1"})
	s.accept(assign("other", n1b))
	if len(s.Orders()) != 0 {
		t.Errorf("an order that was taken back is kept: %+v", s.Orders())
	}
}

// SPEC MS14, MS4: from a site's drain on, no node of it is given a room, and the deputy's
// epochs are higher than all that the site gave; when the drain ends, the site's are.
func TestADrainHandsEpochsOver(t *testing.T) {
	home, deputy := newSite(t, n1), newSite(t, n2)
	home.index = 500
	before := home.accept(assign("room", n1)).Assignment
	home.accept(drainSite(true, "b"))
	home.refuse(assign("next", n1), registry.Draining)
	if r := home.accept(assign("room", n1)); r.Assignment != before {
		t.Errorf("what runs is %+v, was %+v", r.Assignment, before)
	}
	told := home.Order(registry.DrainSite, "a")
	told.Own = false
	deputy.accept(told)
	at := deputy.accept(assign("room", n2)).Assignment
	if at.Epoch <= before.Epoch {
		t.Errorf("epoch %d at the deputy, and %d at home", at.Epoch, before.Epoch)
	}
	for range 100 {
		deputy.accept(registry.Release{Room: "room", Epoch: at.Epoch})
		at = deputy.accept(assign("room", n2)).Assignment
	}
	back := drainSite(false, "")
	back.Floor = deputy.Epoch()
	home.accept(back)
	home.accept(registry.Release{Room: "room", Epoch: before.Epoch})
	if again := home.accept(assign("room", n1)).Assignment; again.Epoch <= at.Epoch {
		t.Errorf("epoch %d at home again, and %d at the deputy", again.Epoch, at.Epoch)
	}
}

// SPEC MS14: what is said of a site reaches another late, twice and out of order; the last
// word holds. A site whose disks were lost gets its own back, and goes on from it.
func TestTheLastWordOnASiteHolds(t *testing.T) {
	home, other := newSite(t, n1), newSite(t, n2)
	var told []registry.Order
	for _, o := range []registry.Order{drainSite(true, "b"), drainSite(true, "b"), drainSite(false, ""), drainSite(true, "c")} {
		home.accept(o)
		next := home.Order(registry.DrainSite, "a")
		next.Own = false
		told = append(told, next)
	}
	if told[0] != told[1] || told[3].Serial != 3 {
		t.Errorf("%+v", told)
	}
	for _, i := range []int{2, 0, 3, 1, 3} {
		other.accept(told[i])
	}
	if got := other.Order(registry.DrainSite, "a"); got != told[3] {
		t.Errorf("%+v, want %+v", got, told[3])
	}
	fresh := newSite(t, n1)
	last := told[3]
	last.Own = true
	fresh.accept(last)
	fresh.refuse(assign("room", n1), registry.Draining)
	fresh.accept(drainSite(false, ""))
	if got := fresh.Order(registry.DrainSite, "a"); got.Serial != 4 || got.On {
		t.Errorf("%+v", got)
	}
}

// SPEC MS14: orders are bounded, and are read back as they were, in logs and snapshots.
func TestOrdersAreReadBack(t *testing.T) {
	orders := []registry.Order{{Kind: registry.DrainNode, Name: "n1", On: true},
		{Kind: registry.DrainSite, Name: "a", On: true, Own: true, Deputy: "b", Until: 1_800_000_000, Serial: 7, Floor: 99},
		{Kind: registry.Verdict, Name: "c", Mode: registry.ModeDown}}
	s := newSite(t, n1)
	for i, o := range orders {
		c := registry.Command{Request: from(n1, uint64(i+1)), Op: o}
		data := golden(t, fmt.Sprintf("command-v1-order-%d", i), func() []byte { return encode(t, c) })
		decoded, err := registry.DecodeCommand(data)
		if err != nil || !reflect.DeepEqual(decoded, c) {
			t.Errorf("%+v, %v; want %+v", decoded, err, c)
		}
		s.accept(decoded.Op)
	}
	var snapshot bytes.Buffer
	if _, err := s.WriteTo(&snapshot); err != nil {
		t.Fatal(err)
	}
	restored, err := registry.Restore(&snapshot)
	if err != nil || !reflect.DeepEqual(restored.Orders(), orders) {
		t.Errorf("%+v, %v", restored.Orders(), err)
	}
	for i := range registry.MaxOrders - len(orders) {
		s.accept(registry.Order{Kind: registry.Verdict, Name: fmt.Sprint("s", i), Mode: registry.ModeUp})
	}
	s.refuse(registry.Order{Kind: registry.Verdict, Name: "one more", Mode: registry.ModeUp}, registry.Full)
	for _, bad := range []registry.Order{{Kind: 9, Name: "a"}, {Kind: registry.Verdict, Name: "a", Mode: 3}, {Kind: registry.DrainNode},
		{Kind: registry.DrainSite, Name: "a", Deputy: "a"}, {Kind: registry.DrainSite, Name: "a", Floor: registry.MaxFloor + 1}} {
		s.refuse(bad, registry.Invalid)
	}
}
