package registry_test

import (
	"fmt"
	"testing"

	"github.com/conclave-voice/conclave/cluster/registry"
)

func TestFullRoomsMakePlaceOnlyFromDeadNodes(t *testing.T) {
	s := newSite(t, n1, n2)
	dead := s.accept(assign("dead", n1)).Assignment
	for i := range registry.MaxRooms - 1 {
		s.accept(assign(fmt.Sprint(i), n2))
	}
	s.refuse(assign("one more", n2), registry.Full)
	s.accept(registry.NodeGone{Instance: n1})
	s.accept(assign("one more", n2))
	s.refuse(assign("and more", n2), registry.Full)
	if back := s.AssignmentsOf("n1"); len(back) != 0 {
		t.Errorf("%+v is still there: %+v", dead, back)
	}
	if rooms, _, _ := s.Sizes(); rooms != registry.MaxRooms {
		t.Errorf("%d rooms", rooms)
	}
}

func TestFullNodesMakePlaceOnlyFromThoseGone(t *testing.T) {
	s := newSite(t)
	node := func(i int) registry.Instance {
		return registry.Instance{Node: fmt.Sprint("node", i), Incarnation: 1}
	}
	for i := range registry.MaxNodes {
		s.accept(registry.NodeUp{Instance: node(i)})
	}
	s.accept(assign("room", node(5)))
	s.item(put(node(6), "call", 1, ""), registry.None)
	for _, i := range []int{5, 6} {
		s.accept(registry.NodeGone{Instance: node(i)})
	}
	s.refuse(registry.NodeUp{Instance: n1}, registry.Full)
	s.accept(registry.NodeGone{Instance: node(7)})
	s.accept(registry.NodeUp{Instance: registry.Instance{Node: "late", Incarnation: 1}})
	if _, ok := s.Node("node7"); ok || len(s.Nodes()) != registry.MaxNodes {
		t.Errorf("%d nodes", len(s.Nodes()))
	}
}

func TestFullDialogsAreRefused(t *testing.T) {
	s := newSite(t, n1)
	state := make([]byte, registry.MaxDialogState)
	fits := registry.MaxDialogBytes / registry.MaxDialogState
	for i := 0; i < fits; i += registry.MaxBatch {
		batch := registry.Dialogs{Owner: n1}
		for j := range registry.MaxBatch {
			batch.Changes = append(batch.Changes,
				registry.DialogChange{Call: fmt.Sprint(i + j), Version: 1, State: state})
		}
		s.accept(batch)
	}
	s.item(put(n1, "too much", 1, "x"), registry.Full)
	s.item(put(n1, "empty", 1, ""), registry.None)
	s.item(drop(n1, "0"), registry.None)
	s.item(put(n1, "fits now", 1, "x"), registry.None)
}

func TestSessionsAreBounded(t *testing.T) {
	s := newSite(t, n1)
	s.request(from(n1, 1), assign("room", n1))
	for i := range 2 * registry.MaxNodes {
		s.request(from(registry.Instance{Node: fmt.Sprint("s", i), Incarnation: 1}, 1),
			registry.Release{Room: "none"})
	}
	first, _ := s.Assignment("room")
	s.accept(registry.Release{Room: "room", Epoch: first.Epoch})
	if r := s.request(from(n1, 1), assign("room", n1)); !r.Changed || r.Assignment == first {
		t.Errorf("the session that was not used for longest is still there: %+v", r)
	}
}
