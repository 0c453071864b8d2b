package journal

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/money"
)

// MS7: what the store will never take is put aside with the reason, and goes on when it
// has been put back; the records behind it are not kept.
func TestDeadLetters(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	c := w.conference(1)
	p, x := w.stay(c)
	_, err := w.journal.SettleStay(ctx, x) // of a stay that is not there
	w.must(err)
	call := store.Call{ID: store.NewCallID(), StartedAt: t0}
	w.must(w.journal.PutCall(ctx, call))
	w.run()
	w.until(w.empty)
	if s := w.journal.Stats(); s.DeadLetters != 1 || s.Died != 1 || s.Delivered != 1 {
		t.Errorf("%+v", s)
	}
	w.stop()
	w.open()
	text, err := os.ReadFile(filepath.Join(w.config.Dir, "dead-letters.jsonl"))
	if err != nil || !strings.Contains(string(text), string(p.ID)) || !strings.Contains(string(text), "not found") || w.journal.Stats().DeadLetters != 1 {
		t.Errorf("%s %v", text, err)
	}
	w.must(w.Store.OpenConference(ctx, c))
	w.must(w.Store.BeginStay(ctx, p, money.Unit))
	w.run()
	if n, err := w.journal.Requeue(nil, "test"); n != 1 || err != nil {
		t.Errorf("%d %v", n, err)
	}
	w.until(w.empty)
	if n := w.xdrs(); n != 1 || w.journal.Stats().DeadLetters != 0 {
		t.Errorf("%d records, %+v", n, w.journal.Stats())
	}
	if n, err := w.journal.Requeue(nil, "test"); n != 0 || err != nil {
		t.Errorf("%d %v", n, err)
	}
	// Invalid ones are refused before they are kept; a stay that never began is none.
	x.Amount = -1
	if _, err := w.journal.SettleStay(ctx, x); !errors.Is(err, store.ErrInvalid) {
		t.Error(err)
	}
	_, never := w.stay(c)
	w.must(w.journal.DiscardStay(ctx, never))
	w.until(w.empty)
	if s := w.journal.Stats(); s.DeadLetters != 0 {
		t.Errorf("%+v", s)
	}
}

// MS7: an operator sees why records were refused, puts one back, and gives one up,
// which is kept with who and why.
func TestDeadLettersAreSettled(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	c := w.conference(1)
	var stays []store.Participant
	for range 3 {
		p, x := w.stay(c)
		_, err := w.journal.SettleStay(ctx, x)
		w.must(err)
		stays = append(stays, p)
	}
	w.run()
	w.until(w.empty)
	letters, err := w.journal.DeadLetters(10)
	w.must(err)
	if len(letters) != 3 || letters[0].Kind == "" || !strings.Contains(letters[0].Reason, "not found") || !strings.Contains(string(letters[0].Record), string(stays[0].ID)) {
		t.Fatalf("%+v", letters)
	}
	w.must(w.Store.OpenConference(ctx, c))
	w.must(w.Store.BeginStay(ctx, stays[1], money.Unit))
	if n, err := w.journal.Requeue([]string{letters[1].ID}, "ann"); n != 1 || err != nil {
		t.Errorf("requeued %d: %v", n, err)
	}
	w.until(w.empty)
	if n := w.xdrs(); n != 1 || w.journal.Stats().DeadLetters != 2 {
		t.Errorf("%d records, %+v", n, w.journal.Stats())
	}
	for _, bad := range []func() (int, error){
		func() (int, error) { return w.journal.Discard(nil, "all", "ann") },
		func() (int, error) { return w.journal.Discard([]string{letters[0].ID}, "", "ann") },
	} {
		if n, err := bad(); n != 0 || !errors.Is(err, store.ErrInvalid) {
			t.Errorf("discarded %d: %v", n, err)
		}
	}
	n, err := w.journal.Discard([]string{letters[0].ID, "no such"}, "a test call", "ann")
	if n != 1 || !errors.Is(err, store.ErrNotFound) {
		t.Errorf("discarded %d: %v", n, err)
	}
	kept, err := os.ReadFile(filepath.Join(w.config.Dir, "discarded-letters.jsonl"))
	if err != nil || !strings.Contains(string(kept), string(stays[0].ID)) || !strings.Contains(string(kept), `"why":"a test call","by":"ann"`) {
		t.Errorf("%s %v", kept, err)
	}
	w.stop()
	w.open()
	left, err := w.journal.DeadLetters(10)
	if err != nil || len(left) != 1 || left[0].ID != letters[2].ID || w.journal.Stats().DeadLetters != 1 {
		t.Errorf("%+v %v", left, err)
	}
}

// MS7: a record that always fails, while others succeed, becomes a dead letter.
func TestStubbornRecordDies(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	c := w.conference(1)
	w.must(w.journal.OpenConference(ctx, c))
	p, x := w.stay(c)
	w.gate.never = func(id store.ParticipantID) bool { return id == p.ID }
	w.must(w.journal.RecordStay(ctx, p, 0))
	_, err := w.journal.SettleStay(ctx, x)
	w.must(err)
	w.must(w.journal.StartRun(ctx, store.NodeRun{Place: store.Place{Node: "n"}, StartedAt: t0}))
	w.run()
	w.until(func() bool {
		w.must(w.journal.Heartbeat(ctx, "n", 0, w.clock.Now()))
		return w.journal.Stats().Died == 1
	})
	w.until(w.empty)
}
