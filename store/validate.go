package store

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// ErrInvalid: a value that may not be kept. The text names the field, the value
// and the fix.
var ErrInvalid = errors.New("invalid")

func invalid(field string, value any, fix string) error {
	return fmt.Errorf("%w %s %q: %s", ErrInvalid, field, fmt.Sprint(value), fix)
}

func needed(field, value string) error {
	if strings.TrimSpace(value) == "" {
		return invalid(field, value, "it must not be empty")
	}
	return nil
}

// Validate says what is wrong with the customer, or nil. So do those below.
func (c Customer) Validate() error { return needed("customer name", c.Name) }

func (a Account) Validate() error {
	switch {
	case needed("account name", a.Name) != nil:
		return needed("account name", a.Name)
	case a.CreditLimit < 0:
		return invalid("credit limit", a.CreditLimit, "it must be 0 or more")
	case a.MaxParticipants < 0:
		return invalid("participant limit", a.MaxParticipants, "it must be 0 (no limit) or more")
	}
	return currency(a.Currency)
}

func currency(code string) error {
	if len(code) != 3 || strings.ToUpper(code) != code || strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return invalid("currency", code, "write three upper-case letters (ISO 4217), such as USD")
	}
	return nil
}

func (t Tariff) Validate() error {
	return errors.Join(needed("tariff name", t.Name), currency(t.Currency))
}

func (r Rate) Validate() error {
	switch {
	case r.PerMinute < 0:
		return invalid("price per minute", r.PerMinute, "it must be 0 or more")
	case r.First < time.Second || r.First%time.Second != 0:
		return invalid("first interval", r.First, "it must be whole seconds, at least 1s")
	case r.Next < time.Second || r.Next%time.Second != 0:
		return invalid("next interval", r.Next, "it must be whole seconds, at least 1s")
	}
	return nil
}

func (n AccessNumber) Validate() error {
	switch {
	case n.Number == "" || strings.Trim(n.Number, "0123456789") != "" || len(n.Number) > 32:
		return invalid("access number", n.Number, "write 1 to 32 digits, without a plus sign")
	case n.Application != ApplicationConference:
		return invalid("application", n.Application, fmt.Sprintf("write %q", ApplicationConference))
	}
	return needed("code space", n.CodeSpace)
}

func (r CallRule) Validate() error {
	switch r.Action {
	case RuleTrust, RuleDigest, RuleRefuse:
	default:
		return invalid("action", r.Action, "write trust, digest or refuse")
	}
	switch r.Transport {
	case "", "udp", "tcp", "tls", "ws", "wss":
		return nil
	}
	return invalid("transport", r.Transport, "write udp, tcp, tls, ws, wss, or nothing for any")
}

func (u SIPUser) Validate() error {
	switch {
	case needed("SIP user name", u.Username) != nil:
		return needed("SIP user name", u.Username)
	case len(u.HA1MD5) != 32 || len(u.HA1SHA256) != 64:
		return invalid("SIP user", u.Username, "its password has not been hashed")
	}
	return needed("realm", u.Realm)
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
	if len(t.Hash) != 64 {
		return invalid("token", t.Name, "its secret has not been hashed")
	}
	return needed("token name", t.Name)
}

// maxGrace bounds the graces of a moderated room.
const maxGrace = 24 * time.Hour

func (r Room) Validate() error {
	for _, c := range []struct{ field, code string }{{"host code", r.HostCode}, {"guest code", r.GuestCode}} {
		if err := code(c.field, c.code); err != nil {
			return err
		}
	}
	switch {
	case needed("room name", r.Name) != nil:
		return needed("room name", r.Name)
	case r.HostCode == r.GuestCode:
		return invalid("guest code", "(the host's)", "the two codes must differ")
	case r.EndGrace < 0 || r.EndGrace > maxGrace:
		return invalid("end grace", r.EndGrace, "it must be 0 to 24h")
	case r.LostGrace < 0 || r.LostGrace > maxGrace:
		return invalid("lost grace", r.LostGrace, "it must be 0 to 24h")
	case r.MaxParticipants < 0:
		return invalid("participant limit", r.MaxParticipants, "it must be 0 (no limit) or more")
	case r.GuestRole != RoleSpeaker && r.GuestRole != RoleListenOnly && r.GuestRole != RoleModerator:
		return invalid("guest role", r.GuestRole, "write speaker, listen-only or moderator")
	}
	return errors.Join(sound("entry sound", r.EntrySound), sound("exit sound", r.ExitSound), keys(r.Keys))
}

func code(field, c string) error {
	if len(c) < 4 || len(c) > 12 || strings.Trim(c, "0123456789") != "" {
		// The value stays out of the message: codes are secrets.
		return invalid(field, fmt.Sprint(len(c), " characters"), "it must be 4 to 12 digits")
	}
	return nil
}

func sound(field string, s EntrySound) error {
	switch s {
	case SoundNone, SoundTone, SoundName:
		return nil
	}
	return invalid(field, s, "write none, tone or name")
}

func keys(m map[string]Action) error {
	for key, action := range m {
		if key == "" || len(key) > 3 || strings.Trim(key, "0123456789*#") != "" {
			return invalid("key", key, "it must be 1 to 3 of 0-9, * and #")
		}
		switch action {
		case ActionMuteSelf, ActionCount, ActionHearLouder, ActionHearSofter, ActionSpeakLouder, ActionSpeakSofter,
			ActionRaiseHand, ActionLeave, ActionMuteAll, ActionLock, ActionEjectLast, ActionEnd, ActionListKeys:
		default:
			return invalid("action of key "+key, action, "see the list of actions in the documentation of rooms")
		}
	}
	return nil
}
