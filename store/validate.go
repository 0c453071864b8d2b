package store

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/conclave-voice/conclave/store/money"
)

func invalid(field string, value any, fix string) error {
	return fmt.Errorf("%w %s %q: %s", ErrInvalid, field, fmt.Sprint(value), fix)
}

// maxName bounds names, in bytes: they are keys of indexes.
const maxName = 255

func needed(field, value string) error {
	switch {
	case strings.TrimSpace(value) == "":
		return invalid(field, value, "it must not be empty")
	case len(value) > maxName:
		return invalid(field, value[:32]+"…", fmt.Sprintf("it must have at most %d bytes, not %d", maxName, len(value)))
	case !utf8.ValidString(value) || strings.ContainsRune(value, 0):
		return invalid(field, value, "it must be text (UTF-8)")
	}
	return nil
}

// identified checks an id that must be there.
func identified[ID ~string](field string, id ID) error {
	if id == "" {
		return invalid(field, "", "it must not be empty; ids are made with New…ID")
	}
	return nil
}

// maxEpoch is what fits into the signed 64 bits of a database.
const maxEpoch = math.MaxInt64

func epoch(e uint64) error {
	if e > maxEpoch {
		return invalid("epoch", e, fmt.Sprintf("it must be at most %d", uint64(maxEpoch)))
	}
	return nil
}

// wholeSeconds checks a duration of which only seconds are kept.
func wholeSeconds(field string, d, least time.Duration) error {
	if d < least || d%time.Second != 0 {
		return invalid(field, d, fmt.Sprintf("it must be whole seconds, at least %v", least))
	}
	return nil
}

// object checks JSON that is to be an object; nil is none.
func object(field string, raw json.RawMessage) error {
	if raw != nil && (!json.Valid(raw) || !strings.HasPrefix(strings.TrimSpace(string(raw)), "{")) {
		return invalid(field, string(raw), "it must be a JSON object, or nil")
	}
	return nil
}

// first is the first error that is one.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// Validate says what is wrong with the customer, or nil; the error is ErrInvalid. So
// do those below.
func (c Customer) Validate() error {
	return first(identified("customer id", c.ID), needed("customer name", c.Name))
}

func (a Account) Validate() error {
	return first(
		identified("account id", a.ID),
		identified("customer of the account", a.CustomerID),
		identified("tariff of the account", a.TariffID),
		needed("account name", a.Name),
		bounded("balance", a.Balance),
		ValidateLimits(a.CreditLimit, a.MaxParticipants),
		currency(a.Currency))
}

// maxMoney bounds each amount, so that sums of a few stay within 64 bits.
const maxMoney = 1_000_000_000_000 * money.Unit

func bounded(field string, a money.Amount) error {
	if a < -maxMoney || a > maxMoney {
		return invalid(field, a, fmt.Sprintf("it must be within ±%s", maxMoney))
	}
	return nil
}

// ValidateLimits says what is wrong with limits of an account, or nil.
func ValidateLimits(creditLimit money.Amount, maxParticipants int) error {
	switch {
	case creditLimit < 0 || creditLimit > maxMoney:
		return invalid("credit limit", creditLimit, fmt.Sprintf("it must be 0 to %s", maxMoney))
	case maxParticipants < 0:
		return invalid("participant limit", maxParticipants, "it must be 0 (no limit) or more")
	}
	return nil
}

// ValidateReservation says what is wrong with an amount to reserve, or nil.
func ValidateReservation(amount money.Amount) error {
	if amount < 0 || amount > maxMoney {
		return invalid("reservation", amount, fmt.Sprintf("it must be 0 to %s", maxMoney))
	}
	return nil
}

func currency(code string) error {
	if len(code) != 3 || strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return invalid("currency", code, "write three upper-case letters (ISO 4217), such as USD")
	}
	return nil
}

func (t Tariff) Validate() error {
	return first(identified("tariff id", t.ID), needed("tariff name", t.Name), currency(t.Currency))
}

func (r Rate) Validate() error {
	if r.PerMinute < 0 {
		return invalid("price per minute", r.PerMinute, "it must be 0 or more")
	}
	return first(
		identified("tariff of the rate", r.TariffID),
		needed("service", string(r.Service)),
		wholeSeconds("first interval", r.First, time.Second),
		wholeSeconds("next interval", r.Next, time.Second))
}

// maxDigits bounds numbers. E.164 has 15; carriers add prefixes.
const maxDigits = 32

func (n AccessNumber) Validate() error {
	switch {
	case n.Number == "" || strings.Trim(n.Number, "0123456789") != "" || len(n.Number) > maxDigits:
		return invalid("access number", n.Number, fmt.Sprintf("write 1 to %d digits, without a plus sign", maxDigits))
	case n.Application != ApplicationConference:
		return invalid("application", n.Application, fmt.Sprintf("write %q", ApplicationConference))
	}
	return first(identified("access number id", n.ID), needed("code space", n.CodeSpace))
}

func (r CallRule) Validate() error {
	switch r.Action {
	case RuleTrust, RuleDigest, RuleRefuse:
	default:
		return invalid("action", r.Action, "write trust, digest or refuse")
	}
	switch r.Transport {
	case "", "udp", "tcp", "tls", "ws", "wss":
	default:
		return invalid("transport", r.Transport, "write udp, tcp, tls, ws, wss, or nothing for any")
	}
	if r.Source.IsValid() && r.Source != r.Source.Masked() {
		return invalid("source", r.Source, fmt.Sprintf("it has bits beyond its length; write %s", r.Source.Masked()))
	}
	return identified("call rule id", r.ID)
}

func (u SIPUser) Validate() error {
	if !isHex(u.HA1MD5, 32) || !isHex(u.HA1SHA256, 64) {
		return invalid("SIP user", u.Username, "its password has not been hashed")
	}
	return first(
		identified("account of the SIP user", u.AccountID),
		needed("SIP user name", u.Username),
		needed("realm", u.Realm))
}

func isHex(s string, digits int) bool {
	return len(s) == digits && strings.Trim(s, "0123456789abcdef") == ""
}

func (t APIToken) Validate() error {
	switch t.Role {
	case TokenOperator:
		if t.CustomerID != "" {
			return invalid("customer of an operator's token", t.CustomerID, "an operator belongs to none")
		}
	case TokenCustomer, TokenReadOnly:
		if t.CustomerID == "" {
			return invalid("customer of a token", t.CustomerID, "name the customer, or make an operator's token")
		}
	default:
		return invalid("token role", t.Role, "write operator, customer or readonly")
	}
	if !isHex(t.Hash, 64) {
		return invalid("token", t.Name, "its secret has not been hashed")
	}
	return first(identified("token id", t.ID), needed("token name", t.Name))
}
