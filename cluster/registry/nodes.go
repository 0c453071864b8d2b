package registry

import (
	"fmt"
	"slices"
)

// NodeUp says that a run of a node is there. It ends earlier runs of the node, and
// takes back an earlier NodeGone of the same run, which was a false alarm.
type NodeUp struct {
	Instance
	Addresses []string
}

func (n NodeUp) code() opcode { return opNodeUp }

func (n NodeUp) validate() error {
	if len(n.Addresses) > MaxAddresses {
		return fmt.Errorf("node %s has %d addresses; at most %d", n.Node, len(n.Addresses), MaxAddresses)
	}
	for _, a := range n.Addresses {
		if len(a) > MaxName {
			return fmt.Errorf("an address of node %s is %d bytes; at most %d", n.Node, len(a), MaxName)
		}
	}
	return n.Instance.validate()
}

func (n NodeUp) apply(s *State) Result {
	current, known := s.nodes[n.Node]
	if known && current.Incarnation > n.Incarnation {
		return Result{Refusal: Stale}
	}
	if !known && len(s.nodes) >= MaxNodes && !s.dropGoneNode() {
		return Result{Refusal: Full}
	}
	next := Node{Instance: n.Instance, Addresses: slices.Clone(n.Addresses), touched: s.index}
	if known && current.Incarnation == n.Incarnation {
		if !current.Gone && slices.Equal(current.Addresses, n.Addresses) {
			return Result{}
		}
		next.Draining = current.Draining
	}
	s.nodes[n.Node] = next
	return Result{Changed: true}
}

func (n NodeUp) again(_ *State, r Result) Result { return r }

// dropGoneNode makes a place by forgetting the node that has been gone for longest,
// of those that no assignment or dialog names.
func (s *State) dropGoneNode() bool {
	named := map[string]bool{}
	for _, a := range s.rooms {
		named[a.Focus.Node] = true
	}
	for _, d := range s.dialogs {
		named[d.Owner.Node] = true
	}
	var oldest Node
	for _, n := range s.nodes {
		older := oldest.Node == "" || n.touched < oldest.touched ||
			n.touched == oldest.touched && n.Node < oldest.Node
		if n.Gone && !named[n.Node] && older {
			oldest = n
		}
	}
	delete(s.nodes, oldest.Node)
	return oldest.Node != ""
}

// NodeGone says that a run of a node is over. Its assignments become void and its
// dialogs orphans; they stay until someone replaces or takes them.
type NodeGone struct {
	Instance
	Left bool // it left on purpose and is not expected back
}

func (n NodeGone) code() opcode { return opNodeGone }

func (n NodeGone) validate() error { return n.Instance.validate() }

func (n NodeGone) apply(s *State) Result {
	current, ok := s.nodes[n.Node]
	if !ok {
		return Result{Refusal: Unknown}
	}
	if current.Incarnation > n.Incarnation {
		return Result{Refusal: Stale}
	}
	if current.Incarnation < n.Incarnation {
		return Result{Refusal: Unknown}
	}
	next := current
	next.Gone = true
	next.Left = current.Left || n.Left
	if next.Gone == current.Gone && next.Left == current.Left {
		return Result{}
	}
	next.touched = s.index
	s.nodes[n.Node] = next
	return Result{Changed: true}
}

func (n NodeGone) again(_ *State, r Result) Result { return r }

// Drain says whether a run of a node takes new rooms. What it has stays. Earlier
// versions wrote it; an [Order] outlives the run.
type Drain struct {
	Instance
	Draining bool
}

func (d Drain) code() opcode { return opDrain }

func (d Drain) validate() error { return d.Instance.validate() }

func (d Drain) apply(s *State) Result {
	if !s.alive(d.Instance) {
		return Result{Refusal: Unknown}
	}
	n := s.nodes[d.Node]
	if n.Draining == d.Draining {
		return Result{}
	}
	n.Draining = d.Draining
	n.touched = s.index
	s.nodes[d.Node] = n
	return Result{Changed: true}
}

func (d Drain) again(_ *State, r Result) Result { return r }

// Found names the Raft group, once: the first name holds.
type Found struct {
	Group string
}

func (f Found) code() opcode { return opFound }

func (f Found) validate() error {
	if f.Group == "" || len(f.Group) > maxGroupID {
		return fmt.Errorf("group id is %d bytes; it must be 1 to %d", len(f.Group), maxGroupID)
	}
	return nil
}

func (f Found) apply(s *State) Result {
	if s.group != "" {
		return Result{}
	}
	s.group = f.Group
	return Result{Changed: true}
}

func (f Found) again(_ *State, r Result) Result { return r }
