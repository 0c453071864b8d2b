package sites

import (
	"context"
	"testing"
	"time"
)

// MS2, MS5, MS6, MS9: the room's home site is cut off. Callers of the other site are
// moved, without dialling again, into a conference of their own, as are those who come
// then; after the heal it goes on until they leave, and who comes goes home. Each stay has
// one record.
func TestHomeSiteIsCutOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3, 2)
	home, far, near := w.call("alpha-1"), w.call("beta-1"), w.call("beta-2")
	w.hear(home, far, near)

	cut := time.Now()
	w.cut("alpha", "beta")
	w.deaf([]one{home}, []one{far, near})
	w.must(far.AwaitTone(w.ctx, near.tone, steady), near.AwaitTone(w.ctx, far.tone, steady))
	w.took("home site cut: its callers elsewhere are back with each other", cut)
	late := time.Now()
	other := w.call("beta-1")
	w.hear(far, near, other)
	w.took("a new caller hears the local conference", late)
	kinds := map[string]int{}
	for _, c := range w.open("beta-1") {
		kinds[c.Kind+" at "+c.Focus.Site]++
	}
	if kinds["main at alpha"] != 1 || kinds["local at beta"] != 1 || len(kinds) != 2 {
		t.Errorf("conferences: %v", kinds)
	}

	w.heal("alpha", "beta")
	healed := time.Now()
	for { // the link is trusted again only when it has been there for a while
		fresh := w.call("beta-2")
		within, cancel := context.WithTimeout(w.ctx, 5*time.Second)
		err := fresh.AwaitTone(within, home.tone, steady)
		cancel()
		if err == nil && fresh.Timeline().Share(far.tone, time.Now().Add(-steady), time.Now()) == 0 {
			w.took("healed: a new caller is at home again", healed)
			w.hear(home, fresh)
			w.hear(far, near, other)
			w.hangUp(fresh, home, far, near, other)
			break
		}
		w.hangUp(fresh)
		w.callers--
	}
}
