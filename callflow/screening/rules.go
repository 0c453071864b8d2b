package screening

import (
	"net/netip"
	"strings"
	"unicode/utf8"

	"github.com/conclave-voice/conclave/store"
)

// Caller is what is known of a call before anything is asked.
type Caller struct {
	Source    netip.AddrPort // of the packet or connection, not what a header says
	Transport string         // "udp", "tcp", "tls", "ws", "wss", in any case
	Called    string         // the user part of the Request-URI
	// Own: Source is one of this machine's own addresses. A program may call from any of
	// them, also when it calls 127.0.0.1: what a rule says of that is meant for all.
	// Packets of others cannot have such a source: the kernel drops them as martians.
	Own bool
}

// Decide returns how the call is to be authorized, and the rule that said so: the
// first of rules (in the order of ListCallRules) that matches in all its fields. No
// match is a refusal, with a nil rule. An action that this program does not know is
// a refusal too. The rule points into rules.
//
// A source address proves nothing over UDP, where it can be forged: an INVITE from a
// forged address never gets the answer, but it does make the node work.
func Decide(rules []store.CallRule, c Caller) (store.RuleAction, *store.CallRule) {
	for i := range rules {
		r := &rules[i]
		if !matches(r, c) {
			continue
		}
		switch r.Action {
		case store.RuleTrust, store.RuleDigest:
			return r.Action, r
		}
		return store.RuleRefuse, r
	}
	return store.RuleRefuse, nil
}

func matches(r *store.CallRule, c Caller) bool {
	return matchesSource(r, c) &&
		(r.Transport == "" || strings.EqualFold(r.Transport, c.Transport)) &&
		(r.Called == "" || matchPattern(r.Called, c.Called))
}

func matchesSource(r *store.CallRule, c Caller) bool {
	return r.MatchSource(c.Source.Addr().WithZone("")) || // a prefix never takes in a zone
		c.Own && r.MatchSource(netip.AddrFrom4([4]byte{127, 0, 0, 1}))
}

// matchPattern says whether the whole of text fits pattern: "*" stands for any run
// of characters, also none, "?" for exactly one. Letters are compared as they are:
// user parts are case-sensitive (RFC 3261 section 19.1.4). It takes at most
// len(pattern) × len(text) steps, whatever the pattern.
func matchPattern(pattern, text string) bool {
	// Where to go on if what follows the last "*" does not fit: the star takes one
	// character more. An earlier star never has to be tried again.
	afterStar, retry := -1, 0
	p, t := 0, 0
	for t < len(text) {
		_, size := utf8.DecodeRuneInString(text[t:])
		switch {
		case p < len(pattern) && pattern[p] == '*':
			p++
			afterStar, retry = p, t
		case p < len(pattern) && pattern[p] == '?':
			p, t = p+1, t+size
		case p < len(pattern) && pattern[p] == text[t]:
			p, t = p+1, t+1
		case afterStar >= 0:
			_, size := utf8.DecodeRuneInString(text[retry:])
			retry += size
			p, t = afterStar, retry
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
