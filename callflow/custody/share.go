package custody

import (
	"cmp"
	"slices"
	"time"

	"github.com/conclave-voice/conclave/sites"
	"github.com/conclave-voice/conclave/store"
)

// turnTime is how long the node whose turn it is has to take a call, before the next one
// in the order tries.
const turnTime = 2 * time.Second

// order is the order in which nodes are to take a call over: the same at every node, and
// another for each call (rendezvous hashing).
func order(nodes []string, call store.CallID) []string {
	sorted := slices.Clone(nodes)
	slices.SortFunc(sorted, func(a, b string) int {
		return cmp.Or(cmp.Compare(score(b, call), score(a, call)), cmp.Compare(a, b))
	})
	return sorted
}

// isDue says whether a call that has been without a node for so long is self's to take.
func isDue(nodes []string, self string, call store.CallID, without time.Duration) bool {
	turn := slices.Index(order(nodes, call), self)
	return turn >= 0 && without >= time.Duration(turn)*turnTime
}

func score(node string, call store.CallID) uint64 { return sites.Rendezvous(string(call), node) }
