package billing

import (
	"context"
	"fmt"

	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/money"
)

// verifyTries is how often an account that does not add up is looked at: entries may
// be made while it is read.
const verifyTries = 3

// verifyPage is how many rows are read at once.
const verifyPage = 1000

// Discrepancy is an account that does not add up.
type Discrepancy struct {
	Account  store.AccountID
	Balance  money.Amount // what the account says
	Entries  money.Amount // what its ledger says
	Reserved money.Amount // what it has promised; below 0 cannot be
}

// Verify checks each account: its balance is the sum of its entries (SPEC BL7), and
// what is reserved is not below zero. It returns the accounts of which that is not
// true. It reads every entry there is: run it by night, not by the minute. That what
// is reserved is the sum of the open stays' shares is not checked: the store does not
// tell those.
func (l *Ledger) Verify(ctx context.Context) ([]Discrepancy, error) {
	var wrong []Discrepancy
	for page := (store.Page{Limit: verifyPage}); ; {
		accounts, err := l.store.ListAccounts(ctx, store.Scope{}, page)
		if err != nil {
			return wrong, fmt.Errorf("verify ledgers: %w", err)
		}
		for _, a := range accounts {
			d, ok, err := l.verify(ctx, a.ID)
			if err != nil {
				return wrong, fmt.Errorf("verify the ledger of account %s: %w", a.ID, err)
			}
			if !ok {
				wrong = append(wrong, d)
			}
			page.After = string(a.ID)
		}
		if len(accounts) < verifyPage {
			return wrong, nil
		}
	}
}

// verify checks one account, again if it does not add up.
func (l *Ledger) verify(ctx context.Context, id store.AccountID) (d Discrepancy, ok bool, err error) {
	for range verifyTries {
		account, err := l.store.Account(ctx, store.Scope{}, id)
		if err != nil {
			return d, false, err
		}
		sum, err := l.sum(ctx, id)
		if err != nil {
			return d, false, err
		}
		d = Discrepancy{Account: id, Balance: account.Balance, Entries: sum, Reserved: account.Reserved}
		if d.Balance == d.Entries && d.Reserved >= 0 {
			return d, true, nil
		}
	}
	return d, false, nil
}

// sum adds up the entries of an account.
func (l *Ledger) sum(ctx context.Context, id store.AccountID) (money.Amount, error) {
	var sum money.Amount
	for page := (store.Page{Limit: verifyPage}); ; {
		entries, err := l.store.ListEntries(ctx, store.Scope{}, id, page)
		if err != nil {
			return 0, err
		}
		for _, e := range entries {
			if sum, err = sum.Add(e.Amount); err != nil {
				return 0, fmt.Errorf("at entry %s: %w", e.ID, err)
			}
			page.After = string(e.ID)
		}
		if len(entries) < verifyPage {
			return sum, nil
		}
	}
}
