package callflow

import (
	"testing"
	"time"

	"github.com/conclave-voice/conclave/store"
)

// MS8, MS12: returns to the same node count in a row, until its audio has arrived for
// long, or another node was lost.
func TestSetback(t *testing.T) {
	a, b := store.Place{Site: "s", Node: "a"}, store.Place{Site: "s", Node: "b"}
	var s setback
	now := time.Unix(1000, 0)
	lost := func(node store.Place, after time.Duration, want int) {
		t.Helper()
		now = now.Add(after)
		if s.lost(node, now); s.times != want || s.from != node {
			t.Errorf("%+v, want %d times %v", s, want, node)
		}
	}
	lost(a, 0, 1)
	s.moved(a, now)
	lost(a, 2*time.Second, 2)
	s.moved(a, now)
	lost(a, 2*time.Second, 3)
	s.moved(b, now) // it goes on elsewhere
	lost(b, 2*time.Second, 1)
	s.moved(b, now)
	lost(b, steadyTime, 1)
	s.moved(a, now)
	lost(b, time.Second, 1) // it was never back
}
