package signaling

import (
	"errors"
	"fmt"
	"strings"

	"github.com/icholy/digest"
)

// Credentials answer the challenges of a called party or of a proxy.
type Credentials struct {
	Username string
	Password string
}

// String hides the password from logs.
func (c Credentials) String() string { return c.Username + ":***" }

// GoString hides it from %#v too.
func (c Credentials) GoString() string { return "Credentials{" + c.String() + "}" }

// algorithms that we answer, best first (RFC 8760 section 2.4).
var algorithms = []string{"SHA-512-256", "SHA-256", "MD5"}

// answerChallenge makes the header field that answers a 401 or 407.
func answerChallenge(res *message, c Credentials, method, uri string) (Header, error) {
	asks, answers := "www-authenticate", "Authorization"
	if res.status == 407 {
		asks, answers = "proxy-authenticate", "Proxy-Authorization"
	}
	var best *digest.Challenge
	rank := len(algorithms)
	for _, v := range res.all(asks) {
		ch, err := digest.ParseChallenge(v)
		if err != nil {
			continue
		}
		if ch.Algorithm = strings.ToUpper(ch.Algorithm); ch.Algorithm == "" {
			ch.Algorithm = "MD5"
		}
		for i, a := range algorithms[:rank] {
			if a == ch.Algorithm && digest.CanDigest(ch) {
				best, rank = ch, i
				break
			}
		}
	}
	if best == nil {
		return Header{}, errors.New("no challenge that can be answered")
	}
	cred, err := digest.Digest(best, digest.Options{
		Method: method, URI: uri, Username: c.Username, Password: c.Password, Count: 1,
	})
	if err != nil {
		return Header{}, fmt.Errorf("answer a challenge: %w", err)
	}
	return Header{answers, cred.String()}, nil
}

// isStale: the nonce was too old, the credentials may be right.
func isStale(res *message) bool {
	for _, key := range []string{"www-authenticate", "proxy-authenticate"} {
		for _, v := range res.all(key) {
			if ch, err := digest.ParseChallenge(v); err == nil && ch.Stale {
				return true
			}
		}
	}
	return false
}
