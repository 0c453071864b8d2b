package sqlstore

import (
	"context"
	"fmt"
	"time"

	"github.com/conclave-voice/conclave/store"
)

const tariffColumns = "id, name, currency"

func scanTariff(r scanner) (t store.Tariff, err error) {
	err = r.Scan(&t.ID, &t.Name, &t.Currency)
	return t, err
}

func (s *Store) CreateTariff(ctx context.Context, t store.Tariff) error {
	if err := t.Validate(); err != nil {
		return fmt.Errorf("create tariff: %w", err)
	}
	return s.create(ctx, fmt.Sprintf("create tariff %q", t.Name), "the name", tariffs, tariffColumns, t.ID, t.Name, t.Currency)
}

func (s *Store) ListTariffs(ctx context.Context, p store.Page) ([]store.Tariff, error) {
	return list(ctx, s, "list tariffs", scanTariff, tariffColumns, "tariff", where{}, p)
}

const rateColumns = "tariff_id, service, access_number, per_minute, first_s, next_s"

func scanRate(r scanner) (t store.Rate, err error) {
	err = r.Scan(&t.TariffID, &t.Service, &t.AccessNumber, &t.PerMinute, span{&t.First, time.Second}, span{&t.Next, time.Second})
	return t, err
}

func (s *Store) PutRate(ctx context.Context, r store.Rate) error {
	if err := r.Validate(); err != nil {
		return fmt.Errorf("put rate: %w", err)
	}
	return s.transact(ctx, "put rate", func(q tx) error {
		n, err := insert(ctx, q, "rate", rateColumns, `ON CONFLICT (tariff_id, service, access_number) DO UPDATE SET
			per_minute = excluded.per_minute, first_s = excluded.first_s, next_s = excluded.next_s`,
			r.TariffID, r.Service, r.AccessNumber, r.PerMinute, seconds(r.First), seconds(r.Next))
		return noted(ctx, q, rates, r.TariffID, n, err)
	})
}

func (s *Store) ListRates(ctx context.Context, t store.TariffID) ([]store.Rate, error) {
	return all(ctx, s, fmt.Sprintf("rates of tariff %s", t), scanRate,
		"SELECT "+rateColumns+" FROM rate WHERE tariff_id = $1 ORDER BY service, access_number", t)
}

func (s *Store) RateFor(ctx context.Context, t store.TariffID, service store.Service, number string) (store.Rate, error) {
	// The empty number of the general rate sorts behind every other.
	return find(ctx, s, fmt.Sprintf("rate of tariff %s for %s by %q", t, service, number), scanRate, "SELECT "+rateColumns+` FROM rate
		WHERE tariff_id = $1 AND service = $2 AND access_number IN ($3, '')
		ORDER BY access_number DESC LIMIT 1`, t, service, number)
}
