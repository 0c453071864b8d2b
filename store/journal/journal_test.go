package journal

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/jonboulle/clockwork"
	"go.uber.org/goleak"

	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/breaker"
	"github.com/conclave-voice/conclave/store/journal/wal"
	"github.com/conclave-voice/conclave/store/money"
	"github.com/conclave-voice/conclave/store/sqlstore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	t0      = time.Date(2026, 1, 2, 15, 4, 5, 123456000, time.UTC)
	errAway = errors.New("the store is away")
	_       = Guard((*breaker.Breaker)(nil))
)

// gate is a real store that can be away: for all, or by chance before or after a write.
type gate struct {
	*sqlstore.Store
	mu     sync.Mutex
	away   bool
	chance *rand.Rand
	never  func(store.ParticipantID) bool // SettleStay never succeeds

	batches atomic.Int64
}

func (g *gate) set(away bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.away = away
}

func (g *gate) Do(ctx context.Context, ask func(context.Context) error) error {
	g.mu.Lock()
	away := g.away
	g.mu.Unlock()
	if away {
		return errAway
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	return ask(ctx)
}

// through carries out a write, or loses it, or its answer.
func (g *gate) through(do func() error) error {
	g.mu.Lock()
	away, before, after := g.away, false, false
	if g.chance != nil {
		before, after = g.chance.IntN(5) == 0, g.chance.IntN(5) == 0
	}
	g.mu.Unlock()
	if away || before {
		return errAway
	}
	if err := do(); err != nil {
		return err
	}
	if after {
		return errAway
	}
	return nil
}

func (g *gate) OpenConference(ctx context.Context, c store.Conference) error {
	return g.through(func() error { return g.Store.OpenConference(ctx, c) })
}

func (g *gate) CloseConference(ctx context.Context, id store.ConferenceID, at time.Time, reason string) error {
	return g.through(func() error { return g.Store.CloseConference(ctx, id, at, reason) })
}

func (g *gate) AppendConferenceEvents(ctx context.Context, events []store.ConferenceEvent) error {
	return g.through(func() error { return g.Store.AppendConferenceEvents(ctx, events) })
}

func (g *gate) PutCall(ctx context.Context, c store.Call) error {
	return g.through(func() error { return g.Store.PutCall(ctx, c) })
}

func (g *gate) RecordStay(ctx context.Context, p store.Participant, total money.Amount) error {
	return g.through(func() error { return g.Store.RecordStay(ctx, p, total) })
}

func (g *gate) Heartbeat(ctx context.Context, node string, incarnation int64, at time.Time) error {
	return g.through(func() error { return g.Store.Heartbeat(ctx, node, incarnation, at) })
}

func (g *gate) SettleStay(ctx context.Context, x store.XDR) (settled bool, err error) {
	if g.never != nil && g.never(x.ID) {
		return false, errAway
	}
	err = g.through(func() error { settled, err = g.Store.SettleStay(ctx, x); return err })
	return settled, err
}

func (g *gate) Deliver(ctx context.Context, b store.Batch) error {
	if g.never != nil && slices.ContainsFunc(b.Ends, func(x store.XDR) bool { return g.never(x.ID) }) {
		return errAway
	}
	return g.through(func() error { g.batches.Add(1); return g.Store.Deliver(ctx, b) })
}

// world is a journal over a real store with an account and a room.
type world struct {
	*testing.T
	*gate
	clock      *clockwork.FakeClock
	config     Config
	account    store.Account
	room       store.Room
	journal    *Journal
	stop       func()
	superseded []store.ConferenceID
}

func newWorld(t *testing.T) *world {
	db, err := sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	w := &world{T: t, gate: &gate{Store: db}, clock: clockwork.NewFakeClockAt(t0)}
	w.config = Config{Config: wal.Config{Dir: t.TempDir(), SegmentBytes: 16 << 10}, Superseded: func(c store.Conference) { w.superseded = append(w.superseded, c.ID) }}
	ctx := t.Context()
	w.must(db.Migrate(ctx))
	customer := store.Customer{ID: store.NewCustomerID(), Name: "c", CreatedAt: t0}
	w.must(db.CreateCustomer(ctx, customer))
	tariff := store.Tariff{ID: store.NewTariffID(), Name: "t", Currency: "EUR"}
	w.must(db.CreateTariff(ctx, tariff))
	w.account = store.Account{ID: store.NewAccountID(), CustomerID: customer.ID, Name: "a", Currency: "EUR", TariffID: tariff.ID, Balance: 1000 * money.Unit}
	w.must(db.CreateAccount(ctx, w.account, "test"))
	w.room, err = db.CreateRoom(ctx, store.Room{ID: store.NewRoomID(), CustomerID: customer.ID, AccountID: w.account.ID, Name: "r", CodeSpace: "s",
		GuestRole: store.RoleSpeaker, EntrySound: store.SoundTone, ExitSound: store.SoundTone}, 6)
	w.must(err)
	w.open()
	t.Cleanup(func() { w.stop() })
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// open opens the journal, as the start of a node does, and does not run it.
func (w *world) open() {
	w.Helper()
	var err error
	w.journal, err = Open(w.config, w.gate, w.gate, w.clock, hclog.NewNullLogger())
	w.must(err)
	w.stop = func() {
		w.stop = func() {}
		w.must(w.journal.Close())
	}
}

// run delivers until stop.
func (w *world) run() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- w.journal.Run(ctx) }()
	w.stop = func() {
		w.stop = func() {}
		cancel()
		w.until(func() bool {
			select {
			case err := <-done:
				w.must(err)
				return true
			default:
				return false
			}
		})
		w.must(w.journal.Close())
	}
}

// until lets time pass until something is so.
func (w *world) until(ok func() bool) {
	w.Helper()
	patience := time.After(time.Minute)
	for !ok() {
		select {
		case <-patience:
			w.Fatalf("not within a minute: %+v", w.journal.Stats())
		case <-time.After(time.Millisecond):
			w.clock.Advance(100 * time.Millisecond)
		}
	}
}

func (w *world) empty() bool { return w.journal.Stats().Waiting == 0 }

func (w *world) conference(epoch uint64) store.Conference {
	return store.Conference{ID: store.NewConferenceID(), RoomID: w.room.ID, CustomerID: w.account.CustomerID, AccountID: w.account.ID,
		RoomName: "r", Kind: store.KindMain, Epoch: epoch, StartedAt: t0}
}

func (w *world) stay(c store.Conference) (store.Participant, store.XDR) {
	p := store.Participant{ID: store.NewParticipantID(), ConferenceID: c.ID, RoomID: c.RoomID, CustomerID: c.CustomerID, AccountID: c.AccountID,
		Role: store.RoleSpeaker, JoinedAt: t0, Currency: "EUR"}
	return p, store.XDR{ID: p.ID, ConferenceID: c.ID, RoomID: c.RoomID, CustomerID: c.CustomerID, AccountID: c.AccountID, Service: store.ServiceConferencing,
		StartedAt: t0, EndedAt: t0.Add(time.Minute), Amount: money.Unit, Currency: "EUR", RecordedAt: t0}
}

// xdrs counts the records in the store, and checks the account's money.
func (w *world) xdrs() int {
	w.Helper()
	all, err := w.Store.ListXDRs(w.Context(), store.Scope{}, store.XDRFilter{}, store.Page{Limit: 1000})
	w.must(err)
	a, err := w.Store.Account(w.Context(), store.Scope{}, w.account.ID)
	w.must(err)
	entries, err := w.Store.ListEntries(w.Context(), store.Scope{}, a.ID, store.Page{Limit: 1000})
	w.must(err)
	var sum money.Amount
	for _, e := range entries {
		sum += e.Amount
	}
	if sum != a.Balance || a.Reserved != 0 || a.Balance != 1000*money.Unit-money.Amount(len(all))*money.Unit {
		w.Errorf("balance %s, entries %s, reserved %s, %d records of 1", a.Balance, sum, a.Reserved, len(all))
	}
	return len(all)
}

// MS7, BL6: conferences begin and end while the store fails by chance, before and after
// it has written; the node is restarted again and again. Everything arrives, once.
func TestEverythingArrivesOnce(t *testing.T) {
	w := newWorld(t)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	w.gate.chance = rand.New(rand.NewPCG(seed, 0))
	ctx := t.Context()
	const lives, conferences, stays = 6, 4, 5
	for life := range lives {
		w.set(life%2 == 1) // every second run is without the store
		w.run()
		w.must(w.journal.StartRun(ctx, store.NodeRun{Place: store.Place{Node: "n"}, Incarnation: int64(life), StartedAt: t0}))
		for range conferences {
			c := w.conference(uint64(1 + life))
			w.must(w.journal.OpenConference(ctx, c))
			for i := range stays {
				p, x := w.stay(c)
				w.must(w.journal.RecordStay(ctx, p, money.Unit/2))
				w.must(w.journal.AppendConferenceEvents(ctx, []store.ConferenceEvent{{ConferenceID: c.ID, Seq: int64(i + 1), At: t0, Kind: "joined"}}))
				if _, err := w.journal.SettleStay(ctx, x); err != nil {
					t.Fatal(err)
				}
			}
			w.must(w.journal.CloseConference(ctx, c.ID, t0.Add(time.Hour), "empty"))
			call := store.Call{ID: store.NewCallID(), StartedAt: t0}
			w.must(w.journal.PutCall(ctx, call))
			call.EndedAt = t0.Add(time.Minute)
			w.must(w.journal.PutCall(ctx, call))
			w.must(w.journal.AppendCallSteps(ctx, []store.CallStep{{CallID: call.ID, Seq: 1, At: t0, Step: "end"}}))
			w.must(w.journal.Heartbeat(ctx, "n", int64(life), t0.Add(time.Minute)))
		}
		w.stop()
		w.open()
	}
	w.set(false)
	w.run()
	w.until(w.empty)
	if n := w.xdrs(); n != lives*conferences*stays {
		t.Errorf("%d records of %d stays", n, lives*conferences*stays)
	}
	all, err := w.Store.ListConferences(ctx, store.Scope{}, "", true, store.Page{Limit: 1000})
	if err != nil || len(all) != lives*conferences {
		t.Errorf("%d conferences, %v", len(all), err)
	}
	for _, c := range all {
		events, err := w.Store.ConferenceEvents(ctx, store.Scope{}, c.ID, time.Time{})
		if err != nil || len(events) != stays || c.EndReason != "empty" {
			t.Errorf("%+v, %d events, %v", c, len(events), err)
		}
	}
	calls, err := w.Store.ListCalls(ctx, store.Scope{}, time.Time{}, time.Time{}, store.Page{Limit: 1000})
	if err != nil || len(calls) != lives*conferences || calls[0].EndedAt.IsZero() {
		t.Errorf("%d calls, %v", len(calls), err)
	}
	if s := w.journal.Stats(); s.DeadLetters != 0 || !s.Oldest.IsZero() {
		t.Errorf("%+v", s)
	}
	w.must(w.journal.Drained(ctx))
}

// MS7: a stay in a conference that another node hosts may arrive first. It waits, and does
// not keep others back.
func TestStayBeforeItsConference(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	c := w.conference(1)
	p, x := w.stay(c)
	w.must(w.journal.RecordStay(ctx, p, money.Unit))
	_, err := w.journal.SettleStay(ctx, x)
	w.must(err)
	w.must(w.journal.PutCall(ctx, store.Call{ID: store.NewCallID(), StartedAt: t0}))
	w.run()
	w.until(func() bool { s := w.journal.Stats(); return s.Delivered == 1 && s.Failed > 3 })
	w.must(w.Store.OpenConference(ctx, c))
	w.until(w.empty)
	if n := w.xdrs(); n != 1 || w.journal.Stats().Died != 0 {
		t.Errorf("%d records, %+v", n, w.journal.Stats())
	}
}

// MS14: a stay of a conference that another node hosts, and that the store has not been
// told of, is not refused: it may begin on this node's word. A conference of this node is
// known, or there is none.
func TestStayOfAConferenceThatIsNotKnownYet(t *testing.T) {
	w := newWorld(t)
	elsewhere := w.conference(1)
	p, _ := w.stay(elsewhere)
	if err := w.journal.BeginStay(t.Context(), p, money.Unit); err == nil || store.Answered(err) {
		t.Errorf("a conference of another node: %v", err)
	}
	w.must(w.Store.OpenConference(t.Context(), elsewhere))
	w.must(w.journal.BeginStay(t.Context(), p, money.Unit))
}

// MS4, MS7: a conference opened without asking that had lost to a higher epoch is kept as
// history, and its focus is told.
func TestSuperseded(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	w.set(true)
	stale := w.conference(1)
	w.must(w.journal.OpenConference(ctx, stale))
	p, x := w.stay(stale)
	w.must(w.journal.RecordStay(ctx, p, money.Unit))
	_, err := w.journal.SettleStay(ctx, x)
	w.must(err)
	winner := w.conference(2)
	w.must(w.Store.OpenConference(ctx, winner))
	w.set(false)
	w.run()
	w.until(w.empty)
	w.stop()
	if !reflect.DeepEqual(w.superseded, []store.ConferenceID{stale.ID}) {
		t.Errorf("told of %v", w.superseded)
	}
	open, err := w.Store.ListConferences(ctx, store.Scope{}, w.room.ID, false, store.Page{})
	if err != nil || len(open) != 1 || open[0].ID != winner.ID || w.xdrs() != 1 {
		t.Errorf("%+v %v", open, err)
	}
}

// MS7: the store is asked only when it knows what came before; until then it counts as away.
func TestQuestionsWaitForWhatCameBefore(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	c := w.conference(1)
	w.must(w.journal.OpenConference(ctx, c))
	w.must(w.journal.CloseConference(ctx, c.ID, t0, "empty")) // not delivered: nobody runs
	short, cancel := context.WithTimeout(ctx, time.Millisecond)
	defer cancel()
	next := w.conference(1)
	if err := w.journal.OpenConference(short, next); err == nil || store.Answered(err) {
		t.Errorf("%v", err)
	}
	p, _ := w.stay(next)
	if err := w.journal.BeginStay(short, p, 0); err == nil || store.Answered(err) {
		t.Errorf("%v", err)
	}
	w.run()
	w.must(w.journal.OpenConference(ctx, next))
	w.until(func() bool { return w.journal.BeginStay(ctx, p, 0) == nil })
	w.until(func() bool { return w.journal.ExtendReservation(ctx, p.ID, money.Unit) == nil })
}

// A room's history does not keep those who join it from their money.
func TestHistoriesAreNotWaitedFor(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	c := w.conference(1)
	w.must(w.journal.OpenConference(ctx, c))
	w.must(w.journal.AppendConferenceEvents(ctx, []store.ConferenceEvent{{ConferenceID: c.ID, Seq: 1, At: t0, Kind: "joined"}})) // not delivered: nobody runs
	p, _ := w.stay(c)
	w.must(w.journal.BeginStay(ctx, p, money.Unit))
	w.must(w.journal.ExtendReservation(ctx, p.ID, 2*money.Unit))
}

// MS7: at the next start billing learns what was promised.
func TestPromises(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	w.set(true)
	c := w.conference(1)
	w.must(w.journal.OpenConference(ctx, c))
	open, _ := w.stay(c)
	ended, x := w.stay(c)
	w.must(w.journal.RecordStay(ctx, open, money.Unit))
	w.must(w.journal.RecordStay(ctx, open, 3*money.Unit))
	w.must(w.journal.RecordStay(ctx, ended, 5*money.Unit))
	_, err := w.journal.SettleStay(ctx, x)
	w.must(err)
	w.stop()
	w.open()
	got := map[store.ParticipantID]Promise{}
	for _, p := range w.journal.Promises() {
		got[p.Participant.ID] = p
	}
	if !reflect.DeepEqual(got, map[store.ParticipantID]Promise{
		open.ID:  {Participant: open, Total: 3 * money.Unit},
		ended.ID: {Participant: ended, Total: 5 * money.Unit, Settled: true, Cost: money.Unit},
	}) {
		t.Errorf("%+v", got)
	}
	if got[open.ID].Owed() != 3*money.Unit || got[ended.ID].Owed() != money.Unit {
		t.Errorf("owed: %s and %s", got[open.ID].Owed(), got[ended.ID].Owed())
	}
}

// What is kept is read back as it was, each kind.
func TestRecordsAreReadBack(t *testing.T) {
	w := newWorld(t)
	c := w.conference(7)
	p, x := w.stay(c)
	p.Rate = store.Rate{TariffID: "t", Service: store.ServiceConferencing, PerMinute: 3, First: time.Minute, Next: time.Second}
	quality := x
	quality.Quality = json.RawMessage(`{"loss":0.5}`)
	bodies := []body{
		&conferenceOpened{c}, &conferenceClosed{c.ID, t0, "empty"},
		&conferenceEvents{[]store.ConferenceEvent{{ConferenceID: c.ID, Seq: 1, At: t0, Kind: "x", Detail: json.RawMessage(`{"a":1}`)}, {ConferenceID: c.ID, Seq: 2, At: t0, Kind: "y"}}},
		&roleChanged{p.ID, store.RoleModerator, true}, &participantMoved{p.ID, "c2", store.Place{Site: "b", Node: "n"}, 7},
		&callPut{store.Call{ID: "c", StartedAt: t0, SIPStatus: 200}},
		&callSteps{[]store.CallStep{{CallID: "c", Seq: 1, At: t0, Step: "s", Outcome: "ok", Detail: "\u2028<&>"}}},
		&stayRecorded{p, money.Unit}, &stayTaken{p, money.Unit}, &staySettled{x}, &staySettled{quality}, &stayDiscarded{x},
		&runStarted{store.NodeRun{Place: store.Place{Site: "a", Node: "n"}, Incarnation: 1 << 60, StartedAt: t0}}, &runBeat{"n", 1, t0}, &runStopped{"n", 1, t0},
		&recordingPut{store.Recording{ID: "r", Format: store.FormatOgg, Tracks: true, StartedAt: t0, StartedBy: "api:desk"}},
		&segmentPut{store.RecordingSegment{ID: "s", RecordingID: "r", Number: 2, Path: "a/b", StartedAt: t0, GapTime: time.Second, Tracks: []store.ParticipantID{"p"}}},
	}
	seen := map[string]bool{}
	for _, b := range bodies {
		text, err := encode("key", t0, b)
		w.must(err)
		r, err := decode(text)
		if err != nil || !reflect.DeepEqual(r.body, b) || r.Key != "key" || !r.At.Equal(t0) {
			t.Errorf("%s: %+v, %v", text, r.body, err)
		}
		seen[r.Kind] = true
	}
	if len(seen) != len(kinds) {
		t.Errorf("%d of %d kinds are tested", len(seen), len(kinds))
	}
}
