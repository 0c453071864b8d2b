package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/money"
)

const accountColumns = `id, customer_id, name, currency, tariff_id, balance, credit_limit, reserved, blocked,
	max_participants, created_at`

func scanAccount(r scanner) (a store.Account, err error) {
	err = r.Scan(&a.ID, &a.CustomerID, &a.Name, &a.Currency, &a.TariffID, &a.Balance, &a.CreditLimit, &a.Reserved, &a.Blocked,
		&a.MaxParticipants, instant{&a.CreatedAt})
	return a, err
}

func (s *Store) CreateAccount(ctx context.Context, a store.Account, author string) error {
	if err := a.Validate(); err != nil {
		return fmt.Errorf("create account: %w", err)
	}
	return s.transact(ctx, fmt.Sprintf("create account %q", a.Name), func(q tx) error {
		if err := tariffFits(ctx, q, a); err != nil {
			return err
		}
		n, err := insert(ctx, q, "account", accountColumns, "ON CONFLICT (id) DO NOTHING", a.ID, a.CustomerID, a.Name, a.Currency,
			a.TariffID, 0, a.CreditLimit, 0, flag(a.Blocked), a.MaxParticipants, micros(a.CreatedAt))
		if err != nil || n == 0 {
			return s.taken(err, "the name")
		}
		if err := changed(ctx, q, accounts, a.ID); err != nil || a.Balance == 0 {
			return err
		}
		_, err = post(ctx, q, store.LedgerEntry{ID: store.NewEntryID(), AccountID: a.ID, At: a.CreatedAt,
			Kind: store.EntryTopUp, Amount: a.Balance, Reason: "opening balance", Author: author}, 0)
		return err
	})
}

// tariffFits says whether the account can be charged by its tariff. The table would
// refuse it too, but not say why.
func tariffFits(ctx context.Context, q querier, a store.Account) error {
	t, err := scanTariff(q.QueryRowContext(ctx, "SELECT "+tariffColumns+" FROM tariff WHERE id = $1", a.TariffID))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("tariff %q: %w", a.TariffID, store.ErrNotFound)
	case err == nil && t.Currency != a.Currency:
		return fmt.Errorf("%w currency %q: tariff %q is in %s; use the tariff's, or another tariff", store.ErrInvalid, a.Currency, t.Name, t.Currency)
	}
	return err
}

func (s *Store) account(ctx context.Context, sc store.Scope, column, value string) (store.Account, error) {
	var w where
	w.and(column+" = ?", value).scope(sc, "customer_id")
	return find(ctx, s, fmt.Sprintf("account %q", value), scanAccount, "SELECT "+accountColumns+" FROM account"+w.text(), w.args...)
}

func (s *Store) Account(ctx context.Context, sc store.Scope, id store.AccountID) (store.Account, error) {
	return s.account(ctx, sc, "id", string(id))
}

func (s *Store) AccountByName(ctx context.Context, sc store.Scope, name string) (store.Account, error) {
	return s.account(ctx, sc, "name", name)
}

func (s *Store) ListAccounts(ctx context.Context, sc store.Scope, p store.Page) ([]store.Account, error) {
	var w where
	w.scope(sc, "customer_id")
	return list(ctx, s, "list accounts", scanAccount, accountColumns, "account", w, p)
}

func (s *Store) SetAccountLimits(ctx context.Context, sc store.Scope, id store.AccountID, creditLimit money.Amount, maxParticipants int, blocked bool) error {
	if err := store.ValidateLimits(creditLimit, maxParticipants); err != nil {
		return fmt.Errorf("limits of account %s: %w", id, err)
	}
	return s.transact(ctx, "limits of account "+string(id), func(q tx) error {
		w := where{args: []any{creditLimit, maxParticipants, flag(blocked)}}
		w.and("id = ?", id).scope(sc, "customer_id")
		if err := one(q.ExecContext(ctx, "UPDATE account SET credit_limit = $1, max_participants = $2, blocked = $3"+w.text(), w.args...)); err != nil {
			return err
		}
		return changed(ctx, q, accounts, id)
	})
}

const entryColumns = "id, account_id, at, kind, amount, balance, xdr_id, reason, author"

func scanEntry(r scanner) (e store.LedgerEntry, err error) {
	err = r.Scan(&e.ID, &e.AccountID, instant{&e.At}, &e.Kind, &e.Amount, &e.Balance, &e.XDR, &e.Reason, &e.Author)
	return e, err
}

func (s *Store) PostEntry(ctx context.Context, e store.LedgerEntry) (posted store.LedgerEntry, err error) {
	if err := e.Validate(); err != nil {
		return e, fmt.Errorf("post ledger entry: %w", err)
	}
	err = s.transact(ctx, "post ledger entry "+string(e.ID), func(q tx) error {
		first, err := scanEntry(q.QueryRowContext(ctx, "SELECT "+entryColumns+" FROM ledger_entry WHERE id = $1", e.ID))
		switch {
		case errors.Is(err, sql.ErrNoRows):
			posted, err = post(ctx, q, e, 0)
		case err == nil && first.AccountID != e.AccountID:
			return fmt.Errorf("%w: the entry's id is taken; make a new one", store.ErrConflict)
		case err == nil:
			posted = first // posted before: the call is a repetition
		}
		return err
	})
	return posted, err
}

// post changes the balance, gives back what was reserved for the entry, and writes
// the entry with what the balance is then.
func post(ctx context.Context, q querier, e store.LedgerEntry, reserved money.Amount) (store.LedgerEntry, error) {
	e.At = kept(e.At)
	err := q.QueryRowContext(ctx, "UPDATE account SET balance = balance + $1, reserved = reserved - $2 WHERE id = $3 RETURNING balance",
		e.Amount, reserved, e.AccountID).Scan(&e.Balance)
	if err != nil {
		return e, err
	}
	_, err = insert(ctx, q, "ledger_entry", entryColumns, "", entryRow(e)...)
	return e, err
}

func entryRow(e store.LedgerEntry) []any {
	return []any{e.ID, e.AccountID, micros(e.At), e.Kind, e.Amount, e.Balance, e.XDR, e.Reason, e.Author}
}

func (s *Store) ListEntries(ctx context.Context, sc store.Scope, id store.AccountID, p store.Page) ([]store.LedgerEntry, error) {
	if _, err := s.Account(ctx, sc, id); err != nil {
		return nil, err
	}
	var w where
	w.and("account_id = ?", id)
	return list(ctx, s, "ledger of account "+string(id), scanEntry, entryColumns, "ledger_entry", w, p)
}

func (s *Store) OpenReservations(ctx context.Context, id store.AccountID) (money.Amount, error) {
	// The cast, because PostgreSQL adds integers up to a NUMERIC.
	return find(ctx, s, "open reservations of account "+string(id), func(r scanner) (sum money.Amount, err error) {
		err = r.Scan(&sum)
		return sum, err
	}, "SELECT CAST(COALESCE(SUM(reserved), 0) AS BIGINT) FROM participant WHERE account_id = $1 AND left_at = 0", id)
}
