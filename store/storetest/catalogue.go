package storetest

import (
	"context"
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/money"
)

func testOnce(f *fixture) {
	broken := errors.New("broken")
	add := func(name string) func(context.Context, store.Store) error {
		return func(ctx context.Context, tx store.Store) error {
			return tx.CreateCustomer(ctx, store.Customer{ID: store.NewCustomerID(), Name: name, CreatedAt: t0})
		}
	}
	_, err := f.s.Once(f.Context(), "seed", func(ctx context.Context, tx store.Store) error {
		if err := add("half")(ctx, tx); err != nil {
			return err
		}
		return broken
	})
	f.is(err, broken)
	ran, err := f.s.Once(f.Context(), "seed", add("whole"))
	if err != nil || !ran {
		f.Fatalf("after a failure: %v, %v", ran, err)
	}
	ran, err = f.s.Once(f.Context(), "seed", add("again"))
	if err != nil || ran {
		f.Errorf("ran twice: %v, %v", ran, err)
	}
	all, err := f.s.ListCustomers(f.Context(), store.Scope{}, store.Page{})
	f.must(err)
	if len(all) != 2 { // the fixture's, and "whole"
		f.Errorf("customers: %+v", all)
	}
}

func testCatalogue(f *fixture) {
	ctx := f.Context()
	n := store.AccessNumber{ID: store.NewAccessNumberID(), Number: "18665552637", Application: store.ApplicationConference, CodeSpace: "space", Language: "en"}
	f.must(f.s.CreateAccessNumber(ctx, n))
	f.must(f.s.CreateAccessNumber(ctx, n)) // a repetition
	if got, err := f.s.AccessNumberByNumber(ctx, n.Number); err != nil || got != n {
		f.Errorf("%+v, %v", got, err)
	}
	_, err := f.s.AccessNumberByNumber(ctx, "1")
	f.is(err, store.ErrNotFound)
	n.ID = store.NewAccessNumberID()
	f.is(f.s.CreateAccessNumber(ctx, n), store.ErrConflict)
	n.Number = "+1 866"
	f.is(f.s.CreateAccessNumber(ctx, n), store.ErrInvalid)

	rules := []store.CallRule{
		{ID: store.NewRuleID(), Position: 20, Action: store.RuleDigest},
		{ID: store.NewRuleID(), Position: 10, Source: netip.MustParsePrefix("127.0.0.0/8"), Transport: "udp", Called: "1866*", Action: store.RuleTrust},
	}
	for _, r := range rules {
		f.must(f.s.CreateCallRule(ctx, r))
	}
	got, err := f.s.ListCallRules(ctx)
	if err != nil || !reflect.DeepEqual(got, []store.CallRule{rules[1], rules[0]}) {
		f.Errorf("rules %+v, %v", got, err)
	}

	u := store.SIPUser{Username: "alice", Realm: "conclave", AccountID: f.account.ID, HA1MD5: strings.Repeat("a", 32), HA1SHA256: strings.Repeat("b", 64)}
	f.must(f.s.PutSIPUser(ctx, u))
	u.HA1MD5 = strings.Repeat("c", 32)
	f.must(f.s.PutSIPUser(ctx, u))
	if got, err := f.s.SIPUser(ctx, "conclave", "alice"); err != nil || got != u {
		f.Errorf("%+v, %v", got, err)
	}
	_, err = f.s.SIPUser(ctx, "elsewhere", "alice")
	f.is(err, store.ErrNotFound)
	u.AccountID = "nobody"
	if err := f.s.PutSIPUser(ctx, u); err == nil {
		f.Error("a user of an account that does not exist")
	}

	token := store.APIToken{ID: store.NewTokenID(), Name: "ci", Hash: strings.Repeat("d", 64), Role: store.TokenCustomer, CustomerID: f.customer.ID, CreatedAt: t0, ExpiresAt: t0.Add(time.Hour)}
	f.must(f.s.CreateToken(ctx, token))
	if got, err := f.s.TokenByHash(ctx, token.Hash); err != nil || got != token {
		f.Errorf("%+v, %v", got, err)
	}
	f.must(f.s.DeleteToken(ctx, token.ID))
	f.is(f.s.DeleteToken(ctx, token.ID), store.ErrNotFound)
	_, err = f.s.TokenByHash(ctx, token.Hash)
	f.is(err, store.ErrNotFound)
}

func testRates(f *fixture) {
	ctx := f.Context()
	special := store.Rate{TariffID: f.tariff.ID, Service: store.ServiceConferencing, AccessNumber: "1866", PerMinute: money.MustParse("0.1"), First: time.Second, Next: 6 * time.Second}
	f.must(f.s.PutRate(ctx, special))
	if got, err := f.s.RateFor(ctx, f.tariff.ID, store.ServiceConferencing, "1866"); err != nil || got != special {
		f.Errorf("%+v, %v", got, err)
	}
	if got, err := f.s.RateFor(ctx, f.tariff.ID, store.ServiceConferencing, "4930"); err != nil || got.PerMinute != money.MustParse("0.03") {
		f.Errorf("%+v, %v", got, err)
	}
	_, err := f.s.RateFor(ctx, f.tariff.ID, "something", "1866")
	f.is(err, store.ErrNotFound)
	special.Next = 0
	f.is(f.s.PutRate(ctx, special), store.ErrInvalid)
}

func testScopes(f *fixture) {
	ctx := f.Context()
	other, _, _ := f.tenant("two", 0)
	foreign, own := store.Scope{CustomerID: other.ID}, store.Scope{CustomerID: f.customer.ID}
	c := f.open("private")
	p := f.participant(c)
	f.must(f.s.BeginStay(ctx, p, money.Unit))
	_, err := f.s.SettleStay(ctx, record(p, 1))
	f.must(err)
	call := store.Call{ID: p.CallID, CustomerID: f.customer.ID, StartedAt: t0}
	f.must(f.s.PutCall(ctx, call))
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
		if err := look(own); err != nil {
			f.Errorf("own %s: %v", name, err)
		}
		if err := look(foreign); !errors.Is(err, store.ErrNotFound) {
			f.Errorf("foreign %s: %v, want not found", name, err)
		}
	}
	r, err := f.s.Room(ctx, own, c.RoomID)
	f.must(err)
	_, err = f.s.UpdateRoom(ctx, foreign, r)
	f.is(err, store.ErrNotFound)
	f.is(f.s.DeleteRoom(ctx, foreign, r.ID), store.ErrNotFound)
	rooms, err := f.s.ListRooms(ctx, foreign, store.Page{})
	f.must(err)
	xdrs, err := f.s.ListXDRs(ctx, foreign, store.XDRFilter{}, store.Page{})
	f.must(err)
	conferences, err := f.s.ListConferences(ctx, foreign, "", true, store.Page{})
	f.must(err)
	participants, err := f.s.ListParticipants(ctx, foreign, c.ID, true, store.Page{})
	f.must(err)
	calls, err := f.s.ListCalls(ctx, foreign, time.Time{}, time.Time{}, store.Page{})
	f.must(err)
	if n := len(rooms) + len(xdrs) + len(conferences) + len(participants) + len(calls); n != 0 {
		f.Errorf("another customer lists %d things", n)
	}
}

func testCodes(f *fixture) {
	ctx := f.Context()
	a := f.createRoom(f.room("a", "987654", "123456"))
	for code, role := range map[string]store.Role{"987654": store.RoleModerator, "123456": store.RoleSpeaker} {
		m, err := f.s.RoomByCode(ctx, "space", code)
		if err != nil || m.Role != role || m.Room.ID != a.ID {
			f.Errorf("a code leads to %+v, %v", m, err)
		}
	}
	_, err := f.s.RoomByCode(ctx, "elsewhere", "123456")
	f.is(err, store.ErrNotFound)
	_, err = f.s.CreateRoom(ctx, f.room("b", "123456", "555555"), 6)
	f.is(err, store.ErrConflict)
	_, err = f.s.CreateRoom(ctx, f.room("b", "4444", "4444"), 6)
	f.is(err, store.ErrInvalid)
	elsewhere := f.room("c", "987654", "123456")
	elsewhere.CodeSpace = "elsewhere"
	f.createRoom(elsewhere)
	// Freed codes can be taken again.
	f.must(f.s.DeleteRoom(ctx, store.Scope{}, a.ID))
	f.createRoom(f.room("d", "123456", "987654"))
	// A space of 10,000 codes, tried in parallel: no code is given twice.
	var wg sync.WaitGroup
	var mu sync.Mutex
	seen := map[string]bool{}
	for i := range 40 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			r := f.room(name("parallel", i), "", "")
			r.CodeSpace = "small"
			kept, err := f.s.CreateRoom(ctx, r, 4)
			mu.Lock()
			defer mu.Unlock()
			if err != nil || seen[kept.HostCode] || seen[kept.GuestCode] {
				f.Errorf("%v, codes given twice: %v", err, seen[kept.HostCode] || seen[kept.GuestCode])
			}
			seen[kept.HostCode], seen[kept.GuestCode] = true, true
		}()
	}
	wg.Wait()
}

func testManyRooms(f *fixture) {
	n := 2000
	ran, err := f.s.Once(f.Context(), "many", func(ctx context.Context, tx store.Store) error {
		for i := range n {
			if _, err := tx.CreateRoom(ctx, f.room(name("room", i), "", ""), 6); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || !ran {
		f.Fatal(err)
	}
	codes, total := map[string]bool{}, 0
	for page := (store.Page{Limit: 1000}); ; {
		rooms, err := f.s.ListRooms(f.Context(), store.Scope{}, page)
		f.must(err)
		for _, r := range rooms {
			codes[r.HostCode], codes[r.GuestCode] = true, true
			total++
		}
		if len(rooms) < page.Limit {
			break
		}
		page.After = string(rooms[len(rooms)-1].ID)
	}
	if total != n || len(codes) != 2*n {
		f.Errorf("%d rooms with %d codes", total, len(codes))
	}
}

func testRoomVersions(f *fixture) {
	ctx := f.Context()
	r := f.room("a", "", "")
	r.Keys = map[string]store.Action{"*6": store.ActionMuteSelf}
	r.EndGrace, r.Moderated, r.Music = 1500*time.Millisecond, true, true
	r = f.createRoom(r)
	got, err := f.s.Room(ctx, store.Scope{}, r.ID)
	if err != nil || !reflect.DeepEqual(got, r) {
		f.Errorf("read back\n%+v, wrote\n%+v, %v", got, r, err)
	}
	again, err := f.s.CreateRoom(ctx, r, 6)
	if err != nil || again.HostCode != r.HostCode {
		f.Errorf("a repetition: %+v, %v", again, err)
	}
	change := r
	change.Name, change.HostCode, change.CustomerID = "b", "77777777", "stolen"
	changed, err := f.s.UpdateRoom(ctx, store.Scope{}, change)
	f.must(err)
	if changed.Version != r.Version+1 || changed.CustomerID != r.CustomerID {
		f.Errorf("%+v", changed)
	}
	if _, err := f.s.RoomByCode(ctx, "space", r.HostCode); !errors.Is(err, store.ErrNotFound) {
		f.Errorf("the old code still leads somewhere: %v", err)
	}
	if m, err := f.s.RoomByCode(ctx, "space", "77777777"); err != nil || m.Room.Name != "b" {
		f.Errorf("%+v, %v", m, err)
	}
	_, err = f.s.UpdateRoom(ctx, store.Scope{}, change)
	f.is(err, store.ErrVersion)
}

func testPaging(f *fixture) {
	for i := range 25 {
		f.createRoom(f.room(name("room", i), "", ""))
	}
	var names []string
	page := store.Page{Limit: 10}
	for {
		rooms, err := f.s.ListRooms(f.Context(), store.Scope{}, page)
		f.must(err)
		for _, r := range rooms {
			names = append(names, r.Name)
			page.After = string(r.ID)
		}
		if len(rooms) < 10 {
			break
		}
	}
	for i, n := range names {
		if n != name("room", i) {
			f.Fatalf("room %d is %q", i, n)
		}
	}
	if len(names) != 25 {
		f.Errorf("%d rooms", len(names))
	}
}
