package sites

import (
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
	home, far := w.call("alpha-1"), w.call("beta-1")
	w.hear(home, far)
	called := time.Now()
	near := w.call("beta-2")
	w.must(near.AwaitTone(w.ctx, home.tone, steady))
	w.took("the home site is there: a new caller of another hears the room", time.Since(called)-steady)
	w.hear(home, far, near)

	cut := time.Now()
	w.cut("alpha", "beta")
	w.deaf([]one{home}, []one{far, near})
	w.hear(far, near)
	w.took("home site cut: its callers elsewhere hear each other", w.heardAgain(cut, far, near))
	called = time.Now()
	other := w.call("beta-1")
	w.must(other.AwaitTone(w.ctx, near.tone, steady))
	w.took("home site cut: a new caller hears the local conference", time.Since(called)-steady)
	w.hear(far, near, other)
	w.wantKinds("main at alpha", "local at beta")
	w.always()

	w.heal("alpha", "beta")
	fresh := w.homeAgain("beta-2", home, far)
	w.hear(home, fresh)
	w.hear(far, near, other)
	w.hangUp(fresh, home, far, near, other)
	w.over()
}

// MS12, MS9, MS4: one direction between two sites is cut. Whether the callers at the other
// site no longer hear the home, or are no longer heard there, they are in a local
// conference of their own; a third site stays with the home. No epoch has two foci.
func TestOneDirectionIsCut(t *testing.T) {
	t.Parallel()
	for name, cut := range map[string][2]string{"from home": {"alpha", "beta"}, "to home": {"beta", "alpha"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testCut(t, func(w *world) { w.cutOneWay(cut[0], cut[1], "") })
		})
	}
}

// MS12, MS9, MS4: two sites are cut from each other, and both reach a third. The one that
// is not the home has a local conference; the third stays with the home.
func TestTwoOfThreeSitesAreCut(t *testing.T) {
	t.Parallel()
	testCut(t, func(w *world) { w.cut("alpha", "beta") })
}

// testCut has three sites, of which alpha, the home, and beta lose each other.
func testCut(t *testing.T, cut func(*world)) {
	w := newWorld(t, 1, 1, 1)
	home, far, near, third := w.call("alpha-1"), w.call("beta-1"), w.call("beta-1"), w.call("gamma-1")
	w.hear(home, far, near, third)
	cut(w)
	w.deaf([]one{home, third}, []one{far, near})
	w.deaf([]one{far, near}, []one{home, third})
	w.hear(far, near)
	w.hear(home, third)
	other, another := w.call("beta-1"), w.call("gamma-1")
	w.hear(far, near, other)
	w.hear(home, third, another)
	w.wantKinds("main at alpha", "local at beta")
	w.always()
	w.heal("alpha", "beta")
	fresh := w.homeAgain("beta-1", home, far)
	w.hear(home, third, another, fresh)
	w.hear(far, near, other)
	w.goesOn(home, far, near, third, other, another)
	w.hangUp(home, far, near, third, other, another, fresh)
	w.over()
}

// MS12: only the audio from the home does not arrive, though its nodes answer. Callers are
// not sent back to it for ever: they are in a local conference, and talk.
func TestAudioOfHomeIsCut(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1, 1)
	home, far, near := w.call("alpha-1"), w.call("beta-1"), w.call("beta-1")
	w.hear(home, far, near)
	cut := time.Now()
	w.cutOneWay("alpha", "beta", "rtp")
	w.wantKinds("main at alpha", "local at beta")
	w.hear(far, near)
	w.took("only the audio of the home site cut: its callers elsewhere hear each other", w.heardAgain(cut, far, near))
	w.deaf([]one{home}, []one{far, near})
	w.always()
	w.heal("alpha", "beta")
	fresh := w.call("beta-1") // the site was there all the time
	w.hear(home, fresh)
	w.hear(far, near)
	w.hangUp(home, far, near, fresh)
	w.over()
}
