package billing

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"pgregory.net/rapid"

	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/money"
	"github.com/conclave-voice/conclave/testenv/postgres"
)

// dies is a store that fails after so many settlements, as if the node had died.
type dies struct {
	RunStore
	after int
}

func (d *dies) SettleStay(ctx context.Context, x store.XDR) (bool, error) {
	if d.after--; d.after < 0 {
		return false, errAway
	}
	return d.RunStore.SettleStay(ctx, x)
}

func (d *dies) CloseConferencesOfDeadRuns(ctx context.Context, node string, incarnation int64) (int, error) {
	if d.after < 0 {
		return 0, errAway
	}
	return d.RunStore.CloseConferencesOfDeadRuns(ctx, node, incarnation)
}

// BL6, CA7: stays of a node that died are settled at its last heartbeat; a recovery
// that dies on the way is taken up by the next; another does nothing.
func TestRecovery(t *testing.T) {
	w := newWorld(t, openSQLite(t), byMinute, 10*money.Unit, 0)
	ctx := t.Context()
	for range 3 {
		_, err := w.join()
		w.must(err)
	}
	w.clock.Advance(90 * time.Second)
	w.must(w.db.Heartbeat(ctx, w.run.Node, w.run.Incarnation, w.clock.Now()))
	late, err := w.join() // it began after the last heartbeat
	w.must(err)
	call := store.Call{ID: store.NewCallID(), SIPCallID: "x@y", Direction: "in", Node: w.run.Place, StartedAt: began}
	w.must(w.db.PutCall(ctx, call))
	w.flaky.away.Store(true)
	w.stop() // dead
	next, now := w.run.Incarnation+int64(time.Hour/time.Microsecond), began.Add(time.Hour)
	logger := hclog.NewNullLogger()
	if _, err := Recover(ctx, &dies{w.db, 2}, w.run.Node, next, now, NoneGoOn, logger); !errors.Is(err, errAway) {
		t.Errorf("a recovery that died: %v", err)
	}
	if n := len(w.xdrs()); n != 2 {
		t.Errorf("%d settled before it died", n)
	}
	for range 2 {
		w.recover(Recover(ctx, w.db, w.run.Node, next, now, NoneGoOn, logger))
		w.balanced(4)
	}
	for _, x := range w.xdrs() {
		want, amount := began.Add(90*time.Second), money.Amount(60_000)
		if x.ID == late.Participant.ID {
			amount = 30_000 // the first interval
		}
		if !x.EndedAt.Equal(want) || x.Amount != amount || x.Cause != store.CauseNodeFailure || x.RoomName != "board" {
			t.Errorf("%+v", x)
		}
	}
	if c, err := w.db.Conference(ctx, store.Scope{}, w.conf.ID); err != nil || !c.EndedAt.Equal(began.Add(90*time.Second)) {
		t.Errorf("%+v, %v", c, err)
	}
	if c, _, err := w.db.Call(ctx, store.Scope{}, call.ID); err != nil || c.EndedAt.IsZero() {
		t.Errorf("%+v, %v", c, err)
	}
}

// nameless is a store that has lost its conferences.
type nameless struct{ RunStore }

func (nameless) Conference(context.Context, store.Scope, store.ConferenceID) (store.Conference, error) {
	return store.Conference{}, fmt.Errorf("conference: %w", store.ErrNotFound)
}

func TestRecoveryWithoutItsConference(t *testing.T) {
	w := newWorld(t, openSQLite(t), byMinute, money.Unit, 0)
	_, err := w.join()
	w.must(err)
	w.flaky.away.Store(true)
	w.stop()
	w.recover(Recover(t.Context(), nameless{w.db}, w.run.Node, w.run.Incarnation+1, began, NoneGoOn, hclog.NewNullLogger()))
	w.balanced(1)
}

// machine is stays that come and go while the store and the node fail.
type machine struct {
	*world
	open    []*Stay
	begun   int
	entries money.Amount // made by people
}

// BL4, BL6, BL7: whatever order stays begin and end in, whenever the store is away,
// its answers are lost or the node dies: each stay that began has one record, the
// balance is the sum of the entries and never below the credit limit, and nothing
// stays reserved.
func TestStaysWithCrashes(t *testing.T) {
	db := openSQLite(t)
	rapid.Check(t, func(t *rapid.T) {
		rate := store.Rate{PerMinute: money.Amount(rapid.Int64Range(0, 2_000_000).Draw(t, "price")),
			First: time.Duration(rapid.SampledFrom([]int{1, 30, 60}).Draw(t, "first")) * time.Second,
			Next:  time.Duration(rapid.SampledFrom([]int{1, 6, 60}).Draw(t, "next")) * time.Second}
		m := &machine{world: newWorld(t, db, rate, money.Amount(rapid.Int64Range(0, 20_000_000).Draw(t, "balance")),
			money.Amount(rapid.Int64Range(0, 5_000_000).Draw(t, "credit")))}
		m.service.policy.Offline = 0 // what is promised is then a hard limit
		actions := []func(*rapid.T){m.begin, m.begin, m.begin, m.pass, m.pass, m.pass, m.end, m.topUp, m.outage, m.lostAnswers, m.crash}
		for range rapid.IntRange(1, 25).Draw(t, "steps") {
			actions[rapid.IntRange(0, len(actions)-1).Draw(t, "action")](t)
			m.solvent()
		}
		for len(m.open) > 0 {
			m.settle(0, store.CauseShutdown)
		}
		m.stop()
		a := m.account
		m.account.Balance += m.entries
		m.balanced(m.begun)
		m.account = a
	})
}

func (m *machine) solvent() {
	m.t.Helper()
	a := m.state(m.account.ID)
	if a.Balance < -a.CreditLimit || a.Reserved < 0 || a.Funds() < 0 {
		m.t.Fatalf("balance %s, credit %s, reserved %s", a.Balance, a.CreditLimit, a.Reserved)
	}
}

func (m *machine) begin(*rapid.T) {
	s, err := m.join()
	switch {
	case err == nil:
		m.open = append(m.open, s)
		m.begun++
	case !errors.Is(err, store.ErrInsufficientFunds):
		m.t.Fatal(err)
	}
}

// pass lets time go by, from one thing to do to the next.
func (m *machine) pass(t *rapid.T) {
	m.until(t, time.Duration(rapid.IntRange(1, 900).Draw(t, "seconds"))*time.Second)
}

func (m *machine) until(t *rapid.T, d time.Duration) {
	for until := m.clock.Now().Add(d); m.clock.Now().Before(until); {
		next := until
		for _, s := range m.open {
			if at := s.Deadline(); at.Before(next) {
				next = at
			}
		}
		m.clock.Advance(max(next.Sub(m.clock.Now()), 0))
		m.tick()
	}
	if !m.flaky.away.Load() {
		// Waiting takes time, in which shares may run out; and no heartbeat is to
		// tell of a time when a stay that had ended was not settled.
		for m.settled(); ; m.settled() {
			if m.tick(); m.service.Unsettled() == 0 {
				break
			}
		}
		m.must(m.db.Heartbeat(context.Background(), m.run.Node, m.run.Incarnation, m.clock.Now()))
	}
}

// tick does what is due, at once: nobody is late.
func (m *machine) tick() {
	for i := 0; i < len(m.open); i++ {
		for a := m.open[i].Tick(context.Background(), m.clock.Now()); a.Kind != Nothing; a = m.open[i].Tick(context.Background(), m.clock.Now()) {
			if a.Kind == End {
				m.settle(i, store.CauseFunds)
				i--
				break
			}
		}
	}
}

func (m *machine) settle(i int, cause store.ReleaseCause) {
	x := m.open[i].Settle(m.clock.Now(), cause, nil)
	if x.Amount > m.open[i].meter.Reserved() {
		m.t.Fatalf("cost %s with %s reserved", x.Amount, m.open[i].meter.Reserved())
	}
	m.open = slices.Delete(m.open, i, i+1)
}

func (m *machine) end(t *rapid.T) {
	if len(m.open) > 0 {
		m.settle(rapid.IntRange(0, len(m.open)-1).Draw(t, "who"), store.CauseHangup)
	}
}

func (m *machine) topUp(t *rapid.T) {
	amount := money.Amount(rapid.Int64Range(1, 5_000_000).Draw(t, "amount"))
	if _, err := NewLedger(m.db, m.clock).TopUp(context.Background(), "", m.account.ID, amount, "", "test"); err != nil {
		m.t.Fatal(err)
	}
	m.entries += amount
}

// outage: time passes and stays end while the store is away.
func (m *machine) outage(t *rapid.T) {
	m.flaky.away.Store(true)
	m.until(t, time.Duration(rapid.IntRange(1, 300).Draw(t, "outage"))*time.Second)
	m.end(t)
	if rapid.Bool().Draw(t, "dies in it") {
		m.crash(t)
		return
	}
	m.flaky.away.Store(false)
}

// lostAnswers: stays begin and end, and nobody is told.
func (m *machine) lostAnswers(t *rapid.T) {
	m.flaky.deaf.Store(true)
	if _, err := m.join(); err == nil {
		m.t.Fatal("an answer was not lost")
	}
	m.begun = m.participants() // it may have begun
	m.end(t)
	m.flaky.deaf.Store(false)
	m.settled()
}

// participants counts the stays that the store knows of in this run's conference and
// before.
func (m *machine) participants() int {
	n := 0
	all, err := m.db.ListConferences(context.Background(), store.Scope{}, m.room.ID, true, store.Page{Limit: 1000})
	m.must(err)
	for _, c := range all {
		in, err := m.db.ListParticipants(context.Background(), store.Scope{}, c.ID, true, store.Page{Limit: 1000})
		m.must(err)
		n += len(in)
	}
	return n
}

// crash: the process is gone, and started again.
func (m *machine) crash(*rapid.T) {
	m.flaky.away.Store(true)
	m.stop()
	m.open = nil
	m.clock.Advance(time.Minute)
	m.start(m.clock.Now())
	m.service.policy.Offline = 0
	if a := m.state(m.account.ID); a.Reserved != 0 {
		m.t.Fatalf("%s reserved after recovery", a.Reserved)
	}
}

// BL4: 64 calls at once on an account that pays for ten first minutes, on a database
// where they do run at once: ten are let in.
func TestParallelStays(t *testing.T) {
	w := newWorld(t, openDB(t, postgres.Start(t)), byMinute, 315_000, 0)
	w.service.policy.Share = time.Minute
	var all sync.WaitGroup
	stays := make(chan *Stay, 64)
	for range 64 {
		all.Go(func() {
			s, err := w.join()
			switch {
			case err == nil:
				stays <- s
			case !errors.Is(err, store.ErrInsufficientFunds):
				t.Error(err)
			}
		})
	}
	all.Wait()
	if len(stays) != 10 {
		t.Errorf("%d let in", len(stays))
	}
	if wrong, err := NewLedger(w.db, w.clock).Verify(t.Context()); err != nil || len(wrong) != 0 {
		t.Errorf("with stays open: %+v, %v", wrong, err)
	}
	n := len(stays)
	w.clock.Advance(time.Minute)
	for range n {
		all.Go(func() {
			s := <-stays
			for a := s.Tick(t.Context(), w.clock.Now()); a.Kind == Warn; a = s.Tick(t.Context(), w.clock.Now()) {
			}
			s.Settle(w.clock.Now(), store.CauseFunds, nil)
		})
	}
	all.Wait()
	w.stop()
	w.balanced(n)
	if a := w.state(w.account.ID); a.Balance != 15_000 {
		t.Errorf("balance %s", a.Balance)
	}
}
