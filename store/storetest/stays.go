package storetest

import (
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/money"
)

var stayTests = []test{
	{"BL4_ReservationsNeverExceedFunds", testParallelReservations},
	{"BL4_Reservations", testReservations},
	{"BL4_Extensions", testExtensions},
	{"MS7_StaysOfAnOutageAreRecorded", testRecordStay},
	{"MS10_ATakenStayIsSettledByItsLastIngress", testTakeStay},
	{"BL6_AStayIsSettledOnce", testSettleOnce},
	{"BL6_OneOfManySettlesAStay", testParallelSettling},
	{"BL6_InvalidRecords", testInvalidRecords},
	{"BL7_MoneyAddsUpUnderLoad", testMixedLoad},
	{"BL8_RecordsAreFound", testFindXDRs},
}

func testParallelReservations(f *fixture) {
	ctx := f.Context()
	_, _, a := f.tenant("two", 1005*money.Unit)
	r := f.room("a", "", "")
	r.CustomerID, r.AccountID = a.CustomerID, a.ID
	c := f.conference(f.createRoom(r), 1)
	f.must(f.s.OpenConference(ctx, c))
	var fit atomic.Int64
	parallel(64, func(int) {
		switch err := f.s.BeginStay(ctx, f.participant(c), 100*money.Unit); {
		case err == nil:
			fit.Add(1)
		case !errors.Is(err, store.ErrInsufficientFunds):
			f.Error(err)
		}
	})
	if got := f.read(a.ID); fit.Load() != 10 || got.Reserved != 1000*money.Unit || got.Funds() != 5*money.Unit {
		f.Errorf("%d of 64 fit into 1005, reserved %s", fit.Load(), got.Reserved)
	}
	in, err := f.s.ListParticipants(ctx, everything, c.ID, false, store.Page{})
	if err != nil || len(in) != 10 {
		f.Errorf("%d are recorded, %v", len(in), err)
	}
	f.consistent(a.ID)
}

func testReservations(f *fixture) {
	ctx := f.Context()
	c := f.open("a")
	f.must(f.s.SetAccountLimits(ctx, f.own, f.account.ID, 10*money.Unit, 0, false))
	f.is(f.s.BeginStay(ctx, f.participant(c), -1), store.ErrInvalid)
	f.is(f.s.BeginStay(ctx, f.participant(c), 110*money.Unit+1), store.ErrInsufficientFunds)
	p := f.participant(c)
	f.must(f.s.BeginStay(ctx, p, 110*money.Unit)) // to the last of the credit
	f.must(f.s.BeginStay(ctx, p, 5*money.Unit))   // a repetition: nothing changes
	f.is(f.s.BeginStay(ctx, f.participant(c), 1), store.ErrInsufficientFunds)
	f.must(f.s.BeginStay(ctx, f.participant(c), 0)) // nothing always fits
	in, err := f.s.ListParticipants(ctx, f.own, c.ID, false, store.Page{})
	f.equal(len(in), err, 2)
	if a := f.read(f.account.ID); a.Reserved != 110*money.Unit || a.Balance != 100*money.Unit {
		f.Errorf("%+v", a)
	}
	// Nothing always fits, even when there is less than nothing.
	f.must(f.s.SetAccountLimits(ctx, f.own, f.account.ID, 0, 0, false))
	f.must(f.s.BeginStay(ctx, f.participant(c), 0))
	f.consistent(f.account.ID)
	nobody := f.participant(c)
	nobody.AccountID = "nobody"
	f.is(f.s.BeginStay(ctx, nobody, 0), store.ErrNotFound)
	// Many repetitions at once are one stay.
	_, err = f.s.SettleStay(ctx, record(p, 1))
	f.must(err)
	same := f.participant(c)
	parallel(16, func(int) {
		if err := f.s.BeginStay(ctx, same, money.Unit); err != nil {
			f.Error(err)
		}
	})
	if a := f.read(f.account.ID); a.Reserved != money.Unit {
		f.Errorf("reserved %s", a.Reserved)
	}
	f.consistent(f.account.ID)
}

func testExtensions(f *fixture) {
	ctx := f.Context()
	c := f.open("a")
	p := f.participant(c)
	f.must(f.s.BeginStay(ctx, p, 10*money.Unit))
	for _, w := range []struct {
		total, reserved money.Amount
		want            error
	}{
		{30 * money.Unit, 30 * money.Unit, nil},
		{30 * money.Unit, 30 * money.Unit, nil}, // a repetition
		{20 * money.Unit, 30 * money.Unit, nil}, // less changes nothing
		{100*money.Unit + 1, 30 * money.Unit, store.ErrInsufficientFunds},
		{-1, 30 * money.Unit, store.ErrInvalid},
		{100 * money.Unit, 100 * money.Unit, nil},
	} {
		if err := f.s.ExtendReservation(ctx, p.ID, w.total); !errors.Is(err, w.want) {
			f.Errorf("to %s: %v, want %v", w.total, err, w.want)
		}
		if a := f.read(f.account.ID); a.Reserved != w.reserved {
			f.Errorf("to %s: reserved %s", w.total, a.Reserved)
		}
	}
	f.is(f.s.ExtendReservation(ctx, "nobody", money.Unit), store.ErrNotFound)
	_, err := f.s.SettleStay(ctx, record(p, 1))
	f.must(err)
	f.is(f.s.ExtendReservation(ctx, p.ID, 5*money.Unit), store.ErrClosed)
	// Two stays that extend at once never get the same money.
	stays := make([]store.Participant, 20)
	for i := range stays {
		stays[i] = f.participant(c)
		f.must(f.s.BeginStay(ctx, stays[i], money.Unit))
	}
	var fit atomic.Int64
	parallel(len(stays), func(i int) {
		switch err := f.s.ExtendReservation(ctx, stays[i].ID, 9*money.Unit); {
		case err == nil:
			fit.Add(1)
		case !errors.Is(err, store.ErrInsufficientFunds):
			f.Error(err)
		}
	})
	if fit.Load() != 9 { // 99.97, of which 20 are reserved
		f.Errorf("%d of 20 extended by 8 within 79.97", fit.Load())
	}
	f.consistent(f.account.ID)
}

// What a node promised on its own is recorded whatever the account has, and whatever
// became of the conference.
func testRecordStay(f *fixture) {
	ctx := f.Context()
	c := f.open("a")
	p := f.participant(c)
	f.must(f.s.CloseConference(ctx, c.ID, t0, "node-failure"))
	f.is(f.s.BeginStay(ctx, p, money.Unit), store.ErrClosed)
	for _, total := range []int{150, 150, 160, 20} { // of 100
		f.must(f.s.RecordStay(ctx, p, money.Amount(total)*money.Unit))
	}
	got, err := f.s.Participant(ctx, f.own, p.ID)
	f.equal(got, err, p)
	if a := f.read(f.account.ID); a.Reserved != 160*money.Unit {
		f.Errorf("reserved %s", a.Reserved)
	}
	f.consistent(f.account.ID)
	settled, err := f.s.SettleStay(ctx, record(p, 30))
	f.equal(settled, err, true)
	f.must(f.s.RecordStay(ctx, p, 200*money.Unit)) // it comes late, or again
	if a := f.read(f.account.ID); a.Reserved != 0 {
		f.Errorf("reserved %s", a.Reserved)
	}
	begun := f.participant(f.open("b"))
	f.must(f.s.BeginStay(ctx, begun, 5*money.Unit))
	f.must(f.s.RecordStay(ctx, begun, 3*money.Unit))
	f.must(f.s.RecordStay(ctx, begun, 7*money.Unit))
	if a := f.read(f.account.ID); a.Reserved != 7*money.Unit {
		f.Errorf("reserved %s", a.Reserved)
	}
	p.ID, p.ConferenceID = store.NewParticipantID(), "nowhere"
	f.is(f.s.RecordStay(ctx, p, 0), store.ErrNotFound)
	f.is(f.s.RecordStay(ctx, begun, -1), store.ErrInvalid)
	f.consistent(f.account.ID)
}

func testTakeStay(f *fixture) {
	ctx := f.Context()
	first := f.participant(f.open("a"))
	f.must(f.s.BeginStay(ctx, first, 5*money.Unit))
	at := func(node string, term uint64) store.Participant {
		p := first
		p.Ingress.Node, p.Incarnation, p.IngressTerm = node, 1000+int64(term), term
		return p
	}
	second, third := at("second", 1), at("third", 2)
	for _, p := range []store.Participant{second, third, second, third} { // one is late, or told again
		f.must(f.s.TakeStay(ctx, p, 3*money.Unit))
	}
	got, err := f.s.Participant(ctx, f.own, first.ID)
	f.equal(got, err, third)
	if a := f.read(f.account.ID); a.Reserved != 5*money.Unit {
		f.Errorf("reserved %s", a.Reserved)
	}
	f.must(f.s.TakeStay(ctx, third, 7*money.Unit)) // a promise that the store did not know of
	if a := f.read(f.account.ID); a.Reserved != 7*money.Unit {
		f.Errorf("reserved %s", a.Reserved)
	}
	for _, p := range []store.Participant{first, second} { // they come back, and do not know
		settled, err := f.s.SettleStay(ctx, record(p, 30))
		f.equal(settled, err, false)
	}
	settled, err := f.s.SettleStay(ctx, record(third, 90))
	f.equal(settled, err, true)
	f.must(f.s.TakeStay(ctx, at("fourth", 3), money.Unit)) // it has ended
	x, err := f.s.XDR(ctx, f.own, first.ID)
	f.must(err)
	if x.Ingress.Node != "third" || x.Duration != 90*time.Minute {
		f.Errorf("settled as %+v", x)
	}
	unknown := f.participant(f.open("b")) // its begin is in the journal of a dead node
	unknown.IngressTerm = 1
	f.must(f.s.TakeStay(ctx, unknown, 2*money.Unit))
	got, err = f.s.Participant(ctx, f.own, unknown.ID)
	f.equal(got, err, unknown)
	settled, err = f.s.SettleStay(ctx, record(unknown, 1))
	f.equal(settled, err, true)
	f.is(f.s.TakeStay(ctx, third, -1), store.ErrInvalid)
	f.consistent(f.account.ID)
}

func testSettleOnce(f *fixture) {
	ctx := f.Context()
	p := f.participant(f.open("a"))
	_, err := f.s.SettleStay(ctx, record(p, 1))
	f.is(err, store.ErrNotFound)
	f.must(f.s.BeginStay(ctx, p, 2*money.Unit))
	f.must(f.s.SetParticipantRole(ctx, p.ID, store.RoleModerator, true))
	x := record(p, 30)
	settled, err := f.s.SettleStay(ctx, x)
	f.equal(settled, err, true)
	settled, err = f.s.SettleStay(ctx, record(p, 40))
	f.equal(settled, err, false)
	settled, err = f.s.SettleStay(ctx, x)
	f.equal(settled, err, false)
	got, err := f.s.XDR(ctx, f.own, p.ID)
	f.equal(got, err, x)
	if a := f.read(f.account.ID); a.Balance != money.MustParse("99.10") || a.Reserved != 0 {
		f.Errorf("balance %s, reserved %s", a.Balance, a.Reserved)
	}
	f.must(f.s.BeginStay(ctx, p, 2*money.Unit)) // a repetition, late: nothing is opened again
	p.LeftAt, p.Cause, p.Role, p.Owner = x.EndedAt, store.CauseHangup, store.RoleModerator, true
	stay, err := f.s.Participant(ctx, f.own, p.ID)
	f.equal(stay, err, p)
	entries, err := f.s.ListEntries(ctx, f.own, f.account.ID, store.Page{})
	if err != nil || len(entries) != 2 || entries[1].Kind != store.EntryUsage || entries[1].XDR != p.ID || entries[1].Amount != -x.Amount ||
		entries[1].Balance != money.MustParse("99.10") || !entries[1].At.Equal(x.RecordedAt) {
		f.Errorf("%+v, %v", entries, err)
	}
	f.consistent(f.account.ID)
	_, err = f.s.XDR(ctx, everything, "nothing")
	f.is(err, store.ErrNotFound)
	// A stay that costs more than was reserved is charged in full.
	p = f.participant(f.open("b"))
	f.must(f.s.BeginStay(ctx, p, 0))
	x = record(p, 1)
	x.Amount, x.Quality = 200*money.Unit, nil
	settled, err = f.s.SettleStay(ctx, x)
	f.equal(settled, err, true)
	got, err = f.s.XDR(ctx, f.own, p.ID)
	f.equal(got, err, x)
	if a := f.read(f.account.ID); a.Balance != money.MustParse("-100.90") {
		f.Errorf("balance %s", a.Balance)
	}
}

func testParallelSettling(f *fixture) {
	c := f.open("a")
	var stays []store.Participant
	for range 8 {
		p := f.participant(c)
		f.must(f.s.BeginStay(f.Context(), p, money.Unit))
		stays = append(stays, p)
	}
	won := make([]atomic.Int64, len(stays))
	parallel(64, func(i int) {
		settled, err := f.s.SettleStay(f.Context(), record(stays[i%len(stays)], 10))
		if err != nil {
			f.Error(err)
		}
		if settled {
			won[i%len(stays)].Add(1)
		}
	})
	for i := range won {
		if won[i].Load() != 1 {
			f.Errorf("stay %d was settled %d times", i, won[i].Load())
		}
	}
	if a := f.read(f.account.ID); a.Reserved != 0 || a.Balance != money.MustParse("97.60") {
		f.Errorf("balance %s, reserved %s", a.Balance, a.Reserved)
	}
	f.consistent(f.account.ID)
}

func testInvalidRecords(f *fixture) {
	p := f.participant(f.open("a"))
	f.must(f.s.BeginStay(f.Context(), p, money.Unit))
	for name, spoil := range map[string]func(*store.XDR){
		"amount":         func(x *store.XDR) { x.Amount = -1 },
		"half a second":  func(x *store.XDR) { x.Duration = 500 * time.Millisecond },
		"negative":       func(x *store.XDR) { x.Billed = -time.Second },
		"no such MOS":    func(x *store.XDR) { x.Inbound.MOS = 501 },
		"no such loss":   func(x *store.XDR) { x.Outbound.Loss = 10_001 },
		"quality":        func(x *store.XDR) { x.Quality = []byte("[") },
		"no end":         func(x *store.XDR) { x.EndedAt = time.Time{} },
		"currency":       func(x *store.XDR) { x.Currency = "EUR" },
		"room":           func(x *store.XDR) { x.RoomID = "another" },
		"epoch too high": func(x *store.XDR) { x.Epoch = 1 << 63 },
	} {
		x := record(p, 1)
		spoil(&x)
		if settled, err := f.s.SettleStay(f.Context(), x); !errors.Is(err, store.ErrInvalid) || settled {
			f.Errorf("%s: %v, %v", name, settled, err)
		}
	}
	if a := f.read(f.account.ID); a.Balance != 100*money.Unit || a.Reserved != money.Unit {
		f.Errorf("%+v", a)
	}
	f.consistent(f.account.ID)
	moved := record(p, 1)
	moved.ConferenceID = "a later one of the room"
	settled, err := f.s.SettleStay(f.Context(), moved)
	f.equal(settled, err, true)
	f.consistent(f.account.ID)
}

// Everything that moves an account's money, at once.
func testMixedLoad(f *fixture) {
	ctx := f.Context()
	c := f.open("a")
	parallel(12, func(int) {
		for range 5 {
			p := f.participant(c)
			err := f.s.BeginStay(ctx, p, money.Amount(rand.IntN(20))*money.Unit)
			if errors.Is(err, store.ErrInsufficientFunds) {
				_, err = f.s.PostEntry(ctx, store.LedgerEntry{ID: store.NewEntryID(), AccountID: f.account.ID, At: t0,
					Kind: store.EntryTopUp, Amount: money.Unit, Author: "ann"})
				if err != nil {
					f.Error(err)
				}
				continue
			}
			if err != nil {
				f.Error(err)
			}
			if err := f.s.ExtendReservation(ctx, p.ID, 25*money.Unit); err != nil && !errors.Is(err, store.ErrInsufficientFunds) {
				f.Error(err)
			}
			if rand.IntN(4) > 0 {
				if settled, err := f.s.SettleStay(ctx, record(p, rand.IntN(100))); err != nil || !settled {
					f.Error(settled, err)
				}
			}
		}
	})
	f.consistent(f.account.ID)
	if a := f.read(f.account.ID); a.Funds() < 0 {
		f.Errorf("promised more than there is: %+v", a)
	}
}

func testFindXDRs(f *fixture) {
	ctx := f.Context()
	a, b := f.open("a"), f.open("b")
	var all []store.XDR
	for i := range 6 {
		p := f.participant([]store.Conference{a, b}[i%2])
		f.must(f.s.BeginStay(ctx, p, 0))
		all = append(all, record(p, i))
		_, err := f.s.SettleStay(ctx, all[i])
		f.must(err)
	}
	for _, w := range []struct {
		filter store.XDRFilter
		want   []store.XDR
	}{
		{store.XDRFilter{}, all},
		{store.XDRFilter{AccountID: f.account.ID}, all},
		{store.XDRFilter{AccountID: "nobody"}, nil},
		{store.XDRFilter{RoomID: b.RoomID}, []store.XDR{all[1], all[3], all[5]}},
		{store.XDRFilter{From: all[2].EndedAt}, all[2:]},
		{store.XDRFilter{To: all[2].EndedAt}, all[:2]},
		{store.XDRFilter{From: all[1].EndedAt, To: all[4].EndedAt, RoomID: a.RoomID}, all[2:3]},
	} {
		got, err := f.s.ListXDRs(ctx, f.own, w.filter, store.Page{})
		f.equal(got, err, w.want)
	}
	got, err := f.s.ListXDRs(ctx, f.own, store.XDRFilter{RoomID: a.RoomID}, store.Page{After: string(all[0].ID), Limit: 1})
	f.equal(got, err, all[2:3])
}
