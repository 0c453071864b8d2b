package sites

import (
	"testing"
	"time"
)

// MS7, MS2: the database is cut off from both sites. Who talks goes on, who calls comes
// in, at whichever site, for as long as it lasts, and at a node that starts then too; when
// the database is back, each stay has one record. CONCLAVE_LONG_TESTS=1 cuts it for half
// an hour.
func TestDatabaseIsCutOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3, 2)
	home, far := w.call("alpha-1"), w.call("beta-1")
	w.hear(home, far)
	w.cut("alpha", "db")
	w.cut("beta", "db")
	cut := time.Now()
	second, third := w.call("alpha-2"), w.call("beta-1")
	w.hear(home, far, second, third)
	w.took("database cut: callers of both sites come in and hear the others", time.Since(cut))
	w.hangUp(far, second)

	lost := w.call("beta-2") // its record is from what the node knew when it died
	w.hear(home, lost)
	p := w.process("beta-2")
	p.Kill()
	w.must(p.Restart(w.ctx))
	w.abandon(lost)
	for again := true; again; again = time.Since(cut) < long(0, 30*time.Minute) {
		w.comeAndGo(home, third)
	}
	w.always()
	w.heal("alpha", "db")
	w.heal("beta", "db")
	healed := time.Now()
	w.records(w.stays - 2) // of home and third, who talk
	w.took("database back: all records are there", time.Since(healed))
	w.hear(home, third)
	w.hangUp(home, third)
	w.over()
}

// comeAndGo has a caller at each node come, hear those who are there, and go.
func (w *world) comeAndGo(there ...one) {
	w.Helper()
	for _, n := range w.Nodes() {
		fresh := w.call(n.Name)
		w.hear(append([]one{fresh}, there...)...)
		w.hangUp(fresh)
		w.callers-- // its tone is free
	}
}
