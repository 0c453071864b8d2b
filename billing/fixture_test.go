package billing

import (
	"context"
	"errors"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/jonboulle/clockwork"
	"go.uber.org/goleak"

	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/money"
	"github.com/conclave-voice/conclave/store/sqlstore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// tester is what testing.T and rapid.T have in common.
type tester interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
	Errorf(string, ...any)
}

var errAway = errors.New("the database is away")

// flaky is a real store whose answers can be lost on the way.
type flaky struct {
	*sqlstore.Store
	budget time.Duration // of a question of the journal's
	away   atomic.Bool   // nothing reaches it
	deaf   atomic.Bool   // BeginStay and SettleStay reach it, the answer is lost
}

func (f *flaky) BeginStay(ctx context.Context, p store.Participant, amount money.Amount) error {
	if f.away.Load() {
		return errAway
	}
	err := f.Store.BeginStay(ctx, p, amount)
	if f.deaf.Load() {
		return errAway
	}
	return err
}

func (f *flaky) ExtendReservation(ctx context.Context, id store.ParticipantID, total money.Amount) error {
	if f.away.Load() {
		return errAway
	}
	return f.Store.ExtendReservation(ctx, id, total)
}

func (f *flaky) SettleStay(ctx context.Context, x store.XDR) (bool, error) {
	if f.away.Load() {
		return false, errAway
	}
	settled, err := f.Store.SettleStay(ctx, x)
	if f.deaf.Load() {
		return false, errAway
	}
	return settled, err
}

func (f *flaky) Heartbeat(ctx context.Context, node string, incarnation int64, at time.Time) error {
	if f.away.Load() {
		return errAway
	}
	return f.Store.Heartbeat(ctx, node, incarnation, at)
}

// world is a customer with an account, a number, a room, and a node in a real database.
type world struct {
	t       tester
	db      *sqlstore.Store
	flaky   *flaky
	clock   *clockwork.FakeClock
	number  store.AccessNumber
	account store.Account
	room    store.Room
	conf    store.Conference
	run     store.NodeRun
	service *Service
	cancel  context.CancelFunc
	done    chan error
}

func openSQLite(t testing.TB) *sqlstore.Store { return openDB(t, filepath.Join(t.TempDir(), "x.db")) }

func openDB(t testing.TB, dsn string) *sqlstore.Store {
	t.Helper()
	db, err := sqlstore.Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return db
}

// newWorld adds one to the database. Names are made of ids: many fit into one.
func newWorld(t tester, db *sqlstore.Store, rate store.Rate, balance, credit money.Amount) *world {
	t.Helper()
	w := &world{t: t, db: db, flaky: &flaky{Store: db}, clock: clockwork.NewFakeClockAt(began)}
	ctx := context.Background()
	customer := store.Customer{ID: store.NewCustomerID(), CreatedAt: began}
	customer.Name = string(customer.ID)
	w.must(db.CreateCustomer(ctx, customer))
	tariff := store.Tariff{ID: store.NewTariffID(), Currency: "EUR"}
	tariff.Name = string(tariff.ID)
	w.must(db.CreateTariff(ctx, tariff))
	rate.TariffID, rate.Service = tariff.ID, store.ServiceConferencing
	w.must(db.PutRate(ctx, rate))
	id := store.NewAccountID()
	w.must(db.CreateAccount(ctx, store.Account{ID: id, CustomerID: customer.ID, Name: string(id), Currency: "EUR",
		TariffID: tariff.ID, Balance: balance, CreditLimit: credit, CreatedAt: began}, "test"))
	w.account = w.state(id)
	w.number = store.AccessNumber{ID: store.NewAccessNumberID(), Application: store.ApplicationConference, CodeSpace: string(id), Language: "en"}
	w.number.Number = digits(string(w.number.ID))
	w.must(db.CreateAccessNumber(ctx, w.number))
	room, err := db.CreateRoom(ctx, store.Room{ID: store.NewRoomID(), CustomerID: customer.ID, AccountID: id, Name: "board", CodeSpace: string(id),
		HomeSite: "a", GuestRole: store.RoleSpeaker, EntrySound: store.SoundTone, ExitSound: store.SoundTone, CreatedAt: began, UpdatedAt: began}, 6)
	w.must(err)
	w.room = room
	w.start(began)
	return w
}

// digits makes an access number of an id.
func digits(id string) string {
	var out []byte
	for _, c := range []byte(id) {
		if c != '-' {
			out = append(out, '0'+c%10)
		}
	}
	return string(out)
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) recover(left int, err error) {
	w.t.Helper()
	if w.must(err); left != 0 {
		w.t.Errorf("%d stays are left open", left)
	}
}

func (w *world) state(id store.AccountID) store.Account {
	w.t.Helper()
	a, err := w.db.Account(context.Background(), store.Scope{}, id)
	w.must(err)
	return a
}

// start begins a run of the node, with a conference.
func (w *world) start(at time.Time) {
	w.t.Helper()
	ctx := context.Background()
	w.run = store.NodeRun{Place: store.Place{Site: "a", Node: "node-" + string(w.account.ID)}, Incarnation: at.UnixMicro(), StartedAt: at}
	w.must(w.db.StartRun(ctx, w.run))
	w.recover(Recover(ctx, w.db, w.run.Node, w.run.Incarnation, at, NoneGoOn, hclog.NewNullLogger()))
	w.conf = store.Conference{ID: store.NewConferenceID(), RoomID: w.room.ID, CustomerID: w.account.CustomerID, AccountID: w.account.ID, RoomName: "board",
		Kind: store.KindMain, Focus: w.run.Place, Incarnation: w.run.Incarnation, Epoch: uint64(at.UnixMicro()), StartedAt: at}
	w.must(w.db.OpenConference(ctx, w.conf))
	w.flaky = &flaky{Store: w.db}
	w.service = NewService(w.flaky, DefaultPolicy(), w.clock, hclog.NewNullLogger())
	running, cancel := context.WithCancel(ctx)
	w.cancel, w.done = cancel, make(chan error, 1)
	go func(s *Service, done chan error) { done <- s.Run(running) }(w.service, w.done)
}

// stop ends the service, as an orderly stop or, with the store away, as a crash would.
func (w *world) stop() {
	w.t.Helper()
	if !w.flaky.away.Load() && !w.flaky.deaf.Load() {
		w.settled() // the clock below runs ahead of the database
	}
	w.cancel()
	for {
		select {
		case err := <-w.done:
			w.must(err)
			return
		default:
			w.clock.Advance(100 * time.Millisecond)
			runtime.Gosched()
		}
	}
}

// settled waits until the settler has nothing left.
func (w *world) settled() {
	for w.service.Unsettled() > 0 {
		w.clock.Advance(100 * time.Millisecond)
		runtime.Gosched()
	}
}

func (w *world) participant() store.Participant {
	return store.Participant{ID: store.NewParticipantID(), ConferenceID: w.conf.ID, RoomID: w.room.ID, CustomerID: w.account.CustomerID,
		AccountID: w.account.ID, CallID: store.NewCallID(), Role: store.RoleSpeaker, Caller: "alice", Called: w.number.Number,
		Ingress: w.run.Place, Focus: w.run.Place, Incarnation: w.run.Incarnation, Epoch: w.conf.Epoch, JoinedAt: w.clock.Now().UTC()}
}

func (w *world) join() (*Stay, error) {
	return w.service.AuthorizeStay(context.Background(), w.participant(), w.number, w.room.Name)
}

func (w *world) xdrs() []store.XDR {
	w.t.Helper()
	all, err := w.db.ListXDRs(context.Background(), store.Scope{}, store.XDRFilter{AccountID: w.account.ID}, store.Page{Limit: 1000})
	w.must(err)
	return all
}

// balanced checks that everything adds up when no stay is open.
func (w *world) balanced(stays int) {
	w.t.Helper()
	a := w.state(w.account.ID)
	d, ok, err := NewLedger(w.db, w.clock).verify(context.Background(), a.ID)
	if err != nil || !ok {
		w.t.Errorf("%+v, %v", d, err)
	}
	if a.Reserved != 0 {
		w.t.Errorf("%s still reserved", a.Reserved)
	}
	var cost money.Amount
	all := w.xdrs()
	for _, x := range all {
		cost += x.Amount
	}
	if len(all) != stays || w.account.Balance-a.Balance != cost {
		w.t.Errorf("%d records of %d stays, cost %s, balance from %s to %s", len(all), stays, cost, w.account.Balance, a.Balance)
	}
}
