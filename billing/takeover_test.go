package billing

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/money"
)

// MS10, BL6: a call that another node has taken over is one stay, which goes on within
// the money reserved, and is charged once: what the first node says of it later does not
// count.
func TestTakenStay(t *testing.T) {
	w := newWorld(t, openSQLite(t), byMinute, 100*money.Unit, 0)
	s, err := w.join()
	w.must(err)
	text, err := json.Marshal(s.State())
	w.must(err)
	w.clock.Advance(4 * time.Minute)
	s.Tick(t.Context(), w.clock.Now()) // reserves more than the state says
	elsewhere := NewService(w.db, DefaultPolicy(), w.clock, hclog.NewNullLogger())
	var state StayState
	w.must(json.Unmarshal(text, &state))
	taken, err := elsewhere.Resume(t.Context(), state, store.Place{Site: "a", Node: "other"}, 77)
	w.must(err)
	if a := taken.Tick(t.Context(), w.clock.Now()); a.Kind != Nothing {
		t.Errorf("told %+v", a)
	}
	talk := func(d time.Duration) {
		for end := w.clock.Now().Add(d); w.clock.Now().Before(end); {
			w.clock.Advance(10 * time.Second)
			if a := taken.Tick(t.Context(), w.clock.Now()); a.Kind != Nothing {
				t.Fatalf("told %+v", a)
			}
		}
	}
	talk(16 * time.Minute)
	end := w.clock.Now()
	s.Settle(end, store.CauseMediaTimeout, nil)
	w.stop()
	if got := w.xdrs(); len(got) != 0 {
		t.Fatalf("the first node has settled %+v", got)
	}
	x := taken.Settle(end, store.CauseHangup, nil)
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	w.must(elsewhere.Run(stopped))
	w.balanced(1)
	if got := w.xdrs()[0]; got.Duration != x.Duration || x.Duration < 20*time.Minute || got.Ingress.Node != "other" {
		t.Errorf("%+v", got)
	}
}

// MS10: what the site knows of a stay may be old: its first node has reserved more since.
// Who takes it over asks, and does not end it.
func TestStayIsTakenLate(t *testing.T) {
	w := newWorld(t, openSQLite(t), byMinute, 100*money.Unit, 0)
	s, err := w.join()
	w.must(err)
	old := s.State()
	for range 11 {
		w.clock.Advance(time.Minute)
		if a := s.Tick(t.Context(), w.clock.Now()); a.Kind != Nothing {
			t.Fatalf("told %+v", a)
		}
	}
	if old.Reserved >= s.State().Reserved {
		t.Fatalf("reserved are %s, and then %s", old.Reserved, s.State().Reserved)
	}
	taken, err := NewService(w.db, DefaultPolicy(), w.clock, hclog.NewNullLogger()).Resume(t.Context(), old, store.Place{Site: "a", Node: "other"}, 77)
	w.must(err)
	if a := taken.Tick(t.Context(), w.clock.Now()); a.Kind != Nothing {
		t.Errorf("told %+v", a)
	}
	if left := taken.Deadline().Sub(w.clock.Now()); left <= 0 {
		t.Errorf("something is due %v ago", -left)
	}
	w.stop()
}

// MS10: a node that starts again leaves alone the stays of calls that its site still has,
// for one that takes such a call over settles its stay.
func TestRecoveryLeavesCallsThatGoOn(t *testing.T) {
	w := newWorld(t, openSQLite(t), byMinute, 100*money.Unit, 0)
	gone, err := w.join()
	w.must(err)
	kept, err := w.join()
	w.must(err)
	w.flaky.away.Store(true)
	w.stop()
	goesOn := func(context.Context) (func(store.CallID) bool, error) {
		return func(c store.CallID) bool { return c == kept.Participant.CallID }, nil
	}
	left, err := Recover(t.Context(), w.db, w.run.Node, w.run.Incarnation+1, w.clock.Now(), goesOn, hclog.NewNullLogger())
	if err != nil || left != 1 {
		t.Fatalf("%d left, %v", left, err)
	}
	if got := w.xdrs(); len(got) != 1 || got[0].ID != gone.Participant.ID {
		t.Errorf("settled %+v", got)
	}
	left, err = Recover(t.Context(), w.db, w.run.Node, w.run.Incarnation+1, w.clock.Now(), NoneGoOn, hclog.NewNullLogger())
	if err != nil || left != 0 {
		t.Errorf("%d left, %v", left, err)
	}
	w.balanced(2)
}
