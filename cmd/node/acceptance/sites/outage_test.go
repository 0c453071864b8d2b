package sites

import (
	"testing"
	"time"
)

// MS7, MS2: the database is cut off from both sites. Who talks goes on, who calls comes
// in, at whichever site; when it is back, each stay has one record.
func TestDatabaseIsCutOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3, 1)
	home, far := w.call("alpha-1"), w.call("beta-1")
	w.hear(home, far)
	w.cut("alpha", "db")
	w.cut("beta", "db")
	began := time.Now()
	second, third := w.call("alpha-2"), w.call("beta-1")
	w.hear(home, far, second, third)
	w.took("database cut: callers of both sites come in and hear the others", began)
	w.hangUp(far, second)
	fourth := w.call("alpha-3")
	w.hear(home, third, fourth)
	w.hangUp(third, fourth)
	w.heal("alpha", "db")
	w.heal("beta", "db")
	healed := time.Now()
	w.records("alpha-1", 4)
	w.took("database back: all records are there", healed)
	w.hangUp(home)
	w.records("beta-1", 5)
}

// MS8, MS12: the focus is frozen, and comes back after its callers have been moved: they
// stay where they are, hear one another all the time, and no second conference goes on.
func TestFocusIsFrozen(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3, 1)
	far := w.call("beta-1")
	focus := w.theOne("beta-1").Focus.Node
	var near one
	for _, n := range []string{"alpha-1", "alpha-2", "alpha-3"} {
		if n != focus {
			near = w.call(n)
			break
		}
	}
	w.hear(far, near)
	p, err := w.Node(focus)
	w.must(err)
	w.must(p.Pause())
	frozen := time.Now()
	w.deaf([]one{far}, []one{near})
	w.hear(far, near)
	w.took("focus frozen: its callers are back with each other", frozen)
	if list := w.open("beta-1"); len(list) != 1 || list[0].Focus.Node == focus {
		t.Errorf("%+v", list)
	}
	// It comes back when it has long been replaced.
	time.Sleep(time.Until(frozen.Add(12 * time.Second)))
	w.must(p.Resume())
	w.must(p.WaitReady(w.ctx))
	w.hear(far, near)
	late := w.call(focus)
	w.hear(far, near, late)
	if list := w.open("beta-1"); len(list) != 1 || list[0].Focus.Node == focus {
		t.Errorf("after its return: %+v", list)
	}
	w.hangUp(far, near, late)
	w.records("beta-1", 3)
}
