package storetest

import (
	"math"
	"sync/atomic"

	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/money"
)

var accountTests = []test{
	{"BL1_Accounts", testAccounts},
	{"BL7_BalanceIsTheSumOfEntries", testLedger},
	{"BL7_ParallelEntriesAddUp", testParallelEntries},
	{"BL1_MoneyOutOfRangeIsRefused", testMoneyRange},
}

func testAccounts(f *fixture) {
	ctx := f.Context()
	a := store.Account{ID: store.NewAccountID(), CustomerID: f.customer.ID, Name: "conf1234", Currency: "USD", TariffID: f.tariff.ID,
		Balance: -5, CreditLimit: 7, Reserved: 99, Blocked: true, MaxParticipants: 3, CreatedAt: t0}
	f.must(f.s.CreateAccount(ctx, a, "ann"))
	f.must(f.s.CreateAccount(ctx, a, "ann")) // a repetition: the opening balance is posted once
	a.Reserved = 0
	got, err := f.s.Account(ctx, f.own, a.ID)
	f.equal(got, err, a)
	got, err = f.s.AccountByName(ctx, f.own, "conf1234")
	f.equal(got, err, a)
	entries, err := f.s.ListEntries(ctx, f.own, a.ID, store.Page{})
	if err != nil || len(entries) != 1 || entries[0].Kind != store.EntryTopUp || entries[0].Author != "ann" ||
		entries[0].Reason != "opening balance" || entries[0].Amount != -5 || entries[0].Balance != -5 || !entries[0].At.Equal(t0) {
		f.Errorf("%+v, %v", entries, err)
	}
	f.must(f.s.SetAccountLimits(ctx, f.own, a.ID, 11, 0, false))
	a.CreditLimit, a.MaxParticipants, a.Blocked = 11, 0, false
	got, err = f.s.Account(ctx, f.own, a.ID)
	f.equal(got, err, a)
	all, err := f.s.ListAccounts(ctx, everything, store.Page{After: string(f.account.ID)})
	f.equal(all, err, []store.Account{a})
	empty := a
	empty.ID, empty.Name, empty.Balance = store.NewAccountID(), "empty", 0
	f.must(f.s.CreateAccount(ctx, empty, "ann"))
	entries, err = f.s.ListEntries(ctx, f.own, empty.ID, store.Page{})
	f.equal(len(entries), err, 0)
	for _, w := range []struct {
		spoil func(*store.Account)
		want  error
	}{
		{func(a *store.Account) { a.Name = "conf1234" }, store.ErrConflict},
		{func(a *store.Account) { a.CustomerID = "nobody" }, store.ErrNotFound},
		{func(a *store.Account) { a.TariffID = "nothing" }, store.ErrNotFound},
	} {
		other := a
		other.ID, other.Name = store.NewAccountID(), "other"
		w.spoil(&other)
		f.is(f.s.CreateAccount(ctx, other, "ann"), w.want)
	}
	_, err = f.s.Account(ctx, everything, "nobody")
	f.is(err, store.ErrNotFound)
	f.is(f.s.SetAccountLimits(ctx, everything, "nobody", 0, 0, false), store.ErrNotFound)
}

func testLedger(f *fixture) {
	ctx := f.Context()
	e := store.LedgerEntry{ID: store.NewEntryID(), AccountID: f.account.ID, At: t0, Kind: store.EntryTopUp, Amount: 5 * money.Unit, Reason: "cash", Author: "ann"}
	first, err := f.s.PostEntry(ctx, e)
	e.Balance = 105 * money.Unit
	f.equal(first, err, e)
	down := store.LedgerEntry{ID: store.NewEntryID(), AccountID: f.account.ID, At: t0, Kind: store.EntryAdjustment, Amount: -200 * money.Unit, Reason: "fraud", Author: "ann"}
	second, err := f.s.PostEntry(ctx, down)
	down.Balance = -95 * money.Unit
	f.equal(second, err, down)
	again, err := f.s.PostEntry(ctx, store.LedgerEntry{ID: e.ID, AccountID: e.AccountID, At: t0, Kind: store.EntryTopUp, Amount: 7})
	f.equal(again, err, first)
	entries, err := f.s.ListEntries(ctx, f.own, f.account.ID, store.Page{})
	if err != nil || len(entries) != 3 {
		f.Fatalf("%+v, %v", entries, err)
	}
	f.equal(entries[1:], err, []store.LedgerEntry{first, second})
	f.consistent(f.account.ID)
	e.ID, e.AccountID = store.NewEntryID(), "nobody"
	_, err = f.s.PostEntry(ctx, e)
	f.is(err, store.ErrNotFound)
	_, err = f.s.ListEntries(ctx, everything, "nobody", store.Page{})
	f.is(err, store.ErrNotFound)
}

func testParallelEntries(f *fixture) {
	same := store.NewEntryID()
	var balance atomic.Int64
	parallel(32, func(i int) {
		e := store.LedgerEntry{ID: store.NewEntryID(), AccountID: f.account.ID, At: t0, Kind: store.EntryTopUp, Amount: 1, Author: "ann"}
		if i%2 == 1 {
			e.ID = same // posted by many, kept once
		}
		posted, err := f.s.PostEntry(f.Context(), e)
		if err != nil {
			f.Error(err)
		}
		if i%2 == 1 && !balance.CompareAndSwap(0, int64(posted.Balance)) && balance.Load() != int64(posted.Balance) {
			f.Errorf("one entry tells two balances: %d, %d", balance.Load(), posted.Balance)
		}
	})
	if a := f.read(f.account.ID); a.Balance != 100*money.Unit+17 {
		f.Errorf("balance %s", a.Balance)
	}
	f.consistent(f.account.ID)
}

// What could leave 64 bits is refused, and nothing is changed.
func testMoneyRange(f *fixture) {
	ctx := f.Context()
	topUp := func(amount money.Amount) error {
		_, err := f.s.PostEntry(ctx, store.LedgerEntry{ID: store.NewEntryID(), AccountID: f.account.ID, At: t0, Kind: store.EntryTopUp, Amount: amount, Author: "ann"})
		return err
	}
	for _, amount := range []money.Amount{math.MaxInt64, math.MinInt64} {
		f.is(topUp(amount), store.ErrInvalid)
		f.is(f.s.SetAccountLimits(ctx, f.own, f.account.ID, amount, 0, false), store.ErrInvalid)
		f.is(f.s.BeginStay(ctx, f.participant(f.open("a")), amount), store.ErrInvalid)
	}
	const most = 1_000_000_000_000 * money.Unit
	for range 3 {
		f.must(topUp(most))
	}
	f.is(topUp(most), store.ErrInvalid)
	f.must(f.s.SetAccountLimits(ctx, f.own, f.account.ID, most, 0, false))
	c := f.open("a")
	for range 4 {
		f.must(f.s.BeginStay(ctx, f.participant(c), most))
	}
	f.is(f.s.BeginStay(ctx, f.participant(c), most), store.ErrInsufficientFunds)
	if a := f.read(f.account.ID); a.Balance != 3*most+100*money.Unit || a.Reserved != 4*most {
		f.Errorf("%+v", a)
	}
	f.consistent(f.account.ID)
}
