package sites

import (
	"cmp"
	"slices"

	"github.com/conclave-voice/conclave/store"
)

// Node is what is known of a node when a conference is to be placed.
type Node struct {
	store.Place
	Incarnation uint64
	Alive       bool
	Draining    bool
	Hosts       bool // its role lets it host conferences
	Seats       int  // in use
	Capacity    int  // seats at most; 0: no limit
}

// choices is among how many nodes a room's conference is placed by load. A few, so that
// rooms find their node again, and loads even out all the same.
const choices = 3

// candidates are the nodes of the site that may host the room, the best first: the least
// loaded of a few that the room's name picks, then the others.
func candidates(nodes []Node, self store.Place, room store.RoomID) []Node {
	var list []Node
	for _, n := range of(nodes, self.Site, room) {
		if n.Alive && !n.Draining && n.Hosts {
			list = append(list, n)
		}
	}
	slices.SortStableFunc(first(list, choices), func(a, b Node) int { return cmp.Compare(a.load(), b.load()) })
	return list
}

// load is how full the node is, in steps, so that a seat more or less moves no room.
func (n Node) load() int {
	capacity := n.Capacity
	if capacity == 0 {
		capacity = 1000
	}
	return 20 * n.Seats / capacity
}

// of are the nodes of a site in the room's order (rendezvous hashing): the same at every
// node, and another for each room.
func of(nodes []Node, site string, room store.RoomID) []Node {
	var list []Node
	for _, n := range nodes {
		if n.Site == site {
			list = append(list, n)
		}
	}
	slices.SortFunc(list, func(a, b Node) int {
		if a.Alive != b.Alive {
			return cmp.Compare(weight(b.Alive), weight(a.Alive))
		}
		return cmp.Or(cmp.Compare(score(b, room), score(a, room)), cmp.Compare(a.Node, b.Node))
	})
	return list
}

func weight(b bool) int {
	if b {
		return 1
	}
	return 0
}

func score(n Node, room store.RoomID) uint64 { return Rendezvous(string(room), n.Node) }

func first(list []Node, n int) []Node { return list[:min(n, len(list))] }
