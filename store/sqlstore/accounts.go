package sqlstore

import (
	"context"
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
		return err
	}
	return s.write(ctx, fmt.Sprintf("create account %q", a.Name), func(q querier) error {
		n, err := insert(ctx, q, "account", accountColumns, "ON CONFLICT (id) DO NOTHING", a.ID, a.CustomerID, a.Name, a.Currency,
			a.TariffID, 0, a.CreditLimit, 0, flag(a.Blocked), a.MaxParticipants, micros(a.CreatedAt))
		if err != nil || n == 0 || a.Balance == 0 {
			return err
		}
		_, err = post(ctx, q, store.LedgerEntry{ID: store.NewEntryID(), AccountID: a.ID, At: a.CreatedAt,
			Kind: store.EntryTopUp, Amount: a.Balance, Reason: "opening balance", Author: author})
		return err
	})
}

func (s *Store) account(ctx context.Context, sc store.Scope, column string, value any) (store.Account, error) {
	var w where
	w.and(column+" = ?", value).scope(sc, "customer_id")
	a, err := scanAccount(s.reader().QueryRowContext(ctx, "SELECT "+accountColumns+" FROM account"+w.text(), w.args...))
	return a, s.wrap(fmt.Sprint("account ", value), err)
}

func (s *Store) Account(ctx context.Context, sc store.Scope, id store.AccountID) (store.Account, error) {
	return s.account(ctx, sc, "id", id)
}

func (s *Store) AccountByName(ctx context.Context, sc store.Scope, name string) (store.Account, error) {
	return s.account(ctx, sc, "name", name)
}

func (s *Store) ListAccounts(ctx context.Context, sc store.Scope, p store.Page) ([]store.Account, error) {
	var w where
	w.scope(sc, "customer_id")
	tail := w.page(p)
	all, err := list(ctx, s.reader(), scanAccount, "SELECT "+accountColumns+" FROM account"+tail, w.args...)
	return all, s.wrap("list accounts", err)
}

func (s *Store) SetAccountLimits(ctx context.Context, sc store.Scope, id store.AccountID, creditLimit money.Amount, maxParticipants int, blocked bool) error {
	if creditLimit < 0 || maxParticipants < 0 {
		return fmt.Errorf("%w limits %s and %d: they must be 0 or more", store.ErrInvalid, creditLimit, maxParticipants)
	}
	return s.write(ctx, "limits of account "+string(id), func(q querier) error {
		w := where{args: []any{creditLimit, maxParticipants, flag(blocked)}}
		w.and("id = ?", id).scope(sc, "customer_id")
		return one(q.ExecContext(ctx, "UPDATE account SET credit_limit = $1, max_participants = $2, blocked = $3"+w.text(), w.args...))
	})
}

const entryColumns = "id, account_id, at, kind, amount, balance, xdr_id, reason, author"

func scanEntry(r scanner) (e store.LedgerEntry, err error) {
	err = r.Scan(&e.ID, &e.AccountID, instant{&e.At}, &e.Kind, &e.Amount, &e.Balance, &e.XDR, &e.Reason, &e.Author)
	return e, err
}

func (s *Store) PostEntry(ctx context.Context, e store.LedgerEntry) (store.LedgerEntry, error) {
	var kept store.LedgerEntry
	err := s.write(ctx, "post ledger entry "+string(e.ID), func(q querier) error {
		var err error
		kept, err = scanEntry(q.QueryRowContext(ctx, "SELECT "+entryColumns+" FROM ledger_entry WHERE id = $1", e.ID))
		if err == nil {
			return nil // posted before: the call is a repetition
		}
		kept, err = post(ctx, q, e)
		return err
	})
	return kept, err
}

// post changes the balance and writes the entry with what the balance is then.
func post(ctx context.Context, q querier, e store.LedgerEntry) (store.LedgerEntry, error) {
	err := q.QueryRowContext(ctx, "UPDATE account SET balance = balance + $1 WHERE id = $2 RETURNING balance", e.Amount, e.AccountID).Scan(&e.Balance)
	if err != nil {
		return e, err
	}
	_, err = insert(ctx, q, "ledger_entry", entryColumns, "", e.ID, e.AccountID, micros(e.At), e.Kind, e.Amount, e.Balance, e.XDR, e.Reason, e.Author)
	return e, err
}

func (s *Store) ListEntries(ctx context.Context, sc store.Scope, id store.AccountID, p store.Page) ([]store.LedgerEntry, error) {
	if _, err := s.Account(ctx, sc, id); err != nil {
		return nil, err
	}
	var w where
	w.and("account_id = ?", id)
	tail := w.page(p)
	all, err := list(ctx, s.reader(), scanEntry, "SELECT "+entryColumns+" FROM ledger_entry"+tail, w.args...)
	return all, s.wrap("ledger of account "+string(id), err)
}
