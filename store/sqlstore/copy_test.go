package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/money"
)

const overlap = 2 * time.Minute

// copying is a store, its copy, and what is in it to be changed.
type copying struct {
	*world
	t       *testing.T
	copy    *Store
	copier  *Copier
	rooms   []store.Room
	tokens  []store.TokenID
	users   int
	numbers int
}

func newCopying(t *testing.T, dsn string) *copying {
	c := &copying{t: t, world: newWorld(t, openMigrated(t, dsn)), copy: openMigrated(t, sqliteDSN(t))}
	c.copier = NewCopier(c.s, c.copy, overlap, time.Minute)
	return c
}

func (c *copying) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// follow brings the copy up to date as its owner does.
func (c *copying) follow() int {
	c.t.Helper()
	times, err := c.copier.Times(c.t.Context())
	c.must(err)
	n, err := c.copier.Changes(c.t.Context(), times.Changes, time.Now())
	c.must(err)
	return n
}

// dump is all that is copied, in one text for each table.
func dump(t *testing.T, s *Store) map[string]string {
	t.Helper()
	tables := map[string]string{}
	for _, p := range parts {
		list, err := rows(t.Context(), s.read, func(r scanner) (string, error) {
			values := make([]any, strings.Count(p.columns, ",")+1)
			targets := make([]any, len(values))
			for i := range values {
				targets[i] = &values[i]
			}
			err := r.Scan(targets...)
			return fmt.Sprintf("%q", values), err
		}, "SELECT "+p.columns+" FROM "+p.table)
		if err != nil {
			t.Fatal(err)
		}
		sort.Strings(list)
		tables[p.table] = strings.Join(list, "\n")
	}
	return tables
}

func (c *copying) same(when string) {
	c.t.Helper()
	want, got := dump(c.t, c.s), dump(c.t, c.copy)
	for table := range want {
		if got[table] != want[table] {
			c.t.Fatalf("%s, %s:\n%s\nwant\n%s", when, table, got[table], want[table])
		}
	}
}

// change does one thing to the catalogue.
func (c *copying) change(rng *rand.Rand) string {
	ctx := c.t.Context()
	account, customer := c.account.ID, c.account.CustomerID
	kind := rng.IntN(12)
	if len(c.rooms) < 3 {
		kind = 0
	}
	i := rng.IntN(max(len(c.rooms), 1))
	switch kind {
	case 0, 1:
		r, err := c.s.CreateRoom(ctx, c.newRoom(), 6)
		c.must(err)
		c.rooms = append(c.rooms, r)
	case 2:
		r := c.rooms[i]
		r.Name, r.HostCode, r.GuestCode, r.Keys = "renamed", r.GuestCode, r.HostCode, map[string]store.Action{"1": store.ActionEnd}
		changed, err := c.s.UpdateRoom(ctx, store.Scope{}, r)
		c.must(err)
		c.rooms[i] = changed
	case 3: // a code goes to another room
		r, other := c.rooms[i], c.rooms[(i+1)%len(c.rooms)]
		c.must(c.s.DeleteRoom(ctx, store.Scope{}, r.ID))
		other.GuestCode = r.HostCode
		changed, err := c.s.UpdateRoom(ctx, store.Scope{}, other)
		c.must(err)
		c.rooms[(i+1)%len(c.rooms)] = changed
		c.rooms = slices.Delete(c.rooms, i, i+1)
	case 4:
		c.must(c.s.DeleteRoom(ctx, store.Scope{}, c.rooms[i].ID))
		c.rooms = slices.Delete(c.rooms, i, i+1)
	case 5:
		c.numbers++
		c.must(c.s.CreateAccessNumber(ctx, store.AccessNumber{ID: store.NewAccessNumberID(), Number: fmt.Sprint(1000 + c.numbers),
			Application: store.ApplicationConference, CodeSpace: "space", RoomID: c.rooms[i].ID, CustomerID: customer}))
	case 6:
		c.must(c.s.PutRate(ctx, store.Rate{TariffID: c.account.TariffID, Service: store.ServiceConferencing,
			AccessNumber: fmt.Sprint(rng.IntN(5)), PerMinute: money.Amount(rng.IntN(1000)), First: time.Minute, Next: time.Minute}))
	case 7:
		c.users++
		c.must(c.s.PutSIPUser(ctx, store.SIPUser{Realm: fmt.Sprint("r", rng.IntN(2)), Username: fmt.Sprint("u", c.users%7), AccountID: account,
			HA1MD5: fmt.Sprintf("%032x", c.users), HA1SHA256: fmt.Sprintf("%064x", c.users)}))
	case 8:
		c.must(c.s.SetAccountLimits(ctx, store.Scope{}, account, money.Amount(rng.IntN(1000)), rng.IntN(10), rng.IntN(2) == 0))
	case 9:
		c.users++
		token := store.APIToken{ID: store.NewTokenID(), Name: "t", Hash: fmt.Sprintf("%064x", c.users), Role: store.TokenCustomer, CustomerID: customer}
		c.must(c.s.CreateToken(ctx, token))
		c.tokens = append(c.tokens, token.ID)
	case 10:
		if len(c.tokens) > 0 {
			c.must(c.s.DeleteToken(ctx, c.tokens[0]))
			c.tokens = c.tokens[1:]
		}
	case 11:
		c.numbers++
		c.must(c.s.CreateCallRule(ctx, store.CallRule{ID: store.NewRuleID(), Position: c.numbers, Source: netip.MustParsePrefix("192.0.2.0/24"), Action: store.RuleTrust}))
	}
	return fmt.Sprint("change of kind ", kind)
}

// MS7: after whatever changes, a copy that follows them is the same as the store.
func TestCopyFollowsEveryChange(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		seed := rand.Uint64()
		rng := rand.New(rand.NewPCG(seed, 0))
		t.Logf("seed %d", seed)
		c := newCopying(t, dsn)
		c.must(c.copier.All(t.Context(), time.Now()))
		c.same("at first")
		for range 60 {
			var what []string
			for range 1 + rng.IntN(4) {
				what = append(what, c.change(rng))
			}
			if n := c.follow(); n == 0 && !slices.Contains(what, "change of kind 10") {
				t.Errorf("%v: nothing was followed", what)
			}
			c.same(fmt.Sprint("after ", what))
		}
		if n := c.follow(); n != 0 {
			t.Errorf("%d changes followed again", n)
		}
		c.must(c.s.BeginStay(t.Context(), c.newStay(), money.Unit))
		if n := c.follow(); n != 0 {
			t.Errorf("%d changes: a stay is no change of the catalogue", n)
		}
		c.must(c.copier.Balances(t.Context(), time.Now()))
		c.same("after reading balances")
		// Another process goes on where this one was.
		c.change(rng)
		c.copier = NewCopier(c.s, c.copy, overlap, time.Minute)
		c.follow()
		c.same("in the next process")
	})
}

// MS7: a transaction that commits late, or on a node whose clock is behind, is found; one
// that is later than the overlap, and what is not noted at all, when everything is read.
func TestCopyFindsLateChanges(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		c := newCopying(t, dsn)
		ctx := t.Context()
		c.must(c.copier.All(ctx, time.Now()))
		rename := func(name string, behind time.Duration) {
			c.must(c.s.transact(ctx, "late", func(q tx) error {
				if _, err := q.ExecContext(ctx, "UPDATE customer SET name = $1 WHERE id = $2", name, c.account.CustomerID); err != nil {
					return err
				}
				_, err := insert(ctx, q, "change", "at, id, entity, name", "", micros(time.Now().Add(-behind)), name, customers, c.account.CustomerID)
				return err
			}))
		}
		for _, w := range []struct {
			behind time.Duration
			want   int
		}{{time.Minute, 1}, {-time.Hour, 1}, {10 * time.Minute, 0}} {
			c.follow()
			rename("behind "+w.behind.String(), w.behind)
			if n := c.follow(); n != w.want {
				t.Errorf("behind %v: %d changes", w.behind, n)
			}
			if n := c.follow(); n != 0 {
				t.Errorf("behind %v: followed again", w.behind)
			}
		}
		c.must(c.copier.All(ctx, time.Now()))
		c.same("after reading everything")
		for forgotten := 1; forgotten > 0; {
			var err error
			forgotten, err = c.s.ForgetChanges(ctx, time.Now().Add(2*time.Hour))
			c.must(err)
		}
		if n, err := count(ctx, c.s.read, "SELECT COUNT(*) FROM change"); err != nil || n != 0 {
			t.Errorf("%d notes are left, %v", n, err)
		}
		for range 1000 {
			_, err := c.s.CreateRoom(ctx, c.newRoom(), 8)
			c.must(err)
		}
		for range mostChanges - 1000 + 1 {
			c.must(c.s.SetAccountLimits(ctx, store.Scope{}, c.account.ID, 0, 0, false))
		}
		if _, err := c.copier.Changes(ctx, time.Now(), time.Now()); !errors.Is(err, ErrTooMany) {
			t.Errorf("%v", err)
		}
	})
}

// MS7: who reads the copy while it is refreshed sees it whole: a code leads to its room,
// always, and a refresh that breaks off changes nothing.
func TestCopyIsAlwaysWhole(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		c := newCopying(t, dsn)
		ctx := t.Context()
		c.must(c.copier.All(ctx, time.Now()))
		stop := make(chan struct{})
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					if m, err := c.copy.RoomByCode(ctx, c.room.CodeSpace, c.room.HostCode); err != nil || m.Role != store.RoleModerator {
						t.Errorf("%+v %v", m, err)
						return
					}
				}
			})
		}
		rng := rand.New(rand.NewPCG(1, 2))
		for range 20 {
			c.change(rng)
			c.follow()
			c.must(c.copier.All(ctx, time.Now()))
		}
		c.change(rng)
		before := dump(t, c.copy)
		cut, cancel := context.WithCancel(ctx)
		err := c.copier.transfer(cut, "half", func(ctx context.Context, from, to querier) error {
			c.must(parts[0].replace(cut, from, to, "", nil))
			if _, err := to.ExecContext(cut, "DELETE FROM room"); err != nil {
				return err
			}
			cancel()
			return parts[5].insert(cut, from, to, "", nil)
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		for table, text := range dump(t, c.copy) {
			if before[table] != text {
				t.Errorf("%s has changed", table)
			}
		}
		close(stop)
		wg.Wait()
	})
}
