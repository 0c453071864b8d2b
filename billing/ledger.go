package billing

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jonboulle/clockwork"

	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/money"
)

// ErrEntry: a ledger entry that may not be made; the text says why.
var ErrEntry = errors.New("ledger entry refused")

// LedgerStore is what keeps ledgers.
type LedgerStore interface {
	PostEntry(ctx context.Context, e store.LedgerEntry) (store.LedgerEntry, error)
	Account(ctx context.Context, s store.Scope, id store.AccountID) (store.Account, error)
	ListAccounts(ctx context.Context, s store.Scope, p store.Page) ([]store.Account, error)
	ListEntries(ctx context.Context, s store.Scope, id store.AccountID, p store.Page) ([]store.LedgerEntry, error)
}

// Ledger makes the entries that people make. It is safe for concurrent use.
type Ledger struct {
	store LedgerStore
	clock clockwork.Clock
}

// NewLedger makes a ledger over a store.
func NewLedger(s LedgerStore, clock clockwork.Clock) *Ledger { return &Ledger{store: s, clock: clock} }

// TopUp adds money. Giving the id of an earlier entry again returns that entry.
func (l *Ledger) TopUp(ctx context.Context, id store.EntryID, account store.AccountID, amount money.Amount, reason, author string) (store.LedgerEntry, error) {
	if amount <= 0 {
		return store.LedgerEntry{}, fmt.Errorf("%w: a top-up of %s; it must be above 0 (an adjustment may be below)", ErrEntry, amount)
	}
	return l.post(ctx, store.LedgerEntry{ID: id, AccountID: account, Kind: store.EntryTopUp, Amount: amount, Reason: reason, Author: author})
}

// Adjust adds or takes money, to put something right. It needs a reason.
func (l *Ledger) Adjust(ctx context.Context, id store.EntryID, account store.AccountID, amount money.Amount, reason, author string) (store.LedgerEntry, error) {
	switch {
	case amount == 0:
		return store.LedgerEntry{}, fmt.Errorf("%w: an adjustment of 0", ErrEntry)
	case strings.TrimSpace(reason) == "":
		return store.LedgerEntry{}, fmt.Errorf("%w: an adjustment needs a reason", ErrEntry)
	}
	return l.post(ctx, store.LedgerEntry{ID: id, AccountID: account, Kind: store.EntryAdjustment, Amount: amount, Reason: reason, Author: author})
}

func (l *Ledger) post(ctx context.Context, e store.LedgerEntry) (store.LedgerEntry, error) {
	if strings.TrimSpace(e.Author) == "" {
		return store.LedgerEntry{}, fmt.Errorf("%w: it must say who made it", ErrEntry)
	}
	if e.ID == "" {
		e.ID = store.NewEntryID()
	}
	e.At = l.clock.Now().UTC()
	entry, err := l.store.PostEntry(ctx, e)
	if err != nil {
		return store.LedgerEntry{}, fmt.Errorf("post a ledger entry to account %s: %w", e.AccountID, err)
	}
	return entry, nil
}
