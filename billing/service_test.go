package billing

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/money"
)

// CA2: a called number is an access number, or unknown.
func TestAuthorizeNumber(t *testing.T) {
	w := newWorld(t, openSQLite(t), byMinute, money.Unit, 0)
	defer w.stop()
	for _, called := range []string{w.number.Number, "+" + w.number.Number} {
		if n, err := w.service.AuthorizeNumber(t.Context(), called); err != nil || n.ID != w.number.ID {
			t.Errorf("%+v, %v", n, err)
		}
	}
	for _, called := range []string{"", "+", "4711", "' OR 1=1"} {
		if _, err := w.service.AuthorizeNumber(t.Context(), called); !errors.Is(err, ErrUnknownNumber) {
			t.Errorf("%q: %v", called, err)
		}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.service.AuthorizeNumber(gone, w.number.Number); err == nil || errors.Is(err, ErrUnknownNumber) {
		t.Errorf("a store that cannot be asked: %v", err)
	}
}

// BL2, BL6, CA7: three stays of 30, 25 and 20 minutes at 0.03 are three records of
// 0.90, 0.75 and 0.60, and the account has paid 2.25.
func TestThreeStays(t *testing.T) {
	w := newWorld(t, openSQLite(t), byMinute, 100*money.Unit, 0)
	want := []struct {
		minutes time.Duration
		amount  string
	}{{20, "0.60"}, {25, "0.75"}, {30, "0.90"}}
	var stays []*Stay
	for range want {
		s, err := w.join()
		w.must(err)
		if s.MaxDuration() != 5*time.Minute || s.Participant.Currency != "EUR" || s.Participant.Rate.PerMinute != byMinute.PerMinute {
			t.Errorf("%v, %+v", s.MaxDuration(), s.Participant)
		}
		stays = append(stays, s)
	}
	if a := w.state(w.account.ID); a.Reserved != money.MustParse("0.45") {
		t.Errorf("reserved %s", a.Reserved)
	}
	for i, c := range want {
		end := began.Add(c.minutes * time.Minute)
		for w.clock.Now().Before(end) {
			w.clock.Advance(10 * time.Second)
			for _, s := range stays[i:] {
				if a := s.Tick(t.Context(), w.clock.Now()); a.Kind != Nothing {
					t.Fatalf("told %+v", a)
				}
			}
		}
		x := stays[i].Settle(w.clock.Now(), store.CauseHangup, []byte(`{"mos":4.3}`))
		if x.Amount != money.MustParse(c.amount) {
			t.Errorf("%v minutes cost %s", c.minutes, x.Amount)
		}
	}
	w.stop()
	w.balanced(3)
	for i, x := range w.xdrs() {
		if x.Amount != money.MustParse(want[i].amount) || x.Duration != want[i].minutes*time.Minute || x.Billed != x.Duration ||
			x.RoomName != "board" || x.Cause != store.CauseHangup || !x.EndedAt.Equal(x.StartedAt.Add(x.Duration)) || string(x.Quality) != `{"mos":4.3}` {
			t.Errorf("record %+v", x)
		}
	}
}

// CA5: each refusal has its error, and leaves nothing behind.
func TestRefusals(t *testing.T) {
	w := newWorld(t, openSQLite(t), byMinute, 20_000, 0)
	ctx := t.Context()
	if _, err := w.join(); !errors.Is(err, store.ErrInsufficientFunds) {
		t.Errorf("less than the first interval: %v", err)
	}
	foreign := w.number
	foreign.CustomerID = store.NewCustomerID()
	if _, err := w.service.AuthorizeStay(ctx, w.participant(), foreign, ""); !errors.Is(err, ErrNotAllowed) {
		t.Errorf("another customer's number: %v", err)
	}
	nobody := w.participant()
	nobody.AccountID = store.NewAccountID()
	if _, err := w.service.AuthorizeStay(ctx, nobody, w.number, ""); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("no account: %v", err)
	}
	w.must(w.db.SetAccountLimits(ctx, store.Scope{}, w.account.ID, 10_000, 0, true))
	if _, err := w.join(); !errors.Is(err, ErrBlocked) {
		t.Errorf("blocked: %v", err)
	}
	w.must(w.db.SetAccountLimits(ctx, store.Scope{}, w.account.ID, 10_000, 0, false))
	own := w.number
	own.CustomerID = w.account.CustomerID
	s, err := w.service.AuthorizeStay(ctx, w.participant(), own, "")
	if err != nil || s.MaxDuration() != time.Minute {
		t.Fatalf("the first interval on credit, on the customer's own number: %v", err)
	}
	s.Void(w.clock.Now(), store.CauseLimit)
	w.stop()
	w.balanced(1)
}

func TestNoRateIsNotAllowed(t *testing.T) {
	w := newWorld(t, openSQLite(t), store.Rate{AccessNumber: "1", First: time.Second, Next: time.Second}, money.Unit, 0)
	defer w.stop()
	if _, err := w.join(); !errors.Is(err, ErrNotAllowed) {
		t.Error(err)
	}
}

// BL4: the share is as much as there is money for.
func TestFirstShareFitsTheFunds(t *testing.T) {
	w := newWorld(t, openSQLite(t), byMinute, 100_000, 0) // 3 minutes and a bit
	s, err := w.join()
	w.must(err)
	for a := s.Tick(t.Context(), w.clock.Now()); a.Kind != Nothing; a = s.Tick(t.Context(), w.clock.Now()) {
		t.Errorf("told %+v", a)
	}
	for w.clock.Now().Before(began.Add(90 * time.Second)) {
		w.clock.Advance(10 * time.Second)
		s.Tick(t.Context(), w.clock.Now())
	}
	if s.MaxDuration() != 3*time.Minute {
		t.Errorf("may last %v", s.MaxDuration())
	}
	if _, err := w.join(); !errors.Is(err, store.ErrInsufficientFunds) {
		t.Errorf("a second stay on the same money: %v", err)
	}
	s.Settle(w.clock.Now(), store.CauseHangup, nil)
	w.stop()
	w.balanced(1)
}

// A node that was late to release a stay does not charge for it.
func TestLateReleaseIsNotCharged(t *testing.T) {
	w := newWorld(t, openSQLite(t), byMinute, 60_000, 0)
	s, err := w.join()
	w.must(err)
	w.clock.Advance(5 * time.Minute)
	var told []ActionKind
	for a := s.Tick(t.Context(), w.clock.Now()); a.Kind != Nothing; a = s.Tick(t.Context(), w.clock.Now()) {
		told = append(told, a.Kind)
	}
	x := s.Settle(w.clock.Now().Add(20*time.Second), store.CauseFunds, nil)
	if len(told) != 1 || told[0] != End || x.Duration != s.MaxDuration() || x.Amount > 60_000 {
		t.Errorf("told %v, %v for %s", told, x.Duration, x.Amount)
	}
	w.stop()
	w.balanced(1)
	if a := w.state(w.account.ID); a.Balance < 0 {
		t.Errorf("balance %s", a.Balance)
	}
}

// An outage does not end a call; what it cost is charged, and counted.
func TestOfflineAllowance(t *testing.T) {
	w := newWorld(t, openSQLite(t), byMinute, 150_000, 0)
	s, err := w.join()
	w.must(err)
	w.flaky.away.Store(true)
	for w.clock.Now().Before(began.Add(7 * time.Minute)) {
		w.clock.Advance(5 * time.Second)
		if a := s.Tick(t.Context(), w.clock.Now()); a.Kind != Nothing {
			t.Fatalf("told %+v", a)
		}
	}
	if w.service.Stats().Offline != 1 {
		t.Errorf("%+v", w.service.Stats())
	}
	x := s.Settle(w.clock.Now(), store.CauseHangup, nil)
	w.flaky.away.Store(false)
	w.stop()
	w.balanced(1)
	if a := w.state(w.account.ID); x.Amount != 210_000 || a.Balance != -60_000 {
		t.Errorf("cost %s, balance %s", x.Amount, a.Balance)
	}
}

// A clock that was set back makes no negative stay.
func TestClockSetBack(t *testing.T) {
	w := newWorld(t, openSQLite(t), byMinute, money.Unit, 0)
	s, err := w.join()
	w.must(err)
	if x := s.Settle(began.Add(-time.Hour), store.CauseHangup, nil); x.Duration != 0 || x.Amount != 30_000 || x.EndedAt.Before(x.StartedAt) {
		t.Errorf("%+v", x)
	}
	w.stop()
	w.balanced(1)
}

// A stay whose beginning was recorded and the answer lost keeps no money.
func TestLostBeginningIsVoided(t *testing.T) {
	w := newWorld(t, openSQLite(t), byMinute, money.Unit, 0)
	w.flaky.deaf.Store(true)
	if _, err := w.join(); !errors.Is(err, errAway) {
		t.Fatal(err)
	}
	w.flaky.deaf.Store(false)
	w.flaky.away.Store(true) // and one that was never recorded
	if _, err := w.join(); !errors.Is(err, errAway) {
		t.Fatal(err)
	}
	w.flaky.away.Store(false)
	w.settled()
	w.stop()
	w.balanced(1)
	if s := w.service.Stats(); s.GivenUp != 0 || w.xdrs()[0].Amount != 0 || w.xdrs()[0].Cause != store.CauseError {
		t.Errorf("%+v, %+v", s, w.xdrs())
	}
}

// BL7: entries that people make, and what is wrong with some.
func TestLedger(t *testing.T) {
	w := newWorld(t, openSQLite(t), byMinute, money.Unit, 0)
	defer w.stop()
	l := NewLedger(w.db, w.clock)
	ctx := t.Context()
	id := store.NewEntryID()
	for range 2 {
		if e, err := l.TopUp(ctx, id, w.account.ID, 5*money.Unit, "cash", "ann"); err != nil || e.Balance != 6*money.Unit {
			t.Errorf("%+v, %v", e, err)
		}
	}
	if e, err := l.Adjust(ctx, "", w.account.ID, -2*money.Unit, "typed wrong", "ann"); err != nil || e.Balance != 4*money.Unit {
		t.Errorf("%+v, %v", e, err)
	}
	for i, err := range []error{
		second(l.TopUp(ctx, "", w.account.ID, 0, "", "ann")), second(l.TopUp(ctx, "", w.account.ID, -1, "", "ann")),
		second(l.TopUp(ctx, "", w.account.ID, 1, "", " ")), second(l.Adjust(ctx, "", w.account.ID, 1, "", "ann")),
		second(l.Adjust(ctx, "", w.account.ID, 0, "x", "ann")),
	} {
		if !errors.Is(err, ErrEntry) {
			t.Errorf("%d: %v", i, err)
		}
	}
	if wrong, err := l.Verify(ctx); err != nil || len(wrong) != 0 {
		t.Errorf("%+v, %v", wrong, err)
	}
	crooked := NewLedger(stolen{w.db}, w.clock)
	if wrong, err := crooked.Verify(ctx); err != nil || len(wrong) != 1 || wrong[0].Entries-wrong[0].Balance != 1 {
		t.Errorf("%+v, %v", wrong, err)
	}
}

func second[A any](_ A, err error) error { return err }

// stolen is a store one of whose balances lost a millionth.
type stolen struct{ LedgerStore }

func (s stolen) Account(ctx context.Context, sc store.Scope, id store.AccountID) (store.Account, error) {
	a, err := s.LedgerStore.Account(ctx, sc, id)
	a.Balance--
	return a, err
}

// The heart beats while the node lives, over failures, and then records the end.
func TestHeart(t *testing.T) {
	w := newWorld(t, openSQLite(t), byMinute, money.Unit, 0)
	defer w.stop()
	h := NewHeart(w.flaky, w.run, 5*time.Second, w.clock, hclog.NewNullLogger())
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	if err := w.clock.BlockUntilContext(ctx, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := w.join(); err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		w.flaky.away.Store(i == 1)
		w.clock.Advance(5 * time.Second)
		want := began.Add(time.Duration(i+1) * 5 * time.Second)
		for i != 1 && !w.lastSeen().Equal(want) {
			select {
			case err := <-done:
				t.Fatal(err)
			case <-t.Context().Done():
				t.Fatal("no heartbeat")
			default:
			}
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// lastSeen is the last heartbeat of the present run, as a later one would see it.
func (w *world) lastSeen() time.Time {
	stays, err := w.db.OpenStaysOfDeadRuns(context.Background(), w.run.Node, w.run.Incarnation+1)
	w.must(err)
	if len(stays) != 1 {
		w.t.Fatalf("%d open stays", len(stays))
	}
	return stays[0].LastSeen
}
