package journal

import (
	"errors"
	"strings"
	"testing"

	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/journal/wal"
)

// MS7: a journal that is full refuses histories first; money goes to the store itself.
func TestFull(t *testing.T) {
	w := newWorld(t)
	w.stop()
	w.config.SegmentBytes, w.config.MaxBytes = 4096, 16<<10
	w.open()
	ctx := t.Context()
	c := w.conference(1)
	w.must(w.journal.OpenConference(ctx, c))
	var err error
	for seq := int64(1); err == nil; seq++ {
		err = w.journal.AppendConferenceEvents(ctx, []store.ConferenceEvent{{ConferenceID: c.ID, Seq: seq, At: t0, Kind: strings.Repeat("x", 200)}})
	}
	if !errors.Is(err, wal.ErrFull) {
		t.Errorf("%v", err)
	}
	var xdrs []store.XDR
	for range 20 {
		p, x := w.stay(c)
		w.must(w.Store.BeginStay(ctx, p, 0))
		xdrs = append(xdrs, x)
	}
	for _, x := range xdrs {
		_, err := w.journal.SettleStay(ctx, x)
		w.must(err)
	}
	told, err := w.Store.ListXDRs(ctx, store.Scope{}, store.XDRFilter{}, store.Page{})
	if err != nil || len(told) == 0 || len(told) == len(xdrs) { // nobody delivers yet
		t.Errorf("%d of %d had no place, %v", len(told), len(xdrs), err)
	}
	w.run()
	w.until(w.empty)
	for _, x := range xdrs {
		if _, err := w.journal.SettleStay(ctx, x); err != nil {
			t.Error(err)
		}
	}
	w.until(w.empty)
	if n := w.xdrs(); n != len(xdrs) {
		t.Errorf("%d records", n)
	}
}

// MS7: calls are refused before records are lost: a journal that is filling up takes no new
// stays, while those that have begun are still extended and settled.
func TestAccepts(t *testing.T) {
	w := newWorld(t)
	w.stop()
	w.config.SegmentBytes, w.config.MaxBytes = 4096, 32<<10
	w.open()
	ctx := t.Context()
	w.set(true)
	c := w.conference(1)
	w.must(w.journal.OpenConference(ctx, c))
	begun, x := w.stay(c)
	w.must(w.journal.RecordStay(ctx, begun, 1))
	w.must(w.journal.Accepts())
	accepted, err := 0, error(nil)
	for err == nil {
		if w.journal.Accepts() == nil {
			accepted++
		}
		p, _ := w.stay(c)
		err = w.journal.RecordStay(ctx, p, 1)
	}
	if full := w.journal.Accepts(); !errors.Is(err, wal.ErrFull) || !errors.Is(full, wal.ErrFull) || accepted == 0 {
		t.Errorf("after %d: %v, %v", accepted, err, full)
	}
	w.must(w.journal.RecordStay(ctx, begun, 2))
	_, err = w.journal.SettleStay(ctx, x)
	w.must(err)
	w.set(false)
	w.run()
	w.until(w.empty)
	w.must(w.journal.Heartbeat(ctx, "n", 1, t0))
	w.until(func() bool { return w.journal.Accepts() == nil })
}

// MS7: a disk that is nearly full takes no new calls, and the error says what to do.
func TestAcceptsWithLittleRoom(t *testing.T) {
	w := newWorld(t)
	w.stop()
	w.config.MinFree = 1 << 60
	w.open()
	if err := w.journal.Accepts(); !errors.Is(err, wal.ErrFull) || !strings.Contains(err.Error(), w.config.Dir) || !strings.Contains(err.Error(), "make room") {
		t.Errorf("%v", err)
	}
}
