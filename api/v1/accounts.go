package v1

import (
	"time"

	"github.com/conclave-voice/conclave/store/money"
)

// Customer is a tenant.
type Customer struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	CreatedAt time.Time `json:"createdAt"`
}

// NewCustomer asks for a customer.
type NewCustomer struct {
	Name string `json:"name" minLength:"1" maxLength:"255" doc:"Unique" example:"Acme"`
}

// Account owns rooms and pays for them.
type Account struct {
	ID              string       `json:"id"`
	CustomerID      string       `json:"customerId"`
	Name            string       `json:"name"`
	Currency        string       `json:"currency" example:"USD"`
	TariffID        string       `json:"tariffId"`
	Balance         money.Amount `json:"balance" doc:"The sum of the account's ledger" example:"100.00"`
	CreditLimit     money.Amount `json:"creditLimit" doc:"How far below zero the balance may go" example:"0.00"`
	Reserved        money.Amount `json:"reserved" doc:"Promised to running stays" example:"0.15"`
	Funds           money.Amount `json:"funds" doc:"What can still be promised: balance + creditLimit - reserved" example:"99.85"`
	Blocked         bool         `json:"blocked" doc:"No new call may be charged to the account"`
	MaxParticipants int          `json:"maxParticipants" doc:"In all conferences of the account together; 0 is no limit"`
	CreatedAt       time.Time    `json:"createdAt"`
}

// NewAccount asks for an account.
type NewAccount struct {
	CustomerID      string       `json:"customerId" minLength:"1" maxLength:"64" doc:"Who the account belongs to"`
	Name            string       `json:"name" minLength:"1" maxLength:"255" doc:"Unique; what people call the account" example:"conf1234"`
	TariffID        string       `json:"tariffId" minLength:"1" maxLength:"64" doc:"Gives the account its currency"`
	OpeningBalance  money.Amount `json:"openingBalance,omitempty" pattern:"^-?[0-9]{1,12}(\\.[0-9]{1,6})?$" patternDescription:"a decimal such as 100.00" doc:"Becomes the first ledger entry" example:"100.00"`
	CreditLimit     money.Amount `json:"creditLimit,omitempty" pattern:"^[0-9]{1,12}(\\.[0-9]{1,6})?$" patternDescription:"a decimal such as 50.00" example:"0.00"`
	MaxParticipants int          `json:"maxParticipants,omitempty" minimum:"0" maximum:"1000000000" doc:"0 is no limit"`
	Blocked         bool         `json:"blocked,omitempty"`
}

// AccountLimits changes what is given and leaves the rest.
type AccountLimits struct {
	CreditLimit     *money.Amount `json:"creditLimit,omitempty" pattern:"^[0-9]{1,12}(\\.[0-9]{1,6})?$" patternDescription:"a decimal such as 50.00" example:"50.00"`
	MaxParticipants *int          `json:"maxParticipants,omitempty" minimum:"0" maximum:"1000000000" doc:"0 is no limit"`
	Blocked         *bool         `json:"blocked,omitempty"`
}

// NewEntry adds to an account's ledger.
type NewEntry struct {
	ID       string       `json:"id,omitempty" format:"uuid" doc:"Made by the client: the same request sent again makes one entry. Empty: the server makes one"`
	Amount   money.Amount `json:"amount" pattern:"^-?[0-9]{1,12}(\\.[0-9]{1,6})?$" patternDescription:"a decimal such as 50.00" doc:"In the account's currency" example:"50.00"`
	Currency string       `json:"currency,omitempty" maxLength:"3" doc:"If given, it must be the account's: a guard against paying in the wrong one" example:"USD"`
	Reason   string       `json:"reason,omitempty" maxLength:"255" doc:"Adjustments need one" example:"invoice 2026-0017"`
}

// LedgerEntry is one change of a balance. Entries are never changed or removed.
type LedgerEntry struct {
	ID        string       `json:"id"`
	AccountID string       `json:"accountId"`
	At        time.Time    `json:"at"`
	Kind      string       `json:"kind" enum:"usage,top-up,adjustment"`
	Amount    money.Amount `json:"amount" doc:"Negative takes money away" example:"-0.90"`
	Balance   money.Amount `json:"balance" doc:"After this entry" example:"99.10"`
	Currency  string       `json:"currency"`
	XDRID     string       `json:"xdrId,omitempty" doc:"Of the usage record that was charged"`
	Reason    string       `json:"reason,omitempty"`
	Author    string       `json:"author"`
}

// Tariff names a set of rates in one currency.
type Tariff struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Currency string `json:"currency"`
}

// NewTariff asks for a tariff.
type NewTariff struct {
	Name     string `json:"name" minLength:"1" maxLength:"255" doc:"Unique"`
	Currency string `json:"currency" pattern:"^[A-Z]{3}$" patternDescription:"three upper-case letters (ISO 4217)" example:"USD"`
}

// Rate is the price of a service within a tariff.
type Rate struct {
	Service      string       `json:"service,omitempty" enum:"conferencing" default:"conferencing"`
	AccessNumber string       `json:"accessNumber,omitempty" maxLength:"32" doc:"Only for stays that come in by this number; empty: for all without a rate of their own"`
	PerMinute    money.Amount `json:"perMinute" pattern:"^[0-9]{1,12}(\\.[0-9]{1,6})?$" patternDescription:"a decimal such as 0.03" example:"0.03"`
	FirstSeconds int          `json:"firstSeconds" minimum:"1" maximum:"86400" doc:"Charged as soon as the stay begins" example:"60"`
	NextSeconds  int          `json:"nextSeconds" minimum:"1" maximum:"86400" doc:"Every further interval, once it has begun" example:"60"`
	Currency     string       `json:"currency,omitempty" readOnly:"true"`
}
