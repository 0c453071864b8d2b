package screening

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"

	"github.com/icholy/digest"

	"github.com/conclave-voice/conclave/store"
)

const (
	maxHeader = 4096 // bytes of one header value that are looked at
	maxName   = 128  // bytes of a user name
	maxHeads  = 8    // credentials in one request: one for each proxy on the way
)

// algorithm is a digest algorithm that is offered.
type algorithm struct {
	name    string
	hexSize int
	new     func() hash.Hash
	ha1     func(store.SIPUser) string
}

// algorithms are those offered, the best first (RFC 8760 section 2.3). They are
// constants in all but syntax.
var algorithms = [...]algorithm{
	{"SHA-256", 2 * sha256.Size, sha256.New, func(u store.SIPUser) string { return u.HA1SHA256 }},
	{"MD5", 2 * md5.Size, md5.New, func(u store.SIPUser) string { return u.HA1MD5 }},
}

// HA1 is what is kept of a password: the hex MD5 and SHA-256 of
// username:realm:password (RFC 7616 section 3.4.2). Who has one can log in with it
// in this realm: it is a secret like the password.
func HA1(username, realm, password string) (md5Hex, sha256Hex string) {
	return join(md5.New, username, realm, password), join(sha256.New, username, realm, password)
}

// join is the hex hash of parts with colons between them.
func join(new func() hash.Hash, parts ...string) string {
	h := new()
	h.Write([]byte(strings.Join(parts, ":")))
	return hex.EncodeToString(h.Sum(nil))
}

// credentials are such as can be checked.
type credentials struct {
	digest.Credentials
	algorithm algorithm
	count     uint32
}

// response is what the right answer would be (RFC 7616 section 3.4.1, qop=auth).
func (a algorithm) response(ha1, method string, c *credentials) string {
	return join(a.new, strings.ToLower(ha1), c.Nonce, fmt.Sprintf("%08x", c.count), c.Cnonce, "auth", join(a.new, method, c.URI))
}

// parseCredentials finds the credentials for realm among the header values. Without
// any it returns nil and Missing; with some that cannot be checked, nil and Malformed.
// Those for other realms are for others on the call's way.
func parseCredentials(values []string, realm string) (*credentials, Outcome) {
	outcome := Missing
	for _, value := range values[:min(len(values), maxHeads)] {
		if len(value) > maxHeader {
			return nil, Malformed
		}
		if !digest.IsDigest(value) {
			continue
		}
		given, err := digest.ParseCredentials(value)
		if err != nil {
			outcome = Malformed
			continue
		}
		if given.Realm != realm {
			continue
		}
		if c := checkable(given); c != nil {
			return c, Accepted
		}
		outcome = Malformed
	}
	return nil, outcome
}

// checkable returns credentials that answer a challenge of ours, or nil. Those
// without qop (RFC 2069) cannot be kept from being replayed and were not offered.
func checkable(given *digest.Credentials) *credentials {
	if given.QOP != "auth" || given.Nc < 1 || given.Cnonce == "" || given.Userhash ||
		given.Username == "" || len(given.Username) > maxName {
		return nil
	}
	name := given.Algorithm
	if name == "" {
		name = "MD5" // RFC 7616 section 3.3
	}
	for _, a := range algorithms {
		if strings.EqualFold(a.name, name) {
			return &credentials{Credentials: *given, algorithm: a, count: uint32(given.Nc)}
		}
	}
	return nil
}

// sameUser says whether two SIP URIs have the same user part. RFC 7616 section 3.4.6
// wants the whole to be the same; but proxies on the way rewrite host, port and
// parameters, and what must not be swapped is the number that is called.
func sameUser(a, b string) bool { return a == b || userPart(a) == userPart(b) }

// userPart is what stands before the "@" of a SIP URI, or the number of a tel URI,
// without password and parameters. A URI without it, as of REGISTER, has none.
func userPart(uri string) string {
	scheme, rest, _ := strings.Cut(uri, ":")
	user, _, ok := strings.Cut(rest, "@")
	if !ok && !strings.EqualFold(scheme, "tel") {
		return ""
	}
	user, _, _ = strings.Cut(user, ":")
	user, _, _ = strings.Cut(user, ";")
	return user
}
