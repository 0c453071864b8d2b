package journal

import (
	"testing"
	"time"

	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/money"
)

// MS7: what has piled up is delivered in a few batches; a record in them that the store
// refuses, or never takes, does not keep the others.
func TestBacklogIsDeliveredInBatches(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	c := w.conference(1)
	w.must(w.journal.OpenConference(ctx, c))
	const stays = 100
	var stubborn store.ParticipantID
	for i := range stays {
		p, x := w.stay(c)
		call := store.Call{ID: store.NewCallID(), StartedAt: t0}
		w.must(w.journal.PutCall(ctx, call))
		w.must(w.journal.RecordStay(ctx, p, money.Unit))
		w.must(w.journal.AppendConferenceEvents(ctx, []store.ConferenceEvent{{ConferenceID: c.ID, Seq: int64(i + 1), At: t0, Kind: "joined"}}))
		call.EndedAt = t0.Add(time.Minute)
		w.must(w.journal.PutCall(ctx, call))
		w.must(w.journal.AppendCallSteps(ctx, []store.CallStep{{CallID: call.ID, Seq: 1, At: t0, Step: "end"}}))
		if i == 20 {
			x.RoomID = "another" // the store refuses it, for good
		}
		if i == 40 {
			stubborn = x.ID
		}
		_, err := w.journal.SettleStay(ctx, x)
		w.must(err)
	}
	w.gate.never = func(id store.ParticipantID) bool { return id == stubborn }
	w.must(w.journal.StartRun(ctx, store.NodeRun{Place: store.Place{Node: "n"}, Incarnation: 1, StartedAt: t0}))
	w.run()
	w.until(func() bool { // others succeed meanwhile, or it would not be the record's fault
		w.must(w.journal.Heartbeat(ctx, "n", 1, w.clock.Now()))
		return w.journal.Stats().Died == 2
	})
	w.until(w.empty)
	delivered, err := w.Store.ListXDRs(ctx, store.Scope{}, store.XDRFilter{}, store.Page{Limit: 1000})
	if s := w.journal.Stats(); err != nil || len(delivered) != stays-2 || s.Died != 2 || s.Delivered < 500 {
		t.Errorf("%d records, %+v, %v", len(delivered), s, err)
	}
	t.Logf("%d batches", w.batches.Load())
}
