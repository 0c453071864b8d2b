package storetest

import (
	"time"

	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/money"
)

var tariffTests = []test{
	{"BL1_Tariffs", testTariffs},
	{"BL1_RateOfANumberWins", testRates},
}

func testTariffs(f *fixture) {
	ctx := f.Context()
	t := store.Tariff{ID: store.NewTariffID(), Name: "night", Currency: "EUR"}
	f.must(f.s.CreateTariff(ctx, t))
	f.must(f.s.CreateTariff(ctx, t)) // a repetition
	all, err := f.s.ListTariffs(ctx, store.Page{})
	f.equal(all, err, []store.Tariff{f.tariff, t})
	t.ID = store.NewTariffID()
	f.is(f.s.CreateTariff(ctx, t), store.ErrConflict)
}

func testRates(f *fixture) {
	ctx := f.Context()
	special := store.Rate{TariffID: f.tariff.ID, Service: store.ServiceConferencing, AccessNumber: "1866", PerMinute: money.MustParse("0.1"), First: time.Second, Next: 6 * time.Second}
	f.must(f.s.PutRate(ctx, special))
	got, err := f.s.RateFor(ctx, f.tariff.ID, store.ServiceConferencing, "1866")
	f.equal(got, err, special)
	general := store.Rate{TariffID: f.tariff.ID, Service: store.ServiceConferencing, PerMinute: money.MustParse("0.000001"), First: time.Minute, Next: time.Second}
	f.must(f.s.PutRate(ctx, general)) // in place of the fixture's
	for _, number := range []string{"4930", "", "any\x00\xff"} {
		got, err = f.s.RateFor(ctx, f.tariff.ID, store.ServiceConferencing, number)
		f.equal(got, err, general)
	}
	_, err = f.s.RateFor(ctx, f.tariff.ID, "something", "1866")
	f.is(err, store.ErrNotFound)
	_, err = f.s.RateFor(ctx, "nothing", store.ServiceConferencing, "1866")
	f.is(err, store.ErrNotFound)
	rates, err := f.s.ListRates(ctx, f.tariff.ID)
	f.equal(rates, err, []store.Rate{general, special})
	special.TariffID = "nothing"
	f.is(f.s.PutRate(ctx, special), store.ErrNotFound)
}
