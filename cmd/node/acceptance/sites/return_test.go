package sites

import (
	"net/netip"
	"testing"
)

// MS15, MS4: a node comes back without its disk. It is taken in as another voter in place
// of its former self, calls work by it, and what was open there has a record.
func TestNodeLosesItsDisk(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3, 1)
	testReturn(w, func(node string) { w.must(w.process(node).Wipe()) })
}

// MS15, MS4: a node comes back with another address: those who knew the old one find it.
func TestNodeHasAnotherAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3, 1)
	testReturn(w, func(node string) {
		was := w.process(node).Address.As4()
		was[3] += 100
		w.must(w.Readdress(w.ctx, node, netip.AddrFrom4(was)))
	})
}

// testReturn kills the node that leads its site and has taken a call, and starts it again
// after a change.
func testReturn(w *world, change func(node string)) {
	w.allVote()
	node := w.leader("alpha")
	if node == "alpha-1" { // by which the others look for the cluster: it keeps its address
		w.must(w.process(node).Stop(w.ctx), w.process(node).Restart(w.ctx))
		w.until("another node leads", func() bool { node = w.leader("alpha"); return node != "" && node != "alpha-1" })
	}
	far := w.call("beta-1")
	near := w.call(w.nodesOf("alpha", node)[0])
	its := w.call(node)
	w.hear(far, near, its)
	w.process(node).Kill()
	change(node)
	w.must(w.process(node).Restart(w.ctx))
	w.hear(far, near)
	back := w.call(node)
	w.hear(far, near, back)
	w.allVote()
	// The returned one counts: with another of the three away, it makes the majority.
	other := w.nodesOf("alpha", node, "alpha-1")[0]
	w.process(other).Kill()
	w.until("the site has a leader", func() bool { l := w.leader("alpha"); return l == node || l == "alpha-1" })
	w.must(w.process(other).Restart(w.ctx))
	w.always()
	w.hangUp(far, near, back)
	w.abandon(its)
	w.over()
}

// allVote waits until all three nodes of alpha vote, and no other.
func (w *world) allVote() {
	w.Helper()
	w.until("all three vote", func() bool {
		for _, n := range w.nodesOf("alpha") {
			if w.metrics(n)["conclave_raft_voters"] != 3 {
				return false
			}
		}
		return true
	})
}
