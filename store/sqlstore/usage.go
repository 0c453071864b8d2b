package sqlstore

import (
	"context"
	"fmt"
	"time"

	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/money"
)

func (s *Store) BeginStay(ctx context.Context, p store.Participant, amount money.Amount) error {
	return s.write(ctx, "begin the stay of participant "+string(p.ID), func(q querier) error {
		n, err := insert(ctx, q, "participant", participantColumns+", reserved", "ON CONFLICT (id) DO NOTHING",
			p.ID, p.ConferenceID, p.RoomID, p.CustomerID, p.AccountID, p.CallID, p.Role, flag(p.Owner), p.Caller, p.Called,
			p.Ingress.Site, p.Ingress.Node, p.Focus.Site, p.Focus.Node, p.Incarnation, int64(p.Epoch), micros(p.JoinedAt), 0, "",
			p.Rate.TariffID, p.Rate.AccessNumber, p.Rate.PerMinute, seconds(p.Rate.First), seconds(p.Rate.Next), p.Currency, amount)
		if err != nil || n == 0 {
			return err
		}
		return reserve(ctx, q, p.AccountID, amount)
	})
}

// reserve promises money of an account if it has that much left. The condition
// and the change are one statement, so that no two stays get the same money.
func reserve(ctx context.Context, q querier, id store.AccountID, amount money.Amount) error {
	if amount == 0 {
		return nil
	}
	n, err := affected(q.ExecContext(ctx, `UPDATE account SET reserved = reserved + $1
		WHERE id = $2 AND balance + credit_limit - reserved >= $1`, amount, id))
	if err == nil && n == 0 {
		return store.ErrInsufficientFunds
	}
	return err
}

func (s *Store) ExtendReservation(ctx context.Context, id store.ParticipantID, total money.Amount) error {
	return s.write(ctx, "extend the reservation of participant "+string(id), func(q querier) error {
		h, err := holdingOf(ctx, q, id)
		switch {
		case err != nil:
			return err
		case h.left != 0:
			return store.ErrClosed
		case total <= h.reserved:
			return nil
		}
		if err := reserve(ctx, q, h.account, total-h.reserved); err != nil {
			return err
		}
		_, err = q.ExecContext(ctx, "UPDATE participant SET reserved = $1 WHERE id = $2", total, id)
		return err
	})
}

// holding is what an open stay has of its account's money.
type holding struct {
	account  store.AccountID
	reserved money.Amount
	left     int64
}

func holdingOf(ctx context.Context, q querier, id store.ParticipantID) (h holding, err error) {
	err = q.QueryRowContext(ctx, "SELECT account_id, reserved, left_at FROM participant WHERE id = $1", id).Scan(&h.account, &h.reserved, &h.left)
	return h, err
}

const xdrColumns = `id, conference_id, room_id, room_name, customer_id, account_id, call_id, service, caller, called,
	ingress_site, ingress_node, focus_site, focus_node, epoch, started_at, ended_at, duration_s, billed_s,
	rate_tariff_id, rate_access_number, rate_per_minute, rate_first_s, rate_next_s, amount, currency, cause, quality, recorded_at`

func scanXDR(r scanner) (x store.XDR, err error) {
	var quality string
	err = r.Scan(&x.ID, &x.ConferenceID, &x.RoomID, &x.RoomName, &x.CustomerID, &x.AccountID, &x.CallID, &x.Service, &x.Caller, &x.Called,
		&x.Ingress.Site, &x.Ingress.Node, &x.Focus.Site, &x.Focus.Node, &x.Epoch, instant{&x.StartedAt}, instant{&x.EndedAt},
		span{&x.Duration, time.Second}, span{&x.Billed, time.Second}, &x.Rate.TariffID, &x.Rate.AccessNumber, &x.Rate.PerMinute,
		span{&x.Rate.First, time.Second}, span{&x.Rate.Next, time.Second}, &x.Amount, &x.Currency, &x.Cause, &quality, instant{&x.RecordedAt})
	x.Rate.Service, x.Quality = x.Service, object(quality)
	return x, err
}

func (s *Store) SettleStay(ctx context.Context, x store.XDR) (settled bool, err error) {
	err = s.write(ctx, "settle the stay of participant "+string(x.ID), func(q querier) error {
		settled = false
		h, err := holdingOf(ctx, q, x.ID)
		if err != nil {
			return err
		}
		// The xDR's key decides who is first; the rest follows only then.
		n, err := insert(ctx, q, "xdr", xdrColumns, "ON CONFLICT (id) DO NOTHING", x.ID, x.ConferenceID, x.RoomID, x.RoomName, x.CustomerID,
			x.AccountID, x.CallID, x.Service, x.Caller, x.Called, x.Ingress.Site, x.Ingress.Node, x.Focus.Site, x.Focus.Node, int64(x.Epoch),
			micros(x.StartedAt), micros(x.EndedAt), seconds(x.Duration), seconds(x.Billed), x.Rate.TariffID, x.Rate.AccessNumber,
			x.Rate.PerMinute, seconds(x.Rate.First), seconds(x.Rate.Next), x.Amount, x.Currency, x.Cause, string(x.Quality), micros(x.RecordedAt))
		if err != nil || n == 0 {
			return err
		}
		settled = true
		return s.closeStay(ctx, q, x, h)
	})
	return settled && err == nil, err
}

// closeStay charges the account, gives the reservation back, and ends the stay.
func (s *Store) closeStay(ctx context.Context, q querier, x store.XDR, h holding) error {
	if _, err := post(ctx, q, store.LedgerEntry{ID: store.NewEntryID(), AccountID: h.account, At: x.RecordedAt, Kind: store.EntryUsage,
		Amount: -x.Amount, XDR: x.ID, Reason: fmt.Sprintf("%s in %s", x.Caller, x.RoomName), Author: "billing"}); err != nil {
		return err
	}
	if _, err := q.ExecContext(ctx, "UPDATE account SET reserved = reserved - $1 WHERE id = $2", h.reserved, h.account); err != nil {
		return err
	}
	_, err := q.ExecContext(ctx, "UPDATE participant SET left_at = $1, cause = $2, reserved = 0 WHERE id = $3", micros(x.EndedAt), x.Cause, x.ID)
	return err
}

func (s *Store) XDR(ctx context.Context, sc store.Scope, id store.ParticipantID) (store.XDR, error) {
	var w where
	w.and("id = ?", id).scope(sc, "customer_id")
	x, err := scanXDR(s.reader().QueryRowContext(ctx, "SELECT "+xdrColumns+" FROM xdr"+w.text(), w.args...))
	return x, s.wrap("xDR "+string(id), err)
}

func (s *Store) ListXDRs(ctx context.Context, sc store.Scope, f store.XDRFilter, p store.Page) ([]store.XDR, error) {
	var w where
	w.scope(sc, "customer_id")
	if f.AccountID != "" {
		w.and("account_id = ?", f.AccountID)
	}
	if f.RoomID != "" {
		w.and("room_id = ?", f.RoomID)
	}
	if !f.From.IsZero() {
		w.and("ended_at >= ?", micros(f.From))
	}
	if !f.To.IsZero() {
		w.and("ended_at < ?", micros(f.To))
	}
	tail := w.page(p)
	all, err := list(ctx, s.reader(), scanXDR, "SELECT "+xdrColumns+" FROM xdr"+tail, w.args...)
	return all, s.wrap("list xDRs", err)
}
