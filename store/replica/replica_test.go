package replica

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/jonboulle/clockwork"
	"go.uber.org/goleak"

	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/breaker"
	"github.com/conclave-voice/conclave/store/money"
	"github.com/conclave-voice/conclave/store/sqlstore"
	"github.com/conclave-voice/conclave/testenv/postgres"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// began is near the present: stores note changes with their own clock.
var began = time.Now().UTC().Truncate(time.Second)

// world is a store with one of everything.
type world struct {
	*testing.T
	source *sqlstore.Store
	number store.AccessNumber
	room   store.Room
	rate   store.Rate
	user   store.SIPUser
	rule   store.CallRule
	token  store.APIToken
	clock  *clockwork.FakeClock
	config Config
}

func newWorld(t *testing.T) *world {
	source, err := sqlstore.Open(t.Context(), postgres.Start(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { source.Close() })
	w := &world{T: t, source: source, clock: clockwork.NewFakeClockAt(began), config: DefaultConfig(filepath.Join(t.TempDir(), "copy", "copy.db"))}
	ctx := t.Context()
	w.must(source.Migrate(ctx))
	customer := store.Customer{ID: store.NewCustomerID(), Name: "acme", CreatedAt: began}
	w.must(source.CreateCustomer(ctx, customer))
	tariff := store.Tariff{ID: store.NewTariffID(), Name: "basic", Currency: "EUR"}
	w.must(source.CreateTariff(ctx, tariff))
	w.rate = store.Rate{TariffID: tariff.ID, Service: store.ServiceConferencing, PerMinute: 30_000, First: time.Minute, Next: time.Minute}
	w.must(source.PutRate(ctx, w.rate))
	account := store.Account{ID: store.NewAccountID(), CustomerID: customer.ID, Name: "conf1", Currency: "EUR", TariffID: tariff.ID, Balance: money.Unit, CreatedAt: began}
	w.must(source.CreateAccount(ctx, account, "test"))
	w.room, err = source.CreateRoom(ctx, store.Room{ID: store.NewRoomID(), CustomerID: customer.ID, AccountID: account.ID, Name: "board", CodeSpace: "space",
		GuestRole: store.RoleSpeaker, EntrySound: store.SoundTone, ExitSound: store.SoundTone, CreatedAt: began, UpdatedAt: began}, 6)
	w.must(err)
	w.number = store.AccessNumber{ID: store.NewAccessNumberID(), Number: "1866", Application: store.ApplicationConference, CodeSpace: "space"}
	w.must(source.CreateAccessNumber(ctx, w.number))
	w.rule = store.CallRule{ID: store.NewRuleID(), Position: 1, Action: store.RuleTrust}
	w.must(source.CreateCallRule(ctx, w.rule))
	hash := "0123456789abcdef0123456789abcdef"
	w.user = store.SIPUser{Realm: "r", Username: "ann", AccountID: account.ID, HA1MD5: hash, HA1SHA256: hash + hash}
	w.must(source.PutSIPUser(ctx, w.user))
	w.token = store.APIToken{ID: store.NewTokenID(), Name: "t", Hash: hash + hash, Role: store.TokenOperator, CreatedAt: began}
	w.must(source.CreateToken(ctx, w.token))
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) open() *Replica {
	w.Helper()
	r, err := Open(w.Context(), w.config, w.source, w.clock, hclog.NewNullLogger())
	w.must(err)
	w.Cleanup(func() { r.Close() })
	return r
}

// guard is a store that is there, or not.
type guard struct{ away bool }

var errAway = errors.New("away")

func (g *guard) Do(ctx context.Context, ask func(context.Context) error) error {
	if g.away {
		return errAway
	}
	return ask(ctx)
}

// everything is what a reader answers.
func everything(t *testing.T, w *world, r Reads) []any {
	t.Helper()
	ctx := t.Context()
	var list []any
	add := func(v any, err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
		list = append(list, v)
	}
	rules, err := r.ListCallRules(ctx)
	add(rules, err)
	user, err := r.SIPUser(ctx, "r", "ann")
	add(user, err)
	number, err := r.AccessNumberByNumber(ctx, "1866")
	add(number, err)
	match, err := r.RoomByCode(ctx, "space", w.room.HostCode)
	add(match, err)
	room, err := r.Room(ctx, store.Scope{}, w.room.ID)
	add(room, err)
	account, err := r.Account(ctx, store.Scope{}, w.room.AccountID)
	add(account, err)
	rate, err := r.RateFor(ctx, w.rate.TariffID, store.ServiceConferencing, "1866")
	add(rate, err)
	token, err := r.TokenByHash(ctx, w.token.Hash)
	add(token, err)
	return list
}

// MS7: without the store the copy gives the same answers, in this process and the next.
func TestReadsWithoutTheStore(t *testing.T) {
	w := newWorld(t)
	r := w.open()
	g := &guard{}
	reader := NewReader(w.source, r, g)
	want := everything(t, w, reader)
	g.away = true
	if _, err := reader.ListCallRules(t.Context()); !errors.Is(err, ErrNoCopy) || !errors.Is(err, errAway) {
		t.Errorf("without a copy: %v", err)
	}
	w.must(r.Refresh(t.Context(), true))
	if got := everything(t, w, reader); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v\nwant\n%+v", got, want)
	}
	if n := reader.Copied(); n != 8 {
		t.Errorf("%d answers from the copy", n)
	}
	w.must(r.Close())
	r = w.open()
	reader = NewReader(w.source, r, g)
	if got := everything(t, w, reader); !reflect.DeepEqual(got, want) {
		t.Errorf("after a restart %+v\nwant\n%+v", got, want)
	}
	if _, err := reader.RoomByCode(t.Context(), "space", "0000"); !errors.Is(err, store.ErrNotFound) || reader.Copied() != 9 {
		t.Errorf("a code that leads nowhere: %v", err)
	}
	w.clock.Advance(w.config.MaxAge + time.Second)
	if _, err := reader.ListCallRules(t.Context()); !errors.Is(err, ErrTooOld) {
		t.Errorf("an old copy: %v", err)
	}
	if age, ok := r.Age(); !ok || age != w.config.MaxAge+time.Second {
		t.Errorf("age %v", age)
	}
}

// MS7: what the store says counts, also that something is gone of which there is a copy.
func TestTheStoreCounts(t *testing.T) {
	w := newWorld(t)
	r := w.open()
	w.must(r.Refresh(t.Context(), true))
	reader := NewReader(w.source, r, &guard{})
	w.must(w.source.DeleteRoom(t.Context(), store.Scope{}, w.room.ID))
	if _, err := reader.RoomByCode(t.Context(), "space", w.room.HostCode); !errors.Is(err, store.ErrNotFound) || reader.Copied() != 0 {
		t.Errorf("%v, %d answers from the copy", err, reader.Copied())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := reader.ListCallRules(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// MS7: while it runs, the copy follows; while the store is away it says how old it is;
// then it follows again.
func TestRun(t *testing.T) {
	w := newWorld(t)
	r := w.open()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- r.Run(ctx) }()
	// until waits for what the next refreshes will bring.
	until := func(what string, ok func() bool) {
		t.Helper()
		for !ok() {
			if err := w.clock.BlockUntilContext(t.Context(), 1); err != nil {
				t.Fatal(what, err)
			}
			w.clock.Advance(w.config.Changes)
		}
	}
	until("whole at first", func() bool { return r.Usable() == nil })
	room := w.room
	room.HostCode = "987654"
	_, err := w.source.UpdateRoom(t.Context(), store.Scope{}, room)
	w.must(err)
	until("a new code", func() bool {
		_, err := r.copy.RoomByCode(t.Context(), "space", "987654")
		return err == nil
	})
	if _, err := w.source.PostEntry(t.Context(), store.LedgerEntry{ID: store.NewEntryID(), AccountID: room.AccountID, At: began, Kind: store.EntryTopUp, Amount: money.Unit}); err != nil {
		t.Error(err)
	}
	until("a balance", func() bool {
		a, err := r.copy.Account(t.Context(), store.Scope{}, room.AccountID)
		return err == nil && a.Balance == 2*money.Unit
	})
	before := r.CopiedAt()
	until("another reading of balances", func() bool { return r.CopiedAt().After(before) })
	if age, ok := r.Age(); !ok || age > 2*w.config.Changes {
		t.Errorf("age %v", age)
	}
	w.must(w.source.Close())
	until("a failure", func() bool { return r.Stats().Failing })
	w.clock.Advance(time.Hour)
	if age, ok := r.Age(); !ok || age < time.Hour {
		t.Errorf("age %v", age)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// MS7: a network that swallows answers does not hold the copy up for as long as a reading of
// everything may take.
func TestSilentStore(t *testing.T) {
	w := newWorld(t)
	dsn := postgres.Start(t)
	proxy := postgres.NewProxy(t, dsn)
	source, err := sqlstore.Open(t.Context(), proxy.DSN())
	w.must(err)
	t.Cleanup(func() { source.Close() })
	w.must(source.Migrate(t.Context()))
	w.source, w.config.Silence = source, 200*time.Millisecond
	r := w.open()
	proxy.Stall()
	if err := r.Refresh(t.Context(), true); err == nil || !strings.Contains(err.Error(), "nothing came") {
		t.Errorf("%v", err)
	}
	proxy.Heal()
	w.must(r.Close())
	w.config.Silence = time.Minute
	r = w.open()
	w.must(r.Refresh(t.Context(), true))
	w.must(r.Usable())
}

// A file that is no database does not keep the node from starting.
func TestUnusableFile(t *testing.T) {
	w := newWorld(t)
	w.must(os.MkdirAll(filepath.Dir(w.config.Path), 0o700))
	w.must(os.WriteFile(w.config.Path, []byte("this has never been a database, and is long enough to be none"), 0o600))
	r := w.open()
	if err := r.Usable(); !errors.Is(err, ErrNoCopy) {
		t.Errorf("%v", err)
	}
	w.must(r.Refresh(t.Context(), true))
	if kept, err := filepath.Glob(w.config.Path + ".unusable-*"); err != nil || len(kept) != 1 {
		t.Errorf("%v %v", kept, err)
	}
}

var _ Guard = (*breaker.Breaker)(nil)
