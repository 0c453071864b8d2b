package store

import (
	"net/netip"
	"time"

	"github.com/conclave-voice/conclave/store/money"
)

// Customer is a tenant. No customer sees or reaches what belongs to another.
type Customer struct {
	ID        CustomerID
	Name      string // unique
	CreatedAt time.Time
}

// Account owns rooms and pays for them.
type Account struct {
	ID          AccountID
	CustomerID  CustomerID
	Name        string // unique, what people call the account: "conf1234"
	Currency    string // ISO 4217, three upper-case letters
	TariffID    TariffID
	Balance     money.Amount // always the sum of the account's ledger entries
	CreditLimit money.Amount // how far below zero the balance may go, >= 0
	Reserved    money.Amount // the sum of the account's open reservations
	Blocked     bool         // no new call may be charged to it
	// MaxParticipants limits all conferences of the account together; 0 is no limit.
	MaxParticipants int
	CreatedAt       time.Time
}

// Funds is what the account can still promise.
func (a Account) Funds() money.Amount { return a.Balance + a.CreditLimit - a.Reserved }

// Tariff names a set of rates in one currency.
type Tariff struct {
	ID       TariffID
	Name     string // unique
	Currency string
}

// Service is what a rate is for.
type Service string

// ServiceConferencing is one participant's stay in a conference.
const ServiceConferencing Service = "conferencing"

// Rate is the price of a service within a tariff. A rate that names an access
// number wins over one that names none.
type Rate struct {
	TariffID TariffID
	Service  Service
	// AccessNumber limits the rate to stays that came in by this number; empty
	// means all numbers without a rate of their own.
	AccessNumber string
	PerMinute    money.Amount
	// First and Next are the billing intervals, whole seconds, at least 1 s:
	// a stay is charged First once it begins and then every started Next.
	First, Next time.Duration
}

// Application is what answers an access number.
type Application string

// ApplicationConference asks for an access code and joins the caller to its room.
const ApplicationConference Application = "conference"

// AccessNumber is a number that callers dial.
type AccessNumber struct {
	ID          AccessNumberID
	Number      string // digits as the carrier sends them, no plus sign; unique
	Application Application
	// CodeSpace is the set of access codes that this number accepts. Numbers of
	// one service (a toll-free and fifty local ones) share a code space; a code
	// is unique within it, hence on each of its numbers.
	CodeSpace string
	// RoomID, when set, is the number's own room: callers need no code and are guests.
	RoomID RoomID
	// CustomerID, when set, keeps the number for the rooms of one customer.
	CustomerID CustomerID
	Language   string // BCP 47, selects the prompts: "en"
}

// RuleAction is how a call-handling rule authorizes the calls it matches.
type RuleAction string

const (
	RuleTrust  RuleAction = "trust"  // by its remote address
	RuleDigest RuleAction = "digest" // by user name and password
	RuleRefuse RuleAction = "refuse"
)

// CallRule decides how an incoming call is authorized. Rules are tried by
// ascending Position; the first that matches in all its fields decides. No
// match is a refusal.
type CallRule struct {
	ID        RuleID
	Position  int
	Source    netip.Prefix // zero: any source
	Transport string       // "udp", "tcp", "tls", "ws", "wss"; empty: any
	Called    string       // a pattern over the called user part, "*" any run, "?" any one character; empty: any
	Action    RuleAction
}

// SIPUser may call by digest authentication (RFC 3261 section 22, RFC 8760).
// Passwords are not kept, only their hashes with name and realm (HA1).
type SIPUser struct {
	Username  string // unique within Realm
	Realm     string
	AccountID AccountID
	HA1MD5    string // hex
	HA1SHA256 string // hex
}

// TokenRole is what an API token may do.
type TokenRole string

const (
	TokenOperator TokenRole = "operator" // everything
	TokenCustomer TokenRole = "customer" // everything of one customer
	TokenReadOnly TokenRole = "readonly" // sees one customer's things; changes nothing
)

// APIToken lets a program use the API. Only a SHA-256 of the secret is kept.
type APIToken struct {
	ID         TokenID
	Name       string
	Hash       string // hex SHA-256 of the secret
	Role       TokenRole
	CustomerID CustomerID // empty for TokenOperator
	CreatedAt  time.Time
	ExpiresAt  time.Time // zero: never
}

// Scope limits what a query sees. The zero Scope sees everything (the operator);
// with a CustomerID it sees what belongs to that customer.
type Scope struct{ CustomerID CustomerID }

// Page bounds a listing. Listings are ordered by id, hence by creation time.
type Page struct {
	After string // the last id of the page before; empty: from the start
	Limit int    // 1 to 1000; 0 means 100
}
