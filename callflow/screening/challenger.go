package screening

import (
	"context"
	"crypto/hmac"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/icholy/digest"
	"github.com/jonboulle/clockwork"

	"github.com/conclave-voice/conclave/store"
)

// Users is where passwords, hashed, are looked up.
type Users interface {
	// SIPUser returns store.ErrNotFound for a name that it does not know.
	SIPUser(ctx context.Context, realm, username string) (store.SIPUser, error)
}

// ChallengerConfig says how callers are challenged.
type ChallengerConfig struct {
	// Realm is what users are shown and what their hashes are made with: changing
	// it makes all passwords invalid. Printable ASCII without " and \.
	Realm string
	// NonceLife is how long a nonce may be used: at least 1 s. Longer saves round
	// trips; it does not weaken anything, since each count is good only once.
	NonceLife time.Duration
	// MaxNonces is how many nonces in use are remembered, some 100 bytes each. Past
	// it the callers longest there are challenged once more.
	MaxNonces int
	// Algorithms are offered in this order: "SHA-256", "MD5" or both. RFC 8760
	// wants both, the stronger first; but a telephone that does not know SHA-256 may
	// fail at the mere sight of it (baresip 1.0 does) or look at the first challenge
	// only (SIPp 3.6 does).
	Algorithms []string
}

// DefaultChallengerConfig is nonces of five minutes, 65,536 of them (7 MB), and the
// algorithm that every telephone can do.
func DefaultChallengerConfig(realm string) ChallengerConfig {
	return ChallengerConfig{Realm: realm, NonceLife: 5 * time.Minute, MaxNonces: 65536, Algorithms: []string{"MD5"}}
}

// Challenger is the server side of digest authentication. It is safe for concurrent
// use. A nonce is good only at the Challenger that made it: a caller whose next
// request lands at another node is challenged there, with stale=true, and does not
// notice.
type Challenger struct {
	config ChallengerConfig
	key    nonceKey
	counts *counts
	clock  clockwork.Clock
	start  time.Time // nonce times count from here, by the monotonic clock
}

// NewChallenger makes a Challenger with a key of its own.
func NewChallenger(c ChallengerConfig, clock clockwork.Clock) (*Challenger, error) {
	switch {
	case c.Realm == "" || strings.ContainsFunc(c.Realm, func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' }):
		return nil, fmt.Errorf(`digest realm %q: write printable ASCII without " and \, such as the service's domain`, c.Realm)
	case c.NonceLife < time.Second:
		return nil, fmt.Errorf("digest nonce life %v: it must be at least 1s", c.NonceLife)
	case c.MaxNonces < 1:
		return nil, fmt.Errorf("digest nonces remembered %d: it must be at least 1", c.MaxNonces)
	case len(c.Algorithms) == 0:
		return nil, fmt.Errorf("digest algorithms: none; name SHA-256, MD5 or both")
	}
	for _, name := range c.Algorithms {
		if !slices.ContainsFunc(algorithms[:], func(a algorithm) bool { return a.name == name }) {
			return nil, fmt.Errorf("digest algorithm %q: name SHA-256, MD5 or both", name)
		}
	}
	return &Challenger{config: c, key: newNonceKey(), counts: newCounts(c.MaxNonces), clock: clock, start: clock.Now()}, nil
}

// Challenges returns the values of the WWW-Authenticate (or Proxy-Authenticate)
// headers for a caller at source, in the order to send them: a client takes the
// first that it understands (RFC 8760 section 2.4).
func (c *Challenger) Challenges(source netip.Addr, stale bool) []string {
	nonce := c.key.issue(source, c.clock.Since(c.start))
	values := make([]string, 0, len(c.config.Algorithms))
	for _, name := range c.config.Algorithms {
		challenge := digest.Challenge{Realm: c.config.Realm, Nonce: nonce, Stale: stale, Algorithm: name, QOP: []string{"auth"}}
		values = append(values, challenge.String())
	}
	return values
}

// Outcome is what came of the credentials.
type Outcome uint8

const (
	Missing   Outcome = iota // none for this realm: challenge
	Accepted                 // the caller is Verdict.User
	Stale                    // old, used or not ours: challenge with stale=true; says nothing about the password
	Wrong                    // no such user, or not their password: challenge, and count a failure
	Malformed                // not digest credentials that can be checked: 400
)

func (o Outcome) String() string {
	return [...]string{"missing", "accepted", "stale", "wrong", "malformed"}[o]
}

// Verdict is the answer of Verify.
type Verdict struct {
	Outcome Outcome
	User    store.SIPUser // if Accepted, else zero
	// Username is whom the caller claims to be, if Accepted or Wrong: for the guard
	// and the trace. It is the caller's text, at most maxName bytes.
	Username string
}

// Request is what Verify needs of a SIP request.
type Request struct {
	Authorization []string // values of the Authorization or Proxy-Authorization headers
	Method        string
	URI           string // the Request-URI as it stands in the message
	Source        netip.Addr
}

// Verify checks the credentials of a request. An error means that users could not be
// asked: answer 503. The answer and the work are the same for a wrong password and
// for a user who does not exist. Wrong is only said of a caller who has got an answer
// at its source address, so a forged address cannot get its owner locked out.
func (c *Challenger) Verify(ctx context.Context, r Request, users Users) (Verdict, error) {
	given, outcome := parseCredentials(r.Authorization, c.config.Realm)
	if given == nil {
		return Verdict{Outcome: outcome}, nil
	}
	if !sameUser(given.URI, r.URI) {
		return Verdict{Outcome: Malformed}, nil
	}
	id, ok := c.key.open(given.Nonce, r.Source)
	if !ok || c.clock.Since(c.start)-time.Duration(id.issued)*time.Microsecond >= c.config.NonceLife {
		return Verdict{Outcome: Stale}, nil
	}
	user, err := users.SIPUser(ctx, c.config.Realm, given.Username)
	known := err == nil
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return Verdict{}, fmt.Errorf("digest: look up the user: %w", err)
	}
	verdict := Verdict{Outcome: Wrong, Username: given.Username}
	ha1 := given.algorithm.ha1(user)
	if len(ha1) != given.algorithm.hexSize { // unknown, or a user without such a hash
		known, ha1 = false, strings.Repeat("0", given.algorithm.hexSize)
	}
	right := hmac.Equal([]byte(given.algorithm.response(ha1, r.Method, given)), []byte(strings.ToLower(given.Response)))
	switch {
	case !known || !right:
	case !c.counts.use(id, given.count):
		// Right but used before: a replay, or a client that does not count. Neither
		// is a guess.
		verdict = Verdict{Outcome: Stale}
	default:
		verdict.Outcome, verdict.User = Accepted, user
	}
	return verdict, nil
}
