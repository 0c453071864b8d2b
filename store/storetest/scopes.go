package storetest

import (
	"context"
	"errors"
	"time"

	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/money"
)

var scopeTests = []test{
	{"CF1_WhatIsAnothersIsNotFound", testForeign},
	{"CF1_ListingsShowOneCustomer", testForeignListings},
	{"CF1_NothingIsMadeInAnothersName", testForeignWrites},
}

// used is a room of the first customer that was used: conference, stay, xDR, call.
func (f *fixture) used() (store.Conference, store.Participant) {
	f.Helper()
	c := f.open("private")
	p := f.participant(c)
	f.must(f.s.BeginStay(f.Context(), p, money.Unit))
	_, err := f.s.SettleStay(f.Context(), record(p, 1))
	f.must(err)
	f.must(f.s.PutCall(f.Context(), store.Call{ID: p.CallID, CustomerID: f.customer.ID, StartedAt: t0}))
	return c, p
}

func testForeign(f *fixture) {
	ctx := f.Context()
	other, _, _ := f.tenant("two", 0)
	c, p := f.used()
	for name, look := range map[string]func(store.Scope) error{
		"room":         func(s store.Scope) error { _, err := f.s.Room(ctx, s, c.RoomID); return err },
		"conference":   func(s store.Scope) error { _, err := f.s.Conference(ctx, s, c.ID); return err },
		"history":      func(s store.Scope) error { _, err := f.s.ConferenceEvents(ctx, s, c.ID, time.Time{}); return err },
		"participant":  func(s store.Scope) error { _, err := f.s.Participant(ctx, s, p.ID); return err },
		"account":      func(s store.Scope) error { _, err := f.s.Account(ctx, s, f.account.ID); return err },
		"account name": func(s store.Scope) error { _, err := f.s.AccountByName(ctx, s, f.account.Name); return err },
		"limits":       func(s store.Scope) error { return f.s.SetAccountLimits(ctx, s, f.account.ID, 0, 0, false) },
		"ledger":       func(s store.Scope) error { _, err := f.s.ListEntries(ctx, s, f.account.ID, store.Page{}); return err },
		"xDR":          func(s store.Scope) error { _, err := f.s.XDR(ctx, s, p.ID); return err },
		"call":         func(s store.Scope) error { _, _, err := f.s.Call(ctx, s, p.CallID); return err },
	} {
		if err := look(f.own); err != nil {
			f.Errorf("own %s: %v", name, err)
		}
		if err := look(store.Scope{CustomerID: other.ID}); !errors.Is(err, store.ErrNotFound) {
			f.Errorf("foreign %s: %v, want not found", name, err)
		}
	}
	r, err := f.s.Room(ctx, f.own, c.RoomID)
	f.must(err)
	_, err = f.s.UpdateRoom(ctx, store.Scope{CustomerID: other.ID}, r)
	f.is(err, store.ErrNotFound)
	f.is(f.s.DeleteRoom(ctx, store.Scope{CustomerID: other.ID}, r.ID), store.ErrNotFound)
	got, err := f.s.Room(ctx, f.own, r.ID)
	f.equal(got, err, r)
}

func testForeignListings(f *fixture) {
	ctx := f.Context()
	other, _, account := f.tenant("two", 0)
	c, p := f.used()
	for name, count := range map[string]func(context.Context, store.Scope) (int, error){
		"customers": func(ctx context.Context, s store.Scope) (int, error) {
			all, err := f.s.ListCustomers(ctx, s, store.Page{})
			return len(all), err
		},
		"accounts": func(ctx context.Context, s store.Scope) (int, error) {
			all, err := f.s.ListAccounts(ctx, s, store.Page{})
			return len(all), err
		},
	} {
		for _, s := range []store.Scope{f.own, {CustomerID: other.ID}} {
			if n, err := count(ctx, s); err != nil || n != 1 {
				f.Errorf("%s in one scope: %d, %v", name, n, err)
			}
		}
	}
	for _, w := range []struct {
		scope store.Scope
		want  int
	}{{f.own, 5}, {store.Scope{}, 5}, {store.Scope{CustomerID: other.ID}, 0}} {
		rooms, err := f.s.ListRooms(ctx, w.scope, store.Page{})
		f.must(err)
		xdrs, err := f.s.ListXDRs(ctx, w.scope, store.XDRFilter{AccountID: f.account.ID}, store.Page{})
		f.must(err)
		conferences, err := f.s.ListConferences(ctx, w.scope, c.RoomID, true, store.Page{})
		f.must(err)
		participants, err := f.s.ListParticipants(ctx, w.scope, c.ID, true, store.Page{})
		f.must(err)
		calls, err := f.s.ListCalls(ctx, w.scope, time.Time{}, time.Time{}, store.Page{})
		f.must(err)
		if n := len(rooms) + len(xdrs) + len(conferences) + len(participants) + len(calls); n != w.want {
			f.Errorf("scope %q lists %d things, want %d", w.scope.CustomerID, n, w.want)
		}
	}
	if _, err := f.s.XDR(ctx, store.Scope{CustomerID: account.CustomerID}, p.ID); !errors.Is(err, store.ErrNotFound) {
		f.Errorf("another's xDR: %v", err)
	}
}

// A row cannot name one customer and another's account: it would show up at the one
// and be paid by the other.
func testForeignWrites(f *fixture) {
	ctx := f.Context()
	other, _, _ := f.tenant("two", 0)
	r := f.room("a", "", "")
	r.CustomerID = other.ID
	_, err := f.s.CreateRoom(ctx, r, 6)
	f.is(err, store.ErrNotFound)
	made := f.createRoom(f.room("b", "", ""))
	stolen := f.room("c", "", "")
	stolen.ID = made.ID
	_, _, account := f.tenant("three", 0)
	stolen.CustomerID, stolen.AccountID = account.CustomerID, account.ID
	_, err = f.s.CreateRoom(ctx, stolen, 6)
	f.is(err, store.ErrConflict)
	c := f.conference(made, 1)
	c.CustomerID = other.ID
	f.is(f.s.OpenConference(ctx, c), store.ErrNotFound)
	c.CustomerID = f.customer.ID
	f.must(f.s.OpenConference(ctx, c))
	p := f.participant(c)
	p.CustomerID = other.ID
	f.is(f.s.BeginStay(ctx, p, 0), store.ErrNotFound)
	p.CustomerID, p.Currency = f.customer.ID, "EUR"
	f.is(f.s.BeginStay(ctx, p, 0), store.ErrNotFound)
	p.Currency = "USD"
	f.must(f.s.BeginStay(ctx, p, 0))
	x := record(p, 1)
	x.AccountID, x.CustomerID = account.ID, account.CustomerID
	_, err = f.s.SettleStay(ctx, x)
	f.is(err, store.ErrInvalid)
	f.consistent(account.ID)
	entry := store.LedgerEntry{ID: store.NewEntryID(), AccountID: f.account.ID, At: t0, Kind: store.EntryTopUp, Amount: 1, Author: "ann"}
	_, err = f.s.PostEntry(ctx, entry)
	f.must(err)
	entry.AccountID = account.ID
	_, err = f.s.PostEntry(ctx, entry)
	f.is(err, store.ErrConflict)
}
