package api

import (
	"context"
	"net/http"
	"time"

	"github.com/conclave-voice/conclave/api/v1"
	"github.com/conclave-voice/conclave/store"
)

func (s *server) tariffs() {
	register(s, endpoint{method: http.MethodGet, path: "/tariffs", id: "list-tariffs", tag: "Tariffs",
		summary: "List tariffs", access: operator}, s.listTariffs)
	register(s, endpoint{method: http.MethodPost, path: "/tariffs", id: "add-tariff", tag: "Tariffs",
		summary: "Add a tariff", access: operator, status: http.StatusCreated, errors: []int{http.StatusConflict}}, s.addTariff)
	register(s, endpoint{method: http.MethodGet, path: "/tariffs/{tariff}/rates", id: "list-rates", tag: "Tariffs",
		summary: "List the rates of a tariff", access: operator, errors: []int{http.StatusNotFound}}, s.listRates)
	register(s, endpoint{method: http.MethodPut, path: "/tariffs/{tariff}/rates", id: "put-rate", tag: "Tariffs",
		summary: "Set a rate", doc: "Replaces the rate of the same service and access number. Stays that run keep the rate that they began with.",
		access: operator, errors: []int{http.StatusNotFound}}, s.putRate)
}

// InTariff is a tariff in a path.
type InTariff struct {
	Tariff string `path:"tariff" maxLength:"255" doc:"Id or name"`
}

func tariffView(t store.Tariff) v1.Tariff {
	return v1.Tariff{ID: string(t.ID), Name: t.Name, Currency: t.Currency}
}

func rateView(currency string) func(store.Rate) v1.Rate {
	return func(r store.Rate) v1.Rate {
		return v1.Rate{Service: string(r.Service), AccessNumber: r.AccessNumber, PerMinute: r.PerMinute,
			FirstSeconds: int(r.First / time.Second), NextSeconds: int(r.Next / time.Second), Currency: currency}
	}
}

// tariff finds one by id or name. There are few.
func (s *server) tariff(ctx context.Context, idOrName string) (store.Tariff, error) {
	for p := (store.Page{Limit: maxPage}); ; {
		rows, err := s.Store.ListTariffs(ctx, p)
		if err != nil {
			return store.Tariff{}, err
		}
		for _, t := range rows {
			if string(t.ID) == idOrName || t.Name == idOrName {
				return t, nil
			}
		}
		if len(rows) < p.Limit {
			return store.Tariff{}, problem(http.StatusNotFound, "tariff %q: there is none with this id or name; a list of tariffs shows what there is", idOrName)
		}
		p.After = string(rows[len(rows)-1].ID)
	}
}

func (s *server) listTariffs(ctx context.Context, in *struct{ Paging }) (*reply[v1.Page[v1.Tariff]], error) {
	rows, err := s.Store.ListTariffs(ctx, in.page())
	if err != nil {
		return nil, err
	}
	return pageOf(in.page(), rows, func(t store.Tariff) string { return string(t.ID) }, tariffView), nil
}

func (s *server) addTariff(ctx context.Context, in *struct{ Body v1.NewTariff }) (*reply[v1.Tariff], error) {
	t := store.Tariff{ID: store.NewTariffID(), Name: in.Body.Name, Currency: in.Body.Currency}
	if err := s.Store.CreateTariff(ctx, t); err != nil {
		return nil, err
	}
	return &reply[v1.Tariff]{tariffView(t)}, nil
}

func (s *server) listRates(ctx context.Context, in *InTariff) (*reply[v1.Page[v1.Rate]], error) {
	t, err := s.tariff(ctx, in.Tariff)
	if err != nil {
		return nil, err
	}
	rows, err := s.Store.ListRates(ctx, t.ID)
	if err != nil {
		return nil, err
	}
	return whole(rows, rateView(t.Currency)), nil
}

func (s *server) putRate(ctx context.Context, in *struct {
	InTariff
	Body v1.Rate
}) (*reply[v1.Rate], error) {
	t, err := s.tariff(ctx, in.Tariff)
	if err != nil {
		return nil, err
	}
	b := in.Body
	r := store.Rate{TariffID: t.ID, Service: store.Service(b.Service), AccessNumber: b.AccessNumber, PerMinute: b.PerMinute,
		First: time.Duration(b.FirstSeconds) * time.Second, Next: time.Duration(b.NextSeconds) * time.Second}
	if r.Service == "" {
		r.Service = store.ServiceConferencing
	}
	if err := s.Store.PutRate(ctx, r); err != nil {
		return nil, err
	}
	return &reply[v1.Rate]{rateView(t.Currency)(r)}, nil
}
