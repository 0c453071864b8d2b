package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/money"
	"github.com/conclave-voice/conclave/testenv/postgres"
)

var t0 = time.Date(2026, 1, 2, 15, 4, 5, 123456000, time.UTC)

// world is an account with a room that has an open conference.
type world struct {
	s          *Store
	account    store.Account
	room       store.Room
	conference store.Conference
}

func newWorld(t testing.TB, s *Store) *world {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx := t.Context()
	customer := store.Customer{ID: store.NewCustomerID(), CreatedAt: t0}
	customer.Name = string(customer.ID)
	must(s.CreateCustomer(ctx, customer))
	tariff := store.Tariff{ID: store.NewTariffID(), Currency: "USD"}
	tariff.Name = string(tariff.ID)
	must(s.CreateTariff(ctx, tariff))
	w := &world{s: s, account: store.Account{ID: store.NewAccountID(), CustomerID: customer.ID, Name: string(customer.ID),
		Currency: "USD", TariffID: tariff.ID, Balance: 1_000_000 * money.Unit, CreatedAt: t0}}
	must(s.CreateAccount(ctx, w.account, "test"))
	var err error
	w.room, err = s.CreateRoom(ctx, w.newRoom(), 8)
	must(err)
	w.conference = store.Conference{ID: store.NewConferenceID(), RoomID: w.room.ID, CustomerID: customer.ID, AccountID: w.account.ID,
		Kind: store.KindMain, Epoch: 1, StartedAt: t0}
	must(s.OpenConference(ctx, w.conference))
	return w
}

func (w *world) newRoom() store.Room {
	return store.Room{ID: store.NewRoomID(), CustomerID: w.account.CustomerID, AccountID: w.account.ID, Name: "room", CodeSpace: "space",
		GuestRole: store.RoleSpeaker, EntrySound: store.SoundTone, ExitSound: store.SoundTone, CreatedAt: t0, UpdatedAt: t0}
}

func (w *world) newStay() store.Participant {
	return store.Participant{ID: store.NewParticipantID(), ConferenceID: w.conference.ID, RoomID: w.room.ID, CustomerID: w.account.CustomerID,
		AccountID: w.account.ID, Role: store.RoleSpeaker, JoinedAt: t0, Currency: "USD"}
}

func settlement(p store.Participant) store.XDR {
	return store.XDR{ID: p.ID, ConferenceID: p.ConferenceID, RoomID: p.RoomID, CustomerID: p.CustomerID, AccountID: p.AccountID,
		Service: store.ServiceConferencing, StartedAt: t0, EndedAt: t0.Add(time.Minute), Duration: time.Minute, Billed: time.Minute,
		Amount: money.Unit, Currency: "USD", RecordedAt: t0.Add(time.Minute)}
}

// BL6: the connection breaks at COMMIT, before it or after it took effect. Every write
// is done once and gives the answer of the one who did it.
func TestLostCommit(t *testing.T) {
	cutter, dsn := newCutter(t, postgres.Start(t))
	w := newWorld(t, openMigrated(t, dsn))
	ctx := t.Context()
	stay := func(t *testing.T) store.Participant {
		p := w.newStay()
		if err := w.s.BeginStay(ctx, p, money.Unit); err != nil {
			t.Fatal(err)
		}
		return p
	}
	writes := map[string]func(t *testing.T) func() error{
		"SettleStay": func(t *testing.T) func() error {
			p := stay(t)
			return func() error { return yes(w.s.SettleStay(ctx, settlement(p))) }
		},
		"BeginStay": func(*testing.T) func() error {
			p := w.newStay()
			return func() error { return w.s.BeginStay(ctx, p, money.Unit) }
		},
		"ExtendReservation": func(t *testing.T) func() error {
			p := stay(t)
			return func() error { return w.s.ExtendReservation(ctx, p.ID, 3*money.Unit) }
		},
		"PostEntry": func(*testing.T) func() error {
			e := store.LedgerEntry{ID: store.NewEntryID(), AccountID: w.account.ID, At: t0, Kind: store.EntryTopUp, Amount: 1, Author: "ann"}
			return func() error { _, err := w.s.PostEntry(ctx, e); return err }
		},
		"CreateRoom": func(*testing.T) func() error {
			r := w.newRoom()
			return func() error {
				made, err := w.s.CreateRoom(ctx, r, 8)
				return same(made, err, func() (store.Room, error) { return w.s.Room(ctx, store.Scope{}, r.ID) })
			}
		},
		"UpdateRoom": func(*testing.T) func() error {
			r, err := w.s.CreateRoom(ctx, w.newRoom(), 8)
			r.Name, r.UpdatedAt = "changed", t0.Add(time.Hour)
			return func() error {
				changed, updateErr := w.s.UpdateRoom(ctx, store.Scope{}, r)
				return same(changed, errors.Join(err, updateErr), func() (store.Room, error) { return w.s.Room(ctx, store.Scope{}, r.ID) })
			}
		},
		"DeleteRoom": func(t *testing.T) func() error {
			r, err := w.s.CreateRoom(ctx, w.newRoom(), 8)
			return func() error { return errors.Join(err, w.s.DeleteRoom(ctx, store.Scope{}, r.ID)) }
		},
		"Once": func(t *testing.T) func() error {
			return func() error {
				return yes(w.s.Once(ctx, t.Name(), func(ctx context.Context, tx store.Store) error {
					_, err := tx.PostEntry(ctx, store.LedgerEntry{ID: store.NewEntryID(), AccountID: w.account.ID, At: t0, Kind: store.EntryTopUp, Amount: 1})
					return err
				}))
			}
		},
	}
	for name, prepare := range writes {
		for where, cut := range map[string]cutting{"before": before, "after": after} {
			t.Run(name+"/"+where, func(t *testing.T) {
				write := prepare(t)
				cutter.cut.Store(cut)
				commits := cutter.commits.Load()
				if err := write(); err != nil {
					t.Error(err)
				}
				if n := cutter.commits.Load() - commits; n != 2 {
					t.Errorf("%d commits, want one that is lost and one that is not", n)
				}
			})
		}
	}
	w.consistent(t)
}

func yes(ok bool, err error) error {
	if err == nil && !ok {
		return errors.New("the answer is that somebody else did it")
	}
	return err
}

func same(got store.Room, err error, read func() (store.Room, error)) error {
	if err != nil {
		return err
	}
	if kept, err := read(); err != nil || !reflect.DeepEqual(got, kept) {
		return fmt.Errorf("returned %+v, kept %+v, %w", got, kept, err)
	}
	return nil
}

// consistent checks the account's invariants.
func (w *world) consistent(t *testing.T) {
	t.Helper()
	a, err := w.s.Account(t.Context(), store.Scope{}, w.account.ID)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := w.s.ListEntries(t.Context(), store.Scope{}, a.ID, store.Page{Limit: 1000})
	var sum money.Amount
	for _, e := range entries {
		sum += e.Amount
	}
	open, openErr := w.s.OpenReservations(t.Context(), a.ID)
	if err != nil || openErr != nil || sum != a.Balance || open != a.Reserved {
		t.Errorf("balance %s, entries %s; reserved %s, open stays %s; %v %v", a.Balance, sum, a.Reserved, open, err, openErr)
	}
}

// Two transactions each read what the other writes. On PostgreSQL the loser learns of
// it at COMMIT, whose error a loop over savepoints would drop (write skew).
func TestWriteSkew(t *testing.T) {
	s := openMigrated(t, postgres.Start(t))
	var met sync.WaitGroup
	met.Add(2)
	var runs, inserted atomic.Int64
	var wg sync.WaitGroup
	for i := range 2 {
		wg.Go(func() {
			first := true
			did := false
			err := s.transact(t.Context(), "skew", func(q tx) error {
				runs.Add(1)
				did = false
				n, err := count(t.Context(), q, "SELECT COUNT(*) FROM once")
				if err != nil {
					return err
				}
				if first { // both have read before either writes
					first = false
					met.Done()
					met.Wait()
				}
				if n > 0 {
					return nil
				}
				did = true
				_, err = insert(t.Context(), q, "once", "name, run, done_at", "", fmt.Sprint("writer ", i), "", 0)
				return err
			})
			if err != nil {
				t.Error(err)
			}
			if did {
				inserted.Add(1)
			}
		})
	}
	wg.Wait()
	n, err := count(t.Context(), s.read, "SELECT COUNT(*) FROM once")
	if err != nil || n != 1 || inserted.Load() != 1 || runs.Load() != 3 {
		t.Errorf("%d rows, %d say that they wrote one, %d runs, %v", n, inserted.Load(), runs.Load(), err)
	}
}

// Trying again is bounded by ctx, and for broken connections by number; what will not
// change is not tried again.
func TestRetries(t *testing.T) {
	s := &Store{logger: hclog.NewNullLogger(), dialect: dialect{classify: func(error) class { return other }}}
	broken := errors.New("broken")
	for _, c := range []struct {
		class class
		want  int
	}{{other, 1}, {uniqueViolation, 1}, {connectionLost, 1 + lostMost}} {
		tries := 0
		err := s.retry(t.Context(), "test", func() (class, error) { tries++; return c.class, broken })
		if tries != c.want || !errors.Is(err, broken) {
			t.Errorf("class %d: %d attempts, %v", c.class, tries, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	tries := 0
	err := s.retry(ctx, "test", func() (class, error) {
		if tries++; tries == 5 {
			cancel()
		}
		return raceLost, broken
	})
	if tries != 5 || !errors.Is(err, broken) {
		t.Errorf("%d attempts, %v", tries, err)
	}
}

// A writer that waits for another gives up with its ctx.
func TestWaitingForTheWriterEndsWithContext(t *testing.T) {
	s := openMigrated(t, sqliteDSN(t))
	ctx, cancel := context.WithCancel(t.Context())
	_, err := s.Once(t.Context(), "hold", func(context.Context, store.Store) error {
		time.AfterFunc(time.Millisecond, cancel)
		err := s.CreateCustomer(ctx, store.Customer{ID: store.NewCustomerID(), Name: "waits"})
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// A server that is away is an error at once, not a call that hangs.
func TestServerAway(t *testing.T) {
	cutter, dsn := newCutter(t, postgres.Start(t))
	s := openMigrated(t, dsn)
	cutter.listener.Close()
	s.write.SetMaxIdleConns(0) // drops what is connected
	err := s.CreateCustomer(t.Context(), store.Customer{ID: store.NewCustomerID(), Name: "x"})
	if err == nil || !strings.Contains(err.Error(), "refused") {
		t.Error(err)
	}
}
