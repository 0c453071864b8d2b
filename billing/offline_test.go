package billing

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"pgregory.net/rapid"

	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/journal"
	"github.com/conclave-voice/conclave/store/journal/wal"
	"github.com/conclave-voice/conclave/store/money"
	"github.com/conclave-voice/conclave/store/sqlstore"
)

// Do makes flaky the journal's guard, too. A question that has to wait for the journal,
// whose pauses are by a clock that stands still, is given up.
func (f *flaky) Do(ctx context.Context, ask func(context.Context) error) error {
	if f.away.Load() {
		return errAway
	}
	ctx, cancel := context.WithTimeout(ctx, f.budget)
	defer cancel()
	return ask(ctx)
}

func (f *flaky) RecordStay(ctx context.Context, p store.Participant, total money.Amount) error {
	if f.away.Load() {
		return errAway
	}
	return f.Store.RecordStay(ctx, p, total)
}

func (f *flaky) StartRun(ctx context.Context, r store.NodeRun) error {
	if f.away.Load() {
		return errAway
	}
	return f.Store.StartRun(ctx, r)
}

// island is a node with a journal, and a copy of its account.
type island struct {
	*world
	limit   money.Amount
	dir     string
	journal *journal.Journal
	credit  *Credit
	copy    store.Account
	copied  time.Time
}

// localCopy answers for the account while the store is away.
type localCopy struct {
	*sqlstore.Store
	island *island
}

func (c localCopy) Account(ctx context.Context, s store.Scope, id store.AccountID) (store.Account, error) {
	if c.island.flaky.away.Load() {
		return c.island.copy, nil
	}
	return c.Store.Account(ctx, s, id)
}

// catalogue is what billing reads.
type catalogue interface {
	AccessNumberByNumber(ctx context.Context, number string) (store.AccessNumber, error)
	Account(ctx context.Context, s store.Scope, id store.AccountID) (store.Account, error)
	RateFor(ctx context.Context, t store.TariffID, s store.Service, accessNumber string) (store.Rate, error)
}

func newIsland(t tester, db *sqlstore.Store, dir string, balance, limit money.Amount) *island {
	w := newWorld(t, db, byMinute, balance, 0)
	w.stop() // a service without a journal
	w.flaky.budget = 10 * time.Second
	i := &island{world: w, limit: limit, dir: dir}
	i.refresh()
	i.live()
	return i
}

// refresh makes the copy anew.
func (i *island) refresh() {
	i.clock.Advance(time.Microsecond) // later than what was told
	i.copy, i.copied = i.state(i.account.ID), i.clock.Now()
}

// live starts the service and its journal, with what an earlier run has left.
func (i *island) live() {
	i.t.Helper()
	i.credit = NewCredit(i.limit, func() time.Time { return i.copied }, i.clock)
	j, err := journal.Open(journal.Config{Config: wal.Config{Dir: i.dir}, Recorded: i.credit.Told, Settled: i.credit.Told},
		i.flaky, i.flaky, i.clock, hclog.NewNullLogger())
	i.must(err)
	for _, p := range j.Promises() {
		i.credit.Hold(p.Participant.AccountID, p.Participant.ID, p.Owed())
	}
	i.journal = j
	i.service = NewService(struct {
		catalogue
		*journal.Journal
	}{localCopy{i.db, i}, j}, DefaultPolicy(), i.clock, hclog.NewNullLogger(), WithJournal(j, i.credit))
	ctx, cancel := context.WithCancel(context.Background())
	i.cancel, i.done = cancel, make(chan error, 1)
	go func(s *Service, done chan error) {
		delivered := make(chan error, 1)
		go func() { delivered <- j.Run(ctx) }()
		done <- errors.Join(s.Run(ctx), <-delivered, j.Close())
	}(i.service, i.done)
}

// delivered waits until the store has been told everything. The clock moves with the
// world's, or shares would run out meanwhile.
func (i *island) delivered() {
	for i.journal.Stats().Waiting > 0 {
		<-time.After(time.Millisecond)
		i.clock.Advance(10 * time.Millisecond)
	}
}

// last for so long, and say whether one of the stays was to end.
func (i *island) last(d time.Duration, stays ...*Stay) (ended bool) {
	for until := i.clock.Now().Add(d); i.clock.Now().Before(until) && !ended; i.clock.Advance(5 * time.Second) {
		for _, s := range stays {
			for a := s.Tick(context.Background(), i.clock.Now()); a.Kind != Nothing; a = s.Tick(context.Background(), i.clock.Now()) {
				ended = ended || a.Kind == End
			}
		}
		if p := i.credit.Promised(i.account.ID); p > i.limit {
			i.t.Fatalf("%s promised with a limit of %s", p, i.limit)
		}
	}
	return ended
}

// MS7, BL4, BL6: stays begin, go on and end without the store, and one that began with it
// goes on; afterwards each has one record and the money adds up.
func TestStaysWithoutTheStore(t *testing.T) {
	i := newIsland(t, openSQLite(t), t.TempDir(), 10*money.Unit, 2*money.Unit)
	before, err := i.join()
	i.must(err)
	i.flaky.away.Store(true)
	alone, err := i.join()
	i.must(err)
	if before.Offline() || !alone.Offline() {
		t.Errorf("by its own word: %v, %v", before.Offline(), alone.Offline())
	}
	if i.last(20*time.Minute, before, alone) {
		t.Fatal("a stay was to end")
	}
	alone.Settle(i.clock.Now(), store.CauseHangup, nil)
	if n := len(i.xdrs()); n != 0 || i.service.Stats().Offline != 2 || i.service.Unsettled() != 0 {
		t.Errorf("%d records, %+v", n, i.service.Stats())
	}
	i.flaky.away.Store(false)
	i.delivered()
	if i.last(10*time.Minute, before) { // renewed by the store again
		t.Fatal("the stay was to end")
	}
	before.Settle(i.clock.Now(), store.CauseHangup, nil)
	i.delivered()
	i.stop()
	i.balanced(2)
	if a := i.state(i.account.ID); a.Balance > 10*money.Unit-1_500_000 || a.Balance < 10*money.Unit-1_560_000 {
		t.Errorf("balance %s after 30 and 20 minutes of 0.03", a.Balance)
	}
}

// MS7, BL4: the offline credit ends stays in time, is not given twice, and is given again
// when the copy knows what became of it.
func TestOfflineCreditEnds(t *testing.T) {
	i := newIsland(t, openSQLite(t), t.TempDir(), money.Unit, 100_000)
	i.flaky.away.Store(true)
	s, err := i.join()
	i.must(err)
	if s.MaxDuration() != 3*time.Minute {
		t.Errorf("may last %v for 0.10", s.MaxDuration())
	}
	if _, err := i.join(); !errors.Is(err, ErrOfflineCredit) || !errors.Is(err, store.ErrInsufficientFunds) {
		t.Errorf("a second stay: %v", err)
	}
	if !i.last(time.Hour, s) || i.clock.Now().Sub(s.Participant.JoinedAt) > 3*time.Minute+10*time.Second {
		t.Errorf("ended after %v", i.clock.Now().Sub(s.Participant.JoinedAt))
	}
	if x := s.Settle(i.clock.Now(), store.CauseFunds, nil); x.Amount != 90_000 {
		t.Errorf("cost %s", x.Amount)
	}
	i.flaky.away.Store(false)
	i.delivered()
	i.flaky.away.Store(true)
	if _, err := i.join(); !errors.Is(err, ErrOfflineCredit) {
		t.Errorf("in the next outage, before the copy was made anew: %v", err)
	}
	i.refresh()
	if n := i.credit.Stays(); n != 0 {
		t.Errorf("%d stays are not in the copy", n)
	}
	again, err := i.join()
	i.must(err)
	again.Void(i.clock.Now(), store.CauseRefused)
	i.flaky.away.Store(false)
	i.delivered()
	i.stop()
	i.balanced(2)
}

// MS7: no credit is given of 0, nor to an account that has nothing, or is blocked.
func TestNoOfflineCredit(t *testing.T) {
	for _, c := range []struct {
		name           string
		balance, limit money.Amount
		blocked        bool
		want           error
	}{
		{"none is given", money.Unit, 0, false, ErrOfflineCredit},
		{"nothing is left", 20_000, money.Unit, false, ErrOfflineCredit},
		{"blocked", money.Unit, money.Unit, true, ErrBlocked},
	} {
		i := newIsland(t, openSQLite(t), t.TempDir(), c.balance, c.limit)
		i.copy.Blocked = c.blocked
		i.flaky.away.Store(true)
		if _, err := i.join(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
		i.flaky.away.Store(false)
		i.delivered()
		i.stop()
		i.balanced(0)
	}
}

// MS7, BL7: money that was promised twice, by the store and by the node, is an overdraft:
// no more than the offline credit, charged in full, and to be seen in the balance.
func TestOverdraft(t *testing.T) {
	i := newIsland(t, openSQLite(t), t.TempDir(), 150_000, money.Unit) // the copy knows of all of it
	before, err := i.join()
	i.must(err)
	i.flaky.away.Store(true)
	alone, err := i.join()
	i.must(err)
	i.last(4*time.Minute+50*time.Second, before, alone)
	before.Settle(i.clock.Now(), store.CauseHangup, nil)
	alone.Settle(i.clock.Now(), store.CauseHangup, nil)
	i.flaky.away.Store(false)
	i.delivered()
	i.stop()
	i.balanced(2)
	if a := i.state(i.account.ID); a.Balance != -150_000 {
		t.Errorf("balance %s after two stays of 0.15", a.Balance)
	}
}

// BL6, CA7: a node that dies in an outage: what had ended ends when it did, the others at
// the last heartbeat on its disk; its credit is not given again by the next run.
func TestCrashWithoutTheStore(t *testing.T) {
	i := newIsland(t, openSQLite(t), t.TempDir(), 10*money.Unit, money.Unit)
	ctx := t.Context()
	beat := func() { i.must(i.journal.Heartbeat(ctx, i.run.Node, i.run.Incarnation, i.clock.Now())) }
	ended, err := i.join()
	i.must(err)
	i.flaky.away.Store(true)
	open, err := i.join()
	i.must(err)
	i.last(2*time.Minute, ended, open)
	end := i.clock.Now()
	ended.Settle(end, store.CauseHangup, nil)
	i.last(time.Minute+30*time.Second, open)
	beat()
	seen := i.clock.Now()
	i.clock.Advance(3 * time.Second)
	late, err := i.join()
	i.must(err)
	promised := i.credit.Promised(i.account.ID)
	i.stop() // dead: nothing could be delivered
	i.clock.Advance(time.Minute)
	i.live()
	if p := i.credit.Promised(i.account.ID); p != promised || p == 0 {
		t.Errorf("%s promised by the run that died, %s known to the next", promised, p)
	}
	run := store.NodeRun{Place: i.run.Place, Incarnation: i.clock.Now().UnixMicro(), StartedAt: i.clock.Now()}
	i.must(i.journal.StartRun(ctx, run))
	recovery := NewRecovery(i.db, i.journal.Drained, NoneGoOn, run, i.clock, hclog.NewNullLogger())
	running, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- recovery.Run(running) }()
	i.flaky.away.Store(false)
	i.delivered()
	<-recovery.Done()
	cancel()
	i.must(<-done)
	i.stop()
	i.balanced(3)
	for _, x := range i.xdrs() {
		want := map[store.ParticipantID]string{
			ended.Participant.ID: fmt.Sprint(end.UTC(), store.CauseHangup),
			open.Participant.ID:  fmt.Sprint(seen.UTC(), store.CauseNodeFailure),
			late.Participant.ID:  fmt.Sprint(late.Participant.JoinedAt, store.CauseNodeFailure),
		}[x.ID]
		if got := fmt.Sprint(x.EndedAt, x.Cause); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// BL6: a stay of a node that died is never settled for more than it had reserved, though
// the node lived on; one that had not reserved its first interval costs nothing.
func TestRecoveryChargesWhatWasReserved(t *testing.T) {
	w := newWorld(t, openSQLite(t), byMinute, 10*money.Unit, 0)
	s, err := w.join()
	w.must(err)
	nothing := w.participant()
	nothing.Rate, nothing.Currency = s.Participant.Rate, "EUR"
	w.must(w.db.BeginStay(t.Context(), nothing, 0))
	w.clock.Advance(8 * time.Minute)
	w.must(w.db.Heartbeat(t.Context(), w.run.Node, w.run.Incarnation, w.clock.Now()))
	w.flaky.away.Store(true)
	w.stop()
	w.recover(Recover(t.Context(), w.db, w.run.Node, w.run.Incarnation+1, w.clock.Now(), NoneGoOn, hclog.NewNullLogger()))
	w.balanced(2)
	for _, x := range w.xdrs() {
		if x.ID == nothing.ID && x.Amount != 0 || x.ID != nothing.ID && (x.Amount != 150_000 || !x.EndedAt.Equal(began.Add(5*time.Minute))) {
			t.Errorf("%s until %v", x.Amount, x.EndedAt)
		}
	}
}

// A recovery that fails is tried again, and ends with its context.
func TestRecoveryIsRepeated(t *testing.T) {
	w := newWorld(t, openSQLite(t), byMinute, money.Unit, 0)
	_, err := w.join()
	w.must(err)
	w.flaky.away.Store(true)
	w.stop()
	run := w.run
	run.Incarnation++
	for _, reachable := range []bool{false, true} {
		ctx, cancel := context.WithCancel(t.Context())
		failing := &dies{RunStore: w.db}
		r := NewRecovery(failing, func(context.Context) error { return nil }, NoneGoOn, run, w.clock, hclog.NewNullLogger())
		done := make(chan error, 1)
		go func() { done <- r.Run(ctx) }()
		w.must(w.clock.BlockUntilContext(ctx, 1)) // the pause after the first attempt
		if reachable {
			failing.after = 1 // synchronized by the clock
			w.clock.Advance(time.Minute)
			<-r.Done()
		}
		cancel()
		w.must(<-done)
	}
	w.balanced(1)
}

// MS7, BL4, BL6, BL7: whatever order stays begin and end in, whenever the store is away and
// the node dies: each stay that began has one record, the balance is the sum of the
// entries, and is never further below zero than the offline credit.
func TestIslandWithCrashes(t *testing.T) {
	db, dir := openSQLite(t), t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		own := fmt.Sprint(dir, "/", store.NewCallID())
		m := &castaway{island: newIsland(t, db, own, money.Amount(rapid.Int64Range(0, 3_000_000).Draw(t, "balance")),
			money.Amount(rapid.Int64Range(0, 1_000_000).Draw(t, "limit")))}
		m.flaky.budget = 50 * time.Millisecond
		actions := []func(*rapid.T){m.begin, m.begin, m.begin, m.pass, m.pass, m.end, m.outage, m.outage, m.crash}
		for range rapid.IntRange(1, 25).Draw(t, "steps") {
			actions[rapid.IntRange(0, len(actions)-1).Draw(t, "action")](t)
		}
		m.flaky.away.Store(false)
		for len(m.open) > 0 {
			m.end(t)
		}
		m.delivered()
		m.stop()
		m.balanced(m.begun)
		if a := m.state(m.account.ID); a.Balance < -m.limit {
			t.Errorf("balance %s with an offline credit of %s", a.Balance, m.limit)
		}
	})
}

// castaway is stays on an island.
type castaway struct {
	*island
	open  []*Stay
	begun int
}

func (m *castaway) begin(*rapid.T) {
	s, err := m.join()
	switch {
	case err == nil:
		m.open = append(m.open, s)
		m.begun++
	case !errors.Is(err, store.ErrInsufficientFunds):
		m.t.Fatal(err)
	}
}

// pass lets time go by; who has to go is settled at once.
func (m *castaway) pass(t *rapid.T) {
	for until := m.clock.Now().Add(time.Duration(rapid.IntRange(1, 400).Draw(t, "seconds")) * time.Second); m.clock.Now().Before(until); {
		m.open = slices.DeleteFunc(m.open, func(s *Stay) bool {
			if !m.last(time.Nanosecond, s) {
				return false
			}
			s.Settle(m.clock.Now(), store.CauseFunds, nil)
			return true
		})
		m.clock.Advance(5 * time.Second)
	}
	m.must(m.journal.Heartbeat(context.Background(), m.run.Node, m.run.Incarnation, m.clock.Now()))
}

func (m *castaway) end(t *rapid.T) {
	if len(m.open) == 0 {
		return
	}
	k := rapid.IntRange(0, len(m.open)-1).Draw(t, "who")
	m.open[k].Settle(m.clock.Now(), store.CauseHangup, nil)
	m.open = slices.Delete(m.open, k, k+1)
}

// outage begins or ends one. When the store is back the copy is made anew, once the store
// knows everything, or not.
func (m *castaway) outage(t *rapid.T) {
	away := !m.flaky.away.Load()
	m.flaky.away.Store(away)
	if !away && rapid.Bool().Draw(t, "refreshed") {
		m.delivered()
		m.refresh()
	}
}

// crash: the process is gone. The next takes over when the store is back.
func (m *castaway) crash(*rapid.T) {
	ctx := context.Background()
	m.flaky.away.Store(true)
	m.stop()
	m.open = nil
	m.clock.Advance(time.Minute)
	m.live()
	m.flaky.away.Store(false)
	at := m.clock.Now().UTC()
	m.run = store.NodeRun{Place: m.run.Place, Incarnation: at.UnixMicro(), StartedAt: at}
	m.must(m.journal.StartRun(ctx, m.run))
	m.delivered()
	m.recover(Recover(ctx, m.db, m.run.Node, m.run.Incarnation, at, NoneGoOn, hclog.NewNullLogger()))
	m.conf.ID, m.conf.Incarnation, m.conf.Epoch, m.conf.StartedAt = store.NewConferenceID(), m.run.Incarnation, uint64(at.UnixMicro()), at
	m.must(m.db.OpenConference(ctx, m.conf))
	m.refresh()
}
