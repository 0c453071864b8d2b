package storetest

import (
	"errors"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/money"
)

func testEpochs(f *fixture) {
	ctx := f.Context()
	r := f.createRoom(f.room("a", "", ""))
	first := f.conference(r, 5)
	f.must(f.s.OpenConference(ctx, first))
	f.must(f.s.OpenConference(ctx, first)) // a repetition
	f.is(f.s.OpenConference(ctx, f.conference(r, 4)), store.ErrStaleEpoch)
	f.is(f.s.OpenConference(ctx, f.conference(r, 5)), store.ErrConflict)
	f.is(f.s.DeleteRoom(ctx, store.Scope{}, r.ID), store.ErrInUse)
	second := f.conference(r, 6)
	f.must(f.s.OpenConference(ctx, second))
	old, err := f.s.Conference(ctx, store.Scope{}, first.ID)
	if err != nil || old.EndedAt.IsZero() || old.EndReason != "superseded" {
		f.Errorf("%+v, %v", old, err)
	}
	open, err := f.s.ListConferences(ctx, store.Scope{}, r.ID, false, store.Page{})
	if err != nil || len(open) != 1 || open[0] != second {
		f.Errorf("%+v, %v", open, err)
	}
	local := f.conference(r, 1)
	local.Kind = store.KindLocal
	f.must(f.s.OpenConference(ctx, local))
	f.must(f.s.CloseConference(ctx, second.ID, t0.Add(time.Hour), "empty"))
	f.must(f.s.CloseConference(ctx, second.ID, t0.Add(2*time.Hour), "again"))
	if got, err := f.s.Conference(ctx, store.Scope{}, second.ID); err != nil || !got.EndedAt.Equal(t0.Add(time.Hour)) || got.EndReason != "empty" {
		f.Errorf("%+v, %v", got, err)
	}
	f.is(f.s.CloseConference(ctx, "nothing", t0, ""), store.ErrNotFound)
	f.must(f.s.OpenConference(ctx, f.conference(r, 6)))
}

func testHistory(f *fixture) {
	ctx := f.Context()
	c := f.open("a")
	events := []store.ConferenceEvent{
		{ConferenceID: c.ID, Seq: 1, At: t0, Kind: "started", Detail: []byte(`{"settings":{}}`)},
		{ConferenceID: c.ID, Seq: 2, At: t0.Add(time.Second), Kind: "joined", ParticipantID: "p", By: "api:desk"},
	}
	f.must(f.s.AppendConferenceEvents(ctx, events))
	f.must(f.s.AppendConferenceEvents(ctx, append(events[:1:1], store.ConferenceEvent{ConferenceID: c.ID, Seq: 2, Kind: "other"})))
	if got, err := f.s.ConferenceEvents(ctx, store.Scope{}, c.ID, time.Time{}); err != nil || !reflect.DeepEqual(got, events) {
		f.Errorf("%+v, %v", got, err)
	}
	if got, err := f.s.ConferenceEvents(ctx, store.Scope{}, c.ID, t0); err != nil || len(got) != 1 {
		f.Errorf("until the first: %+v, %v", got, err)
	}
	call := store.Call{ID: store.NewCallID(), SIPCallID: "x@y", Direction: "in", From: "alice", To: "1866", Source: "127.0.0.1:5062",
		Transport: "udp", Node: store.Place{Site: "a", Node: "n1"}, StartedAt: t0}
	f.must(f.s.PutCall(ctx, call))
	call.AnsweredAt, call.EndedAt, call.SIPStatus, call.Cause = t0.Add(time.Second), t0.Add(time.Minute), 200, store.CauseHangup
	f.must(f.s.PutCall(ctx, call))
	steps := []store.CallStep{{CallID: call.ID, Seq: 1, At: t0, Step: "invite", Outcome: "ok"}, {CallID: call.ID, Seq: 2, At: t0, Step: "rule", Outcome: "ok", Detail: "10"}}
	f.must(f.s.AppendCallSteps(ctx, steps))
	f.must(f.s.AppendCallSteps(ctx, steps))
	got, gotSteps, err := f.s.Call(ctx, store.Scope{}, call.ID)
	if err != nil || got != call || !reflect.DeepEqual(gotSteps, steps) {
		f.Errorf("%+v %+v, %v", got, gotSteps, err)
	}
	if list, err := f.s.ListCalls(ctx, store.Scope{}, t0, t0.Add(time.Microsecond), store.Page{}); err != nil || len(list) != 1 {
		f.Errorf("%+v, %v", list, err)
	}
}

func testLedger(f *fixture) {
	ctx := f.Context()
	e := store.LedgerEntry{ID: store.NewEntryID(), AccountID: f.account.ID, At: t0, Kind: store.EntryTopUp, Amount: 5 * money.Unit, Reason: "cash", Author: "ann"}
	first, err := f.s.PostEntry(ctx, e)
	if err != nil || first.Balance != 105*money.Unit {
		f.Errorf("%+v, %v", first, err)
	}
	again, err := f.s.PostEntry(ctx, e)
	if err != nil || again != first {
		f.Errorf("a repetition: %+v, %v", again, err)
	}
	f.consistent(f.account.ID)
	e.ID, e.AccountID = store.NewEntryID(), "nobody"
	_, err = f.s.PostEntry(ctx, e)
	f.is(err, store.ErrNotFound)
}

func testParallelReservations(f *fixture) {
	ctx := f.Context()
	_, _, a := f.tenant("two", 1005*money.Unit)
	c := f.open("a")
	var fit atomic.Int64
	var wg sync.WaitGroup
	for range 64 {
		p := f.participant(c)
		p.AccountID = a.ID
		wg.Add(1)
		go func() {
			defer wg.Done()
			switch err := f.s.BeginStay(ctx, p, 100*money.Unit); {
			case err == nil:
				fit.Add(1)
			case !errors.Is(err, store.ErrInsufficientFunds):
				f.Error(err)
			}
		}()
	}
	wg.Wait()
	if got := f.read(a.ID); fit.Load() != 10 || got.Reserved != 1000*money.Unit {
		f.Errorf("%d of 64 fit into 1005, reserved %s", fit.Load(), got.Reserved)
	}
	in, err := f.s.ListParticipants(ctx, store.Scope{}, c.ID, false, store.Page{})
	if err != nil || len(in) != 10 {
		f.Errorf("%d are recorded, %v", len(in), err)
	}
	id := in[0].ID
	f.is(f.s.ExtendReservation(ctx, id, 106*money.Unit), store.ErrInsufficientFunds)
	f.must(f.s.ExtendReservation(ctx, id, 105*money.Unit))
	f.must(f.s.ExtendReservation(ctx, id, 105*money.Unit))
	if got := f.read(a.ID); got.Reserved != 1005*money.Unit {
		f.Errorf("reserved %s", got.Reserved)
	}
	f.is(f.s.ExtendReservation(ctx, "nobody", money.Unit), store.ErrNotFound)
	f.consistent(a.ID)
}

func testSettleOnce(f *fixture) {
	ctx := f.Context()
	c := f.open("a")
	p := f.participant(c)
	_, err := f.s.SettleStay(ctx, record(p, 1))
	f.is(err, store.ErrNotFound)
	f.must(f.s.BeginStay(ctx, p, 2*money.Unit))
	f.must(f.s.BeginStay(ctx, p, 2*money.Unit)) // a repetition
	if a := f.read(f.account.ID); a.Reserved != 2*money.Unit {
		f.Errorf("reserved %s", a.Reserved)
	}
	f.must(f.s.SetParticipantRole(ctx, p.ID, store.RoleModerator, true))
	x := record(p, 30)
	if settled, err := f.s.SettleStay(ctx, x); err != nil || !settled {
		f.Fatalf("%v, %v", settled, err)
	}
	if settled, err := f.s.SettleStay(ctx, record(p, 40)); err != nil || settled {
		f.Errorf("settled again: %v, %v", settled, err)
	}
	if got, err := f.s.XDR(ctx, store.Scope{}, p.ID); err != nil || !reflect.DeepEqual(got, x) {
		f.Errorf("read back\n%+v, wrote\n%+v, %v", got, x, err)
	}
	if a := f.read(f.account.ID); a.Balance != money.MustParse("99.10") || a.Reserved != 0 {
		f.Errorf("balance %s, reserved %s", a.Balance, a.Reserved)
	}
	f.consistent(f.account.ID)
	got, err := f.s.Participant(ctx, store.Scope{}, p.ID)
	if err != nil || !got.LeftAt.Equal(x.EndedAt) || got.Cause != store.CauseHangup || got.Role != store.RoleModerator || !got.Owner || got.Rate != p.Rate {
		f.Errorf("%+v, %v", got, err)
	}
	f.is(f.s.ExtendReservation(ctx, p.ID, 5*money.Unit), store.ErrClosed)
	byTime := store.XDRFilter{AccountID: f.account.ID, From: x.EndedAt, To: x.EndedAt.Add(time.Microsecond)}
	if list, err := f.s.ListXDRs(ctx, store.Scope{}, byTime, store.Page{}); err != nil || len(list) != 1 {
		f.Errorf("%+v, %v", list, err)
	}
}

func testParallelSettling(f *fixture) {
	ctx := f.Context()
	c := f.open("a")
	var stays []store.Participant
	for range 8 {
		p := f.participant(c)
		f.must(f.s.BeginStay(ctx, p, money.Unit))
		stays = append(stays, p)
	}
	var settled atomic.Int64
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			ok, err := f.s.SettleStay(ctx, record(stays[i%len(stays)], 10))
			if err != nil {
				f.Error(err)
			}
			if ok {
				settled.Add(1)
			}
		}()
	}
	wg.Wait()
	a := f.read(f.account.ID)
	if settled.Load() != 8 || a.Reserved != 0 || a.Balance != money.MustParse("97.60") {
		f.Errorf("%d settled, balance %s, reserved %s", settled.Load(), a.Balance, a.Reserved)
	}
	f.consistent(f.account.ID)
}

func testDeadRuns(f *fixture) {
	ctx := f.Context()
	run := store.NodeRun{Place: store.Place{Site: "a", Node: "n1"}, Incarnation: 1, StartedAt: t0.Add(-time.Minute)}
	f.must(f.s.StartRun(ctx, run))
	c := f.open("a")
	before, after := f.participant(c), f.participant(c)
	after.JoinedAt = t0.Add(20 * time.Second)
	f.must(f.s.BeginStay(ctx, before, 0))
	f.must(f.s.BeginStay(ctx, after, 0))
	f.must(f.s.PutCall(ctx, store.Call{ID: store.NewCallID(), Node: run.Place, StartedAt: time.UnixMicro(0).UTC()}))
	f.must(f.s.Heartbeat(ctx, "n1", 1, t0.Add(10*time.Second)))
	f.must(f.s.Heartbeat(ctx, "n1", 1, t0.Add(5*time.Second))) // never back
	f.is(f.s.Heartbeat(ctx, "n1", 7, t0), store.ErrNotFound)
	if dead, err := f.s.OpenStaysOfDeadRuns(ctx, "n1", 1); err != nil || len(dead) != 0 {
		f.Errorf("the present run's stays: %+v, %v", dead, err)
	}
	run.Incarnation = 2
	f.must(f.s.StartRun(ctx, run))
	dead, err := f.s.OpenStaysOfDeadRuns(ctx, "n1", 2)
	if err != nil || len(dead) != 2 || !dead[0].LastSeen.Equal(t0.Add(10*time.Second)) || !dead[1].LastSeen.Equal(after.JoinedAt) || dead[0].Participant != before {
		f.Errorf("%+v, %v", dead, err)
	}
	if n, err := f.s.CloseConferencesOfDeadRuns(ctx, "n1", 2); err != nil || n != 1 {
		f.Errorf("%d, %v", n, err)
	}
	if got, err := f.s.Conference(ctx, store.Scope{}, c.ID); err != nil || !got.EndedAt.Equal(t0.Add(10*time.Second)) {
		f.Errorf("%+v, %v", got, err)
	}
	if n, err := f.s.CloseConferencesOfDeadRuns(ctx, "n1", 2); err != nil || n != 0 {
		f.Errorf("again: %d, %v", n, err)
	}
	if n, err := f.s.CloseCallsOfDeadRuns(ctx, "n1", 2); err != nil || n > 1 {
		f.Errorf("%d, %v", n, err)
	}
	f.must(f.s.StopRun(ctx, "n1", 2, t0))
	f.is(f.s.StopRun(ctx, "n1", 9, t0), store.ErrNotFound)
}
