package registry

import (
	"cmp"
	"maps"
	"slices"
)

// Index is the log index of the last command applied.
func (s *State) Index() uint64 { return s.index }

// Epoch is the highest epoch given so far.
func (s *State) Epoch() uint64 { return s.epoch }

// Group is the id of the Raft group, empty until a Found is applied.
func (s *State) Group() string { return s.group }

// Assignment is the room's assignment. There is none when the focus is over: a
// void assignment is what the next Assign replaces.
func (s *State) Assignment(room string) (Assignment, bool) {
	a, ok := s.rooms[room]
	if !ok || s.over(a.Focus) {
		return Assignment{}, false
	}
	return a, true
}

// AssignmentsOf are the assignments of all runs of the node, also of those that are
// over, by room.
func (s *State) AssignmentsOf(node string) []Assignment {
	var of []Assignment
	for _, a := range s.rooms {
		if a.Focus.Node == node {
			of = append(of, a)
		}
	}
	slices.SortFunc(of, func(a, b Assignment) int { return cmp.Compare(a.Room, b.Room) })
	return of
}

// Dialog is the dialog of a call.
func (s *State) Dialog(call string) (Dialog, bool) {
	d, ok := s.dialogs[call]
	return d, ok
}

// Dialogs are all dialogs, by call id.
func (s *State) Dialogs() []Dialog {
	return s.selectDialogs(func(Dialog) bool { return true })
}

// DialogsOf are the dialogs of all runs of the node, by call id.
func (s *State) DialogsOf(node string) []Dialog {
	return s.selectDialogs(func(d Dialog) bool { return d.Owner.Node == node })
}

// OrphanDialogs are the dialogs whose owner is over, by call id.
func (s *State) OrphanDialogs() []Dialog {
	return s.selectDialogs(func(d Dialog) bool { return s.over(d.Owner) })
}

func (s *State) selectDialogs(wanted func(Dialog) bool) []Dialog {
	var selected []Dialog
	for _, d := range s.dialogs {
		if wanted(d) {
			selected = append(selected, d)
		}
	}
	slices.SortFunc(selected, func(a, b Dialog) int { return cmp.Compare(a.Call, b.Call) })
	return selected
}

// Node is what is known of a node.
func (s *State) Node(id string) (Node, bool) {
	n, ok := s.nodes[id]
	return n, ok
}

// Nodes are all nodes that are known, gone ones included, by id.
func (s *State) Nodes() []Node {
	nodes := slices.Collect(maps.Values(s.nodes))
	slices.SortFunc(nodes, func(a, b Node) int { return cmp.Compare(a.Node, b.Node) })
	return nodes
}

// Sizes are how full the registry is, for metrics.
func (s *State) Sizes() (rooms, dialogs, dialogBytes int) {
	return len(s.rooms), len(s.dialogs), s.dialogBytes
}
