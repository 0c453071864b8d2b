package storetest

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/conclave-voice/conclave/store"
)

var generalTests = []test{
	{"OP2_OnceRunsOnce", testOnce},
	{"OP2_OneOfManyRunsOnce", testOnceRace},
	{"OP4_MigrateAgain", testMigrateAgain},
	{"TimesAreKeptToTheMicrosecond", testTimes},
	{"ACancelledWriteHasNoEffect", testCancelled},
}

func adding(name string) func(context.Context, store.Store) error {
	return func(ctx context.Context, tx store.Store) error {
		return tx.CreateCustomer(ctx, store.Customer{ID: store.NewCustomerID(), Name: name, CreatedAt: t0})
	}
}

func testOnce(f *fixture) {
	ctx := f.Context()
	broken := errors.New("broken")
	ran, err := f.s.Once(ctx, "seed", func(ctx context.Context, tx store.Store) error {
		f.must(adding("half")(ctx, tx))
		if all, err := tx.ListCustomers(ctx, everything, store.Page{}); err != nil || len(all) != 2 {
			f.Errorf("what the transaction wrote, it does not read: %+v, %v", all, err)
		}
		if all, err := f.s.ListCustomers(ctx, everything, store.Page{}); err != nil || len(all) != 1 {
			f.Errorf("what is not committed is seen outside: %+v, %v", all, err)
		}
		return broken
	})
	f.is(err, broken)
	f.equal(ran, nil, false)
	ran, err = f.s.Once(ctx, "seed", adding("whole"))
	f.equal(ran, err, true)
	ran, err = f.s.Once(ctx, "seed", adding("again"))
	f.equal(ran, err, false)
	ran, err = f.s.Once(ctx, "other", adding("other"))
	f.equal(ran, err, true)
	all, err := f.s.ListCustomers(ctx, everything, store.Page{})
	f.must(err)
	var names []string
	for _, c := range all {
		names = append(names, c.Name)
	}
	f.equal(names, nil, []string{"one", "whole", "other"})
	f.must(f.s.Ping(ctx))
}

func testOnceRace(f *fixture) {
	var ran atomic.Int64
	parallel(16, func(int) {
		ok, err := f.s.Once(f.Context(), "seed", adding("seeded"))
		if err != nil {
			f.Error(err)
		}
		if ok {
			ran.Add(1)
		}
	})
	if ran.Load() != 1 {
		f.Errorf("%d ran", ran.Load())
	}
}

func testMigrateAgain(f *fixture) {
	parallel(4, func(int) {
		if err := f.s.Migrate(f.Context()); err != nil {
			f.Error(err)
		}
	})
	got, err := f.s.Account(f.Context(), f.own, f.account.ID)
	f.equal(got, err, f.account)
}

func testTimes(f *fixture) {
	for _, at := range []time.Time{
		t0,
		time.Date(1969, 12, 31, 23, 59, 59, 999999000, time.UTC),
		time.Date(2262, 4, 12, 0, 0, 0, 1000, time.UTC), // beyond 64 bits of nanoseconds
		time.Date(2026, 6, 1, 12, 0, 0, 123456789, time.FixedZone("somewhere", -5*3600)),
	} {
		c := f.call(at)
		f.must(f.s.PutCall(f.Context(), c))
		got, _, err := f.s.Call(f.Context(), everything, c.ID)
		f.equal(got.StartedAt, err, at.UTC().Truncate(time.Microsecond))
		if !got.AnsweredAt.IsZero() || !got.EndedAt.IsZero() {
			f.Errorf("not yet: %+v", got)
		}
	}
}

func testCancelled(f *fixture) {
	ctx, cancel := context.WithCancel(f.Context())
	cancel()
	c := store.Customer{ID: store.NewCustomerID(), Name: "late", CreatedAt: t0}
	f.is(f.s.CreateCustomer(ctx, c), context.Canceled)
	all, err := f.s.ListCustomers(f.Context(), store.Scope{CustomerID: c.ID}, store.Page{})
	f.equal(len(all), err, 0)
	_, err = f.s.Account(ctx, everything, f.account.ID)
	f.is(err, context.Canceled)
}
