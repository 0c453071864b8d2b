package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/google/uuid"

	"github.com/conclave-voice/conclave/api/v1"
	"github.com/conclave-voice/conclave/store"
)

func (s *server) accounts() {
	register(s, endpoint{method: http.MethodGet, path: "/accounts", id: "list-accounts", tag: "Accounts",
		summary: "List accounts", access: seer}, s.listAccounts)
	register(s, endpoint{method: http.MethodPost, path: "/accounts", id: "add-account", tag: "Accounts",
		summary: "Add an account", access: operator, status: http.StatusCreated, errors: []int{http.StatusConflict}}, s.addAccount)
	register(s, endpoint{method: http.MethodGet, path: "/accounts/{account}", id: "get-account", tag: "Accounts",
		summary: "Show an account", access: seer, errors: []int{http.StatusNotFound}}, s.getAccount)
	register(s, endpoint{method: http.MethodPatch, path: "/accounts/{account}", id: "limit-account", tag: "Accounts",
		summary: "Change an account's limits, or block it", access: operator, errors: []int{http.StatusNotFound}}, s.limitAccount)
	register(s, endpoint{method: http.MethodGet, path: "/accounts/{account}/entries", id: "list-entries", tag: "Accounts",
		summary: "List an account's ledger", access: seer, errors: []int{http.StatusNotFound}}, s.listEntries)
	register(s, endpoint{method: http.MethodPost, path: "/accounts/{account}/top-ups", id: "top-up", tag: "Accounts",
		summary: "Add money", access: operator, status: http.StatusCreated, errors: []int{http.StatusNotFound, http.StatusConflict}}, s.topUp)
	register(s, endpoint{method: http.MethodPost, path: "/accounts/{account}/adjustments", id: "adjust", tag: "Accounts",
		summary: "Add or take money to put something right", doc: "It needs a reason. Entries are never changed: an adjustment is one more.",
		access: operator, status: http.StatusCreated, errors: []int{http.StatusNotFound, http.StatusConflict}}, s.adjust)
}

// Named is an account in a path.
type Named struct {
	Account string `path:"account" maxLength:"255" doc:"Id or name" example:"conf1234"`
}

func accountView(a store.Account) v1.Account {
	return v1.Account{ID: string(a.ID), CustomerID: string(a.CustomerID), Name: a.Name, Currency: a.Currency, TariffID: string(a.TariffID),
		Balance: a.Balance, CreditLimit: a.CreditLimit, Reserved: a.Reserved, Funds: a.Funds(), Blocked: a.Blocked,
		MaxParticipants: a.MaxParticipants, CreatedAt: a.CreatedAt}
}

func entryView(currency string) func(store.LedgerEntry) v1.LedgerEntry {
	return func(e store.LedgerEntry) v1.LedgerEntry {
		return v1.LedgerEntry{ID: string(e.ID), AccountID: string(e.AccountID), At: e.At, Kind: string(e.Kind), Amount: e.Amount,
			Balance: e.Balance, Currency: currency, XDRID: string(e.XDR), Reason: e.Reason, Author: e.Author}
	}
}

// account finds one by id or name, within what the caller may see.
func (s *server) account(ctx context.Context, idOrName string) (store.Account, error) {
	scope := callerOf(ctx).scope
	if uuid.Validate(idOrName) == nil {
		a, err := s.Store.Account(ctx, scope, store.AccountID(idOrName))
		if !errors.Is(err, store.ErrNotFound) {
			return a, err
		}
	}
	return s.Store.AccountByName(ctx, scope, idOrName)
}

// accountIn is account for one that a body or a query names: that it is not there is
// the request's fault and not the path's.
func (s *server) accountIn(ctx context.Context, idOrName string) (store.Account, error) {
	a, err := s.account(ctx, idOrName)
	if errors.Is(err, store.ErrNotFound) {
		return a, problem(http.StatusUnprocessableEntity, "account %q: there is none with this id or name; a list of accounts shows what there is", idOrName)
	}
	return a, err
}

func (s *server) listAccounts(ctx context.Context, in *struct {
	Tenant
	Paging
}) (*reply[v1.Page[v1.Account]], error) {
	scope, err := in.scope(callerOf(ctx))
	if err != nil {
		return nil, err
	}
	rows, err := s.Store.ListAccounts(ctx, scope, in.page())
	if err != nil {
		return nil, err
	}
	return pageOf(in.page(), rows, func(a store.Account) string { return string(a.ID) }, accountView), nil
}

func (s *server) addAccount(ctx context.Context, in *struct{ Body v1.NewAccount }) (*reply[v1.Account], error) {
	b := in.Body
	tariff, err := s.tariff(ctx, b.TariffID)
	if err != nil {
		return nil, err
	}
	a := store.Account{ID: store.NewAccountID(), CustomerID: store.CustomerID(b.CustomerID), Name: b.Name, Currency: tariff.Currency,
		TariffID: tariff.ID, Balance: b.OpeningBalance, CreditLimit: b.CreditLimit, Blocked: b.Blocked,
		MaxParticipants: b.MaxParticipants, CreatedAt: s.now()}
	if err := s.Store.CreateAccount(ctx, a, callerOf(ctx).by().String()); err != nil {
		return nil, asReference(err, "customer "+b.CustomerID)
	}
	return &reply[v1.Account]{accountView(a)}, nil
}

func (s *server) getAccount(ctx context.Context, in *Named) (*reply[v1.Account], error) {
	a, err := s.account(ctx, in.Account)
	if err != nil {
		return nil, err
	}
	return &reply[v1.Account]{accountView(a)}, nil
}

func (s *server) limitAccount(ctx context.Context, in *struct {
	Named
	Body v1.AccountLimits
}) (*reply[v1.Account], error) {
	a, err := s.account(ctx, in.Account)
	if err != nil {
		return nil, err
	}
	set(&a.CreditLimit, in.Body.CreditLimit)
	set(&a.MaxParticipants, in.Body.MaxParticipants)
	set(&a.Blocked, in.Body.Blocked)
	if err := s.Store.SetAccountLimits(ctx, callerOf(ctx).scope, a.ID, a.CreditLimit, a.MaxParticipants, a.Blocked); err != nil {
		return nil, err
	}
	return s.getAccount(ctx, &in.Named)
}

func (s *server) listEntries(ctx context.Context, in *struct {
	Named
	Paging
}) (*reply[v1.Page[v1.LedgerEntry]], error) {
	a, err := s.account(ctx, in.Account)
	if err != nil {
		return nil, err
	}
	rows, err := s.Store.ListEntries(ctx, callerOf(ctx).scope, a.ID, in.page())
	if err != nil {
		return nil, err
	}
	return pageOf(in.page(), rows, func(e store.LedgerEntry) string { return string(e.ID) }, entryView(a.Currency)), nil
}

// entryRequest asks for a ledger entry.
type entryRequest struct {
	Named
	Body v1.NewEntry
}

func (s *server) topUp(ctx context.Context, in *entryRequest) (*reply[v1.LedgerEntry], error) {
	a, err := s.payable(ctx, in)
	if err != nil {
		return nil, err
	}
	e, err := s.Ledger.TopUp(ctx, store.EntryID(in.Body.ID), a.ID, in.Body.Amount, in.Body.Reason, callerOf(ctx).by().String())
	if err != nil {
		return nil, err
	}
	return &reply[v1.LedgerEntry]{entryView(a.Currency)(e)}, nil
}

func (s *server) adjust(ctx context.Context, in *entryRequest) (*reply[v1.LedgerEntry], error) {
	a, err := s.payable(ctx, in)
	if err != nil {
		return nil, err
	}
	e, err := s.Ledger.Adjust(ctx, store.EntryID(in.Body.ID), a.ID, in.Body.Amount, in.Body.Reason, callerOf(ctx).by().String())
	if err != nil {
		return nil, err
	}
	return &reply[v1.LedgerEntry]{entryView(a.Currency)(e)}, nil
}

// payable is the account of an entry, if the entry is in its currency.
func (s *server) payable(ctx context.Context, in *entryRequest) (store.Account, error) {
	a, err := s.account(ctx, in.Account)
	if err == nil && in.Body.Currency != "" && in.Body.Currency != a.Currency {
		return a, problem(http.StatusUnprocessableEntity, "currency %s: the account %s is kept in %s", in.Body.Currency, a.Name, a.Currency)
	}
	return a, err
}
