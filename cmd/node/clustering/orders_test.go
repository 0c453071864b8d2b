package clustering

import (
	"errors"
	"testing"

	"github.com/conclave-voice/conclave/api/v1"
	"github.com/conclave-voice/conclave/sites/reach"
	"github.com/conclave-voice/conclave/store"
)

// agreed waits until a node may order something: its site's registry has a quorum, and the
// node a verdict on each other site.
func (n *network) agreed(names ...string) {
	n.Helper()
	n.together()
	for _, name := range names {
		r := n.nodes[name]
		n.until(name+" has all that it waits for", func() bool { return r.missing() == "" })
	}
}

// MS14, MS15: a site is drained at one of its nodes by another site; all sites know, one that
// joins later too, and a node that was off. The deputy is the one that was named. It ends
// the same way.
func TestAllLearnWhatDrains(t *testing.T) {
	n := newNetwork(t)
	n.start("a", "a1", "a2", "a3")
	n.start("b", "b1")
	n.agreed("a1", "a2", "a3", "b1")
	a3 := n.nodes["a3"]
	a3.stop()
	delete(n.nodes, "a3")
	n.agreed("a1", "a2", "b1")
	b1 := n.nodes["b1"]
	if err := b1.DrainSite(t.Context(), "a", v1.SiteDraining{Draining: true, To: "c"}); !errors.Is(err, store.ErrInvalid) {
		t.Errorf("to a site that is not there: %v", err)
	}
	n.must(b1.DrainSite(t.Context(), "a", v1.SiteDraining{Draining: true, To: "b"}))
	if home := b1.locator.Home("a"); home != "b" {
		t.Errorf("b1 takes the rooms of a to be at %s", home)
	}
	n.must(errors.Join(b1.Drain(t.Context(), "a2", true), b1.DrainSite(t.Context(), "a", v1.SiteDraining{Draining: true, To: "b"})))
	for _, name := range []string{"a1", "a2"} {
		n.until(name+" drains", n.nodes[name].drains)
	}
	n.start("c", "c1")
	n.run(a3)
	n.nodes["a3"] = a3
	n.until("a3 drains, which was off", a3.drains)
	n.until("c1 knows where the rooms of a are", func() bool { return n.nodes["c1"].locator.Home("a") == "b" })
	n.must(n.nodes["c1"].DrainSite(t.Context(), "a", v1.SiteDraining{}))
	n.until("a1 is in use", func() bool { return !n.nodes["a1"].drains() })
	n.until("a3 is in use", func() bool { return !a3.drains() })
	for name, r := range n.nodes {
		n.until(name+" knows that rooms are at home", func() bool { return r.locator.Home("a") == "a" })
	}
	if !n.nodes["a2"].drains() {
		t.Error("a2 was drained by its own name, and is in use")
	}
}

// MS14: a node that starts while its site has no quorum does what it has done before, and a
// verdict is in force even though it is not kept, which the operator is told.
func TestOrdersWithoutAQuorum(t *testing.T) {
	n := newNetwork(t)
	n.start("a", "a1", "a2", "a3")
	n.start("b", "b1")
	n.agreed("a1", "a2", "a3", "b1")
	a1 := n.nodes["a1"]
	n.must(errors.Join(a1.Drain(t.Context(), "a1", true), a1.Force(t.Context(), "b", "up")))
	n.until("a1 drains", a1.drains)
	n.until("the three of the site vote", func() bool { return len(a1.group.Status().Voters) == 3 })
	for _, name := range []string{"a1", "a2", "a3"} {
		n.nodes[name].stop()
	}
	n.run(a1)
	n.until("a1 drains again", a1.drains)
	forced := func(want reach.Mode) func() bool {
		return func() bool {
			for _, s := range a1.prober.All() {
				if s.Site == "b" {
					return s.Mode == want
				}
			}
			return false
		}
	}
	n.until("a1 knows its verdict on b", forced(reach.ForceUp))
	if err := a1.Force(t.Context(), "b", "down"); err == nil {
		t.Error("a verdict was kept without a quorum")
	}
	if !forced(reach.ForceDown)() {
		t.Error("a verdict that could not be kept is not in force")
	}
}
