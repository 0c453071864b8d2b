package sites

import (
	"errors"
	"testing"

	"github.com/jonboulle/clockwork"

	"github.com/conclave-voice/conclave/cluster/registry"
	"github.com/conclave-voice/conclave/store"
)

// three are sites that know one another.
func three() (a, b, c *site) {
	clock := clockwork.NewFakeClock()
	a, b, c = newSite("a", clock, "a1", "a2"), newSite("b", clock, "b1", "b2"), newSite("c", clock, "c1")
	for _, s := range []*site{a, b, c} {
		for _, o := range []*site{a, b, c} {
			if s != o {
				s.others[o.name] = o
			}
		}
	}
	return a, b, c
}

// MS14, MS4: while a site drains, its deputy has one main conference of each room, for all
// sites, also for those that have not heard of it; epochs grow there and back.
func TestADeputyStandsIn(t *testing.T) {
	a, b, c := three()
	r := room("r", "a")
	home := locate(t, c.cluster("c1"), r, Assignment{})
	a.drain(true, "b", 0)
	// Nobody else has heard of it: the home passes the question on, and the deputy asks.
	stand := locate(t, c.cluster("c1"), r, home)
	if stand.Focus.Site != "b" || stand.Kind != store.KindMain || stand.Epoch <= home.Epoch {
		t.Fatalf("%+v, was %+v", stand, home)
	}
	c.learn(t.Context())
	for _, l := range []*Cluster{a.cluster("a2"), b.cluster("b1"), b.cluster("b2"), c.cluster("c1")} {
		if got := locate(t, l, r, Assignment{}); got != stand {
			t.Errorf("%s: %+v, want %+v", l.config.Self.Site, got, stand)
		}
	}
	if moved, err := a.cluster("a1").MoveAway(t.Context(), r, store.KindMain, home.Epoch); err != nil || moved != stand {
		t.Errorf("moved to %+v (%v), want %+v", moved, err, stand)
	}
	a.apply(registry.Release{Room: "r", Epoch: home.Epoch})
	// The home is switched off.
	c.setCut("a", true)
	if got := locate(t, c.cluster("c1"), r, Assignment{}); got != stand {
		t.Errorf("%+v, want %+v", got, stand)
	}
	c.setCut("a", false)

	a.drain(false, "", b.state.Epoch())
	// The site asked has not heard so, and the former deputy has.
	b.learn(t.Context())
	if b.cluster("b1").Stays(r, store.KindMain) || !a.cluster("a1").Stays(r, store.KindMain) {
		t.Error("the room stays at the deputy")
	}
	back := locate(t, c.cluster("c1"), r, Assignment{})
	if back.Focus.Site != "a" || back.Epoch <= stand.Epoch {
		t.Errorf("%+v after %+v", back, stand)
	}
	if moved, err := b.cluster("b1").MoveAway(t.Context(), r, store.KindMain, stand.Epoch); err != nil || moved != back {
		t.Errorf("moved to %+v (%v), want %+v", moved, err, back)
	}
}

// MS14: deputies of deputies, and a circle of them, which leaves rooms at home.
func TestDeputiesInARow(t *testing.T) {
	a, b, c := three()
	a.drain(true, "b", 0)
	b.drain(true, "c", 0)
	for _, s := range []*site{a, b, c} {
		s.learn(t.Context())
		if got := locate(t, s.cluster(s.nodes[0].Node), room("r", "a"), Assignment{}); got.Focus.Site != "c" {
			t.Errorf("%s: %+v", s.name, got)
		}
	}
	c.drain(true, "a", 0)
	c.learn(t.Context())
	if home := c.cluster("c1").Home("a"); home != "a" {
		t.Errorf("rooms of a are at %s", home)
	}
}

// MS14, MS5: a site that drains hosts nothing; when its deputy cannot be reached, callers
// that are still at its nodes talk there. Who is asked for a room that is not its own says so.
func TestADeputyThatIsSilent(t *testing.T) {
	a, b, _ := three()
	r := room("r", "a")
	a.drain(true, "b", 0)
	a.setCut("b", true)
	if got := locate(t, a.cluster("a2"), r, Assignment{}); got.Kind != store.KindLocal || got.Focus.Node != "a2" {
		t.Errorf("%+v", got)
	}
	if _, err := b.cluster("b1").WhereIs(t.Context(), room("other", "c"), 0); !errors.Is(err, ErrNotHome) {
		t.Errorf("asked for a room of another site: %v", err)
	}
}

// MS6, MS14: the local conference of a site does not become the main one when the site
// stands in for the room's home, nor the other way round.
func TestLocalAndMainAreApart(t *testing.T) {
	a, b, _ := three()
	r := room("r", "a")
	b.verdict["a"] = true
	local := locate(t, b.cluster("b1"), r, Assignment{})
	b.verdict["a"] = false
	a.drain(true, "b", 0)
	b.learn(t.Context())
	main := locate(t, b.cluster("b1"), r, Assignment{})
	if local.Kind != store.KindLocal || main.Kind != store.KindMain || main.Epoch <= local.Epoch {
		t.Errorf("%+v, then %+v", local, main)
	}
}
