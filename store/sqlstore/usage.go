package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/money"
)

func (s *Store) BeginStay(ctx context.Context, p store.Participant, amount money.Amount) error {
	if err := p.Validate(); err != nil {
		return fmt.Errorf("begin a stay: %w", err)
	}
	if err := store.ValidateReservation(amount); err != nil {
		return fmt.Errorf("begin a stay: %w", err)
	}
	return s.transact(ctx, "begin the stay of participant "+string(p.ID), func(q tx) error {
		n, err := insertParticipant(ctx, q, p, amount)
		if err != nil || n == 0 {
			return err // begun before: the call is a repetition
		}
		if err := goesOn(ctx, q, p.ConferenceID); err != nil {
			return err
		}
		return reserve(ctx, q, p.AccountID, amount)
	})
}

// insertParticipant adds an open stay unless it is there.
func insertParticipant(ctx context.Context, q querier, p store.Participant, reserved money.Amount) (int64, error) {
	return insert(ctx, q, "participant", participantColumns+", reserved", "ON CONFLICT (id) DO NOTHING", participantRow(p, reserved)...)
}

// participantRow is an open stay.
func participantRow(p store.Participant, reserved money.Amount) []any {
	return []any{p.ID, p.ConferenceID, p.RoomID, p.CustomerID, p.AccountID, p.CallID, p.Role, flag(p.Owner), p.Caller, p.Called,
		p.Ingress.Site, p.Ingress.Node, p.Focus.Site, p.Focus.Node, p.Incarnation, int64(p.Epoch), micros(p.JoinedAt), 0, "",
		p.Rate.TariffID, p.Rate.AccessNumber, p.Rate.PerMinute, seconds(p.Rate.First), seconds(p.Rate.Next), p.Currency, int64(p.IngressTerm), reserved}
}

func (s *Store) RecordStay(ctx context.Context, p store.Participant, total money.Amount) error {
	if err := errors.Join(p.Validate(), store.ValidateReservation(total)); err != nil {
		return fmt.Errorf("record a stay: %w", err)
	}
	return s.transact(ctx, "record the stay of participant "+string(p.ID), func(q tx) error {
		return recordStay(ctx, q, p, total)
	})
}

func recordStay(ctx context.Context, q querier, p store.Participant, total money.Amount) error {
	if _, err := insertParticipant(ctx, q, p, 0); err != nil {
		return err
	}
	h, err := holdingOf(ctx, q, p.ID)
	if err != nil || h.left != 0 || total <= h.reserved {
		return err
	}
	if _, err := q.ExecContext(ctx, "UPDATE account SET reserved = reserved + $1 WHERE id = $2", total-h.reserved, h.account); err != nil {
		return err
	}
	_, err = q.ExecContext(ctx, "UPDATE participant SET reserved = $1 WHERE id = $2", total, p.ID)
	return err
}

func (s *Store) TakeStay(ctx context.Context, p store.Participant, total money.Amount) error {
	if err := errors.Join(p.Validate(), store.ValidateReservation(total)); err != nil {
		return fmt.Errorf("take a stay over: %w", err)
	}
	return s.transact(ctx, "take the stay of participant "+string(p.ID)+" over", func(q tx) error {
		if err := recordStay(ctx, q, p, total); err != nil {
			return err
		}
		_, err := q.ExecContext(ctx, `UPDATE participant SET ingress_site = $1, ingress_node = $2, incarnation = $3, ingress_term = $4
			WHERE id = $5 AND left_at = 0 AND ingress_term < $4`, p.Ingress.Site, p.Ingress.Node, p.Incarnation, int64(p.IngressTerm), p.ID)
		return err
	})
}

// goesOn says whether a conference takes stays: one that was replaced does not, though
// its focus may not know yet.
func goesOn(ctx context.Context, q querier, id store.ConferenceID) error {
	var ended int64
	var reason string
	err := q.QueryRowContext(ctx, "SELECT ended_at, end_reason FROM conference WHERE id = $1", id).Scan(&ended, &reason)
	switch {
	case err != nil:
		return err
	case ended != 0 && (reason == store.EndSuperseded || reason == store.EndDrain || reason == store.EndMoved):
		return fmt.Errorf("conference %s: %w", id, store.ErrStaleEpoch)
	case ended != 0:
		return fmt.Errorf("conference %s: %w", id, store.ErrClosed)
	}
	return nil
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
	if err := store.ValidateReservation(total); err != nil {
		return fmt.Errorf("extend a reservation: %w", err)
	}
	return s.transact(ctx, "extend the reservation of participant "+string(id), func(q tx) error {
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

// holding is what a stay has of its account's money, and whose it is.
type holding struct {
	stay     store.ParticipantID
	room     store.RoomID
	customer store.CustomerID
	account  store.AccountID
	currency string
	reserved money.Amount
	left     int64
	cause    string
	term     uint64
}

const holdingColumns = "id, room_id, customer_id, account_id, currency, reserved, left_at, cause, ingress_term"

func scanHolding(r scanner) (h holding, err error) {
	err = r.Scan(&h.stay, &h.room, &h.customer, &h.account, &h.currency, &h.reserved, &h.left, &h.cause, &h.term)
	return h, err
}

func holdingOf(ctx context.Context, q querier, id store.ParticipantID) (holding, error) {
	return scanHolding(q.QueryRowContext(ctx, "SELECT "+holdingColumns+" FROM participant WHERE id = $1", id))
}

// fits says whether the xDR is of this stay: one that is not would charge somebody
// else, or show one customer's call to another. Its conference is not compared: what moved
// the stay to another may not have been told yet.
func (h holding) fits(x store.XDR) error {
	if x.RoomID != h.room || x.CustomerID != h.customer || x.AccountID != h.account || x.Currency != h.currency {
		return fmt.Errorf("%w xDR: its room, customer, account or currency is not the stay's; copy them from the participant", store.ErrInvalid)
	}
	return nil
}

const xdrColumns = `id, conference_id, room_id, room_name, customer_id, account_id, call_id, service, caller, called,
	ingress_site, ingress_node, focus_site, focus_node, epoch, started_at, ended_at, duration_s, billed_s,
	rate_tariff_id, rate_access_number, rate_per_minute, rate_first_s, rate_next_s, amount, currency, cause, quality, recorded_at,
	inbound_mos, inbound_mos_worst, inbound_loss, outbound_mos, outbound_mos_worst, outbound_loss`

func scanXDR(r scanner) (x store.XDR, err error) {
	var quality string
	err = r.Scan(&x.ID, &x.ConferenceID, &x.RoomID, &x.RoomName, &x.CustomerID, &x.AccountID, &x.CallID, &x.Service, &x.Caller, &x.Called,
		&x.Ingress.Site, &x.Ingress.Node, &x.Focus.Site, &x.Focus.Node, &x.Epoch, instant{&x.StartedAt}, instant{&x.EndedAt},
		span{&x.Duration, time.Second}, span{&x.Billed, time.Second}, &x.Rate.TariffID, &x.Rate.AccessNumber, &x.Rate.PerMinute,
		span{&x.Rate.First, time.Second}, span{&x.Rate.Next, time.Second}, &x.Amount, &x.Currency, &x.Cause, &quality, instant{&x.RecordedAt},
		&x.Inbound.MOS, &x.Inbound.WorstMOS, &x.Inbound.Loss, &x.Outbound.MOS, &x.Outbound.WorstMOS, &x.Outbound.Loss)
	x.Rate.Service, x.Quality = x.Service, object(quality)
	return x, err
}

func (s *Store) SettleStay(ctx context.Context, x store.XDR) (settled bool, err error) {
	if err := x.Validate(); err != nil {
		return false, fmt.Errorf("settle a stay: %w", err)
	}
	entry := store.NewEntryID() // the same in every run of the transaction
	err = s.transact(ctx, "settle the stay of participant "+string(x.ID), func(q tx) error {
		settled = false
		h, err := holdingOf(ctx, q, x.ID)
		if err != nil {
			return err
		}
		if h.left != 0 {
			settled, err = q.mine(ctx, "SELECT COUNT(*) FROM ledger_entry WHERE id = $1", entry)
			return err
		}
		if err := h.fits(x); err != nil {
			return err
		}
		if x.IngressTerm < h.term {
			return nil // the stay goes on at the node that has taken its call over
		}
		settled = true
		return closeStay(ctx, q, x, h, entry)
	})
	return settled && err == nil, err
}

// closeStay ends the stay, records it, charges the account, and gives the reservation
// back.
func closeStay(ctx context.Context, q querier, x store.XDR, h holding, entry store.EntryID) error {
	if _, err := q.ExecContext(ctx, "UPDATE participant SET left_at = $1, cause = $2, reserved = 0 WHERE id = $3",
		micros(x.EndedAt), x.Cause, x.ID); err != nil {
		return err
	}
	if _, err := insert(ctx, q, "xdr", xdrColumns, "", xdrRow(x)...); err != nil {
		return err
	}
	_, err := post(ctx, q, chargeOf(x, entry), h.reserved)
	return err
}

func xdrRow(x store.XDR) []any {
	return []any{x.ID, x.ConferenceID, x.RoomID, x.RoomName, x.CustomerID,
		x.AccountID, x.CallID, x.Service, x.Caller, x.Called, x.Ingress.Site, x.Ingress.Node, x.Focus.Site, x.Focus.Node, int64(x.Epoch),
		micros(x.StartedAt), micros(x.EndedAt), seconds(x.Duration), seconds(x.Billed), x.Rate.TariffID, x.Rate.AccessNumber,
		x.Rate.PerMinute, seconds(x.Rate.First), seconds(x.Rate.Next), x.Amount, x.Currency, x.Cause, string(x.Quality), micros(x.RecordedAt),
		x.Inbound.MOS, x.Inbound.WorstMOS, x.Inbound.Loss, x.Outbound.MOS, x.Outbound.WorstMOS, x.Outbound.Loss}
}

// chargeOf is the ledger entry of an xDR, which is of the account that the stay is of (fits).
func chargeOf(x store.XDR, id store.EntryID) store.LedgerEntry {
	return store.LedgerEntry{ID: id, AccountID: x.AccountID, At: x.RecordedAt, Kind: store.EntryUsage,
		Amount: -x.Amount, XDR: x.ID, Reason: fmt.Sprintf("%s in %s", x.Caller, x.RoomName), Author: "billing"}
}

func (s *Store) XDR(ctx context.Context, sc store.Scope, id store.ParticipantID) (store.XDR, error) {
	var w where
	w.and("id = ?", id).scope(sc, "customer_id")
	return find(ctx, s, "xDR "+string(id), scanXDR, "SELECT "+xdrColumns+" FROM xdr"+w.text(), w.args...)
}

func (s *Store) ListXDRs(ctx context.Context, sc store.Scope, f store.XDRFilter, p store.Page) ([]store.XDR, error) {
	var w where
	w.scope(sc, "customer_id").between("ended_at", f.From, f.To)
	named(&w, "account_id", f.AccountID)
	named(&w, "room_id", f.RoomID)
	return list(ctx, s, "list xDRs", scanXDR, xdrColumns, "xdr", w, p)
}
