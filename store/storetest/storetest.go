package storetest

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/money"
)

// test is one behaviour. The name tells the SPEC rows that it proves.
type test struct {
	name string
	run  func(*fixture)
}

// Run runs the suite. open gives an empty, migrated store for each test.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	for _, group := range [][]test{catalogueTests, tariffTests, scopeTests, roomTests, codeTests, conferenceTests, callTests,
		accountTests, stayTests, batchTests, nodeTests, recordingTests, generalTests} {
		for _, c := range group {
			t.Run(c.name, func(t *testing.T) { c.run(newFixture(t, open(t))) })
		}
	}
}

// fixture is a store with a customer, an account of 100 and a tariff of 0.03 a
// minute.
type fixture struct {
	*testing.T
	s        store.Store
	customer store.Customer
	tariff   store.Tariff
	account  store.Account
	own      store.Scope // the customer's
}

// everything is the operator's scope.
var everything store.Scope

// t0 has microseconds, which must survive.
var t0 = time.Date(2026, 1, 2, 15, 4, 5, 123456000, time.UTC)

func newFixture(t *testing.T, s store.Store) *fixture {
	f := &fixture{T: t, s: s}
	f.customer, f.tariff, f.account = f.tenant("one", 100*money.Unit)
	f.own = store.Scope{CustomerID: f.customer.ID}
	return f
}

// tenant makes a customer with an account.
func (f *fixture) tenant(name string, balance money.Amount) (store.Customer, store.Tariff, store.Account) {
	f.Helper()
	c := store.Customer{ID: store.NewCustomerID(), Name: name, CreatedAt: t0}
	tariff := store.Tariff{ID: store.NewTariffID(), Name: name, Currency: "USD"}
	a := store.Account{ID: store.NewAccountID(), CustomerID: c.ID, Name: name, Currency: "USD", TariffID: tariff.ID, Balance: balance, CreatedAt: t0}
	f.must(f.s.CreateCustomer(f.Context(), c))
	f.must(f.s.CreateTariff(f.Context(), tariff))
	f.must(f.s.PutRate(f.Context(), store.Rate{TariffID: tariff.ID, Service: store.ServiceConferencing,
		PerMinute: money.MustParse("0.03"), First: time.Minute, Next: time.Minute}))
	f.must(f.s.CreateAccount(f.Context(), a, "test"))
	return c, tariff, a
}

func (f *fixture) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// equal compares a value read back, and its error, with what was written.
func (f *fixture) equal(got any, err error, want any) {
	f.Helper()
	if err != nil || !reflect.DeepEqual(got, want) {
		f.Errorf("read back, error %v\n%+v\nwant\n%+v", err, got, want)
	}
}

// is checks an error's kind.
func (f *fixture) is(err, want error) {
	f.Helper()
	if !errors.Is(err, want) {
		f.Errorf("error %v, want %v", err, want)
	}
}

func (f *fixture) room(name, host, guest string) store.Room {
	return store.Room{ID: store.NewRoomID(), CustomerID: f.customer.ID, AccountID: f.account.ID, Name: name, CodeSpace: "space",
		HostCode: host, GuestCode: guest, HomeSite: "a", GuestRole: store.RoleSpeaker, EntrySound: store.SoundTone,
		ExitSound: store.SoundNone, CreatedAt: t0, UpdatedAt: t0}
}

func (f *fixture) createRoom(r store.Room) store.Room {
	f.Helper()
	kept, err := f.s.CreateRoom(f.Context(), r, 6)
	f.must(err)
	return kept
}

func (f *fixture) conference(r store.Room, epoch uint64) store.Conference {
	return store.Conference{ID: store.NewConferenceID(), RoomID: r.ID, CustomerID: r.CustomerID, AccountID: r.AccountID, RoomName: r.Name,
		Kind: store.KindMain, Focus: store.Place{Site: "a", Node: "n1"}, Incarnation: 1, Epoch: epoch, StartedAt: t0}
}

// open is a room with an open conference.
func (f *fixture) open(name string) store.Conference {
	f.Helper()
	c := f.conference(f.createRoom(f.room(name, "", "")), 1)
	f.must(f.s.OpenConference(f.Context(), c))
	return c
}

func (f *fixture) participant(c store.Conference) store.Participant {
	return store.Participant{ID: store.NewParticipantID(), ConferenceID: c.ID, RoomID: c.RoomID, CustomerID: c.CustomerID, AccountID: c.AccountID,
		CallID: store.NewCallID(), Role: store.RoleSpeaker, Caller: "alice", Called: "1866", Ingress: c.Focus, Focus: c.Focus,
		Incarnation: c.Incarnation, Epoch: c.Epoch, JoinedAt: t0, Currency: "USD",
		Rate: store.Rate{TariffID: f.tariff.ID, Service: store.ServiceConferencing, PerMinute: money.MustParse("0.03"), First: time.Minute, Next: time.Minute}}
}

// record is the xDR of a stay of so many minutes.
func record(p store.Participant, minutes int) store.XDR {
	d := time.Duration(minutes) * time.Minute
	return store.XDR{ID: p.ID, ConferenceID: p.ConferenceID, RoomID: p.RoomID, RoomName: "room", CustomerID: p.CustomerID, AccountID: p.AccountID,
		CallID: p.CallID, Service: store.ServiceConferencing, Caller: p.Caller, Called: p.Called, Ingress: p.Ingress, IngressTerm: p.IngressTerm, Focus: p.Focus, Epoch: p.Epoch,
		StartedAt: p.JoinedAt, EndedAt: p.JoinedAt.Add(d), Duration: d, Billed: d, Rate: p.Rate, Amount: money.Amount(minutes) * p.Rate.PerMinute,
		Currency: p.Currency, Cause: store.CauseHangup, Quality: []byte(`{"loss":0.5}`),
		Inbound: store.Score{MOS: 391, WorstMOS: 187, Loss: 512}, Outbound: store.Score{MOS: 441, WorstMOS: 440, Loss: 1}, RecordedAt: p.JoinedAt.Add(d)}
}

// parallel runs do n times at once and waits.
func parallel(n int, do func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { do(i) })
	}
	wg.Wait()
}

// read reads an account.
func (f *fixture) read(id store.AccountID) store.Account {
	f.Helper()
	a, err := f.s.Account(f.Context(), store.Scope{}, id)
	f.must(err)
	return a
}

// consistent checks the invariants of an account's money: its balance is the sum of
// its entries, each entry tells the balance after it, and what is reserved is what
// its open stays hold.
func (f *fixture) consistent(id store.AccountID) {
	f.Helper()
	a := f.read(id)
	var sum money.Amount
	for _, e := range pages(f, func(p store.Page) ([]store.LedgerEntry, error) {
		return f.s.ListEntries(f.Context(), store.Scope{}, id, p)
	}, func(e store.LedgerEntry) string { return string(e.ID) }) {
		sum += e.Amount
	}
	open, err := f.s.OpenReservations(f.Context(), id)
	f.must(err)
	if sum != a.Balance || open != a.Reserved || a.Reserved < 0 {
		f.Errorf("balance %s, entries sum to %s; reserved %s, open stays hold %s", a.Balance, sum, a.Reserved, open)
	}
}

// pages reads a listing to its end, a few rows at a time, and checks the order.
func pages[T any](f *fixture, read func(store.Page) ([]T, error), id func(T) string) (all []T) {
	f.Helper()
	for page := (store.Page{Limit: 7}); ; {
		rows, err := read(page)
		f.must(err)
		if len(rows) > page.Limit {
			f.Fatalf("%d rows on a page of %d", len(rows), page.Limit)
		}
		for _, r := range rows {
			if id(r) <= page.After {
				f.Fatalf("%s comes after %s", id(r), page.After)
			}
			page.After = id(r)
			all = append(all, r)
		}
		if len(rows) < page.Limit {
			return all
		}
	}
}

func name(prefix string, i int) string { return fmt.Sprintf("%s %04d", prefix, i) }
