package handover

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/jonboulle/clockwork"

	"github.com/conclave-voice/conclave/callflow"
	"github.com/conclave-voice/conclave/store"
)

const (
	// Lifetime of a proof: the INVITE follows at once.
	Lifetime = 30 * time.Second
	// Skew is by how much the clocks of two nodes may differ.
	Skew = 10 * time.Second
	// maxHeader bounds what is looked at, in bytes; a proof has some 500.
	maxHeader = 2048
)

// Reasons to refuse a forwarded call.
var (
	ErrMalformed  = errors.New("the proof is malformed")
	ErrUnknownKey = errors.New("the proof is signed with a key that is not the cluster's")
	ErrForged     = errors.New("the proof's signature is wrong")
	ErrTime       = errors.New("the proof has expired, or is of the future: check the clocks")
	ErrOtherCall  = errors.New("the proof is of another call")
	ErrOtherNode  = errors.New("the proof is for another node")
	ErrReplayed   = errors.New("the proof has been used before")
	ErrFull       = errors.New("more proofs are in use than are remembered")
)

// Keys gives those of the cluster: the one to sign with first, and all that are believed.
type Keys func() [][]byte

// Handovers makes and checks proofs at one node. It is safe for concurrent use.
type Handovers struct {
	self  store.Place
	keys  Keys
	clock clockwork.Clock
	used  *used
}

var _ callflow.Handovers = (*Handovers)(nil)

// New makes one for the node at self.
func New(self store.Place, keys Keys, clock clockwork.Clock) *Handovers {
	return &Handovers{self: self, keys: keys, clock: clock, used: newUsed()}
}

// claims are what a token says. The receiver is its audience, the sender its issuer.
type claims struct {
	jwt.RegisteredClaims
	Call store.CallID `json:"call"`
	// SIP is a hash of the INVITE's Call-ID: that may be long.
	SIP string `json:"sip"`
}

// Sign makes the proof for an INVITE with this Call-ID.
func (h *Handovers) Sign(of callflow.Handover, sipCallID string) (string, error) {
	now := h.clock.Now()
	token := jwt.NewWithClaims(jwt.SigningMethodHS256, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: name(of.From), Audience: jwt.ClaimStrings{name(of.To)}, Subject: string(of.Participant), ID: rand.Text(),
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(Lifetime)),
		},
		Call: of.Call, SIP: digest(sipCallID),
	})
	key := h.keys()[0]
	token.Header["kid"] = keyID(key)
	signed, err := token.SignedString(key)
	if err != nil {
		return "", fmt.Errorf("signing: %w", err)
	}
	return signed, nil
}

// Verify checks the proof in an INVITE with this Call-ID, and takes it: it is not taken
// again.
func (h *Handovers) Verify(header, sipCallID string) (callflow.Handover, error) {
	var c claims
	if len(header) > maxHeader {
		return callflow.Handover{}, ErrMalformed
	}
	parser := jwt.NewParser(jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), jwt.WithTimeFunc(h.clock.Now),
		jwt.WithLeeway(Skew), jwt.WithIssuedAt(), jwt.WithExpirationRequired(), jwt.WithStrictDecoding())
	if _, err := parser.ParseWithClaims(header, &c, h.key); err != nil {
		return callflow.Handover{}, fmt.Errorf("%w (%w)", reason(err), err)
	}
	from, okFrom := place(c.Issuer)
	switch {
	case !okFrom || c.Subject == "" || c.ID == "" || c.IssuedAt == nil || c.ExpiresAt.Sub(c.IssuedAt.Time) > Lifetime:
		return callflow.Handover{}, ErrMalformed
	case c.SIP != digest(sipCallID):
		return callflow.Handover{}, ErrOtherCall
	case len(c.Audience) != 1 || c.Audience[0] != name(h.self):
		return callflow.Handover{}, ErrOtherNode
	}
	if err := h.used.take(c.ID, c.ExpiresAt.Add(Skew), h.clock.Now()); err != nil {
		return callflow.Handover{}, err
	}
	return callflow.Handover{Participant: store.ParticipantID(c.Subject), Call: c.Call, From: from, To: h.self}, nil
}

// key finds the key that a token names.
func (h *Handovers) key(t *jwt.Token) (any, error) {
	id, _ := t.Header["kid"].(string)
	for _, key := range h.keys() {
		if keyID(key) == id {
			return key, nil
		}
	}
	return nil, ErrUnknownKey
}

// reason is ours for an error of the parser.
func reason(err error) error {
	switch {
	case errors.Is(err, ErrUnknownKey):
		return ErrUnknownKey
	case errors.Is(err, jwt.ErrTokenSignatureInvalid):
		return ErrForged
	case errors.Is(err, jwt.ErrTokenExpired), errors.Is(err, jwt.ErrTokenUsedBeforeIssued), errors.Is(err, jwt.ErrTokenNotValidYet):
		return ErrTime
	}
	return ErrMalformed
}

// keyID names a key without telling it.
func keyID(key []byte) string {
	sum := sha256.Sum256(append([]byte("conclave handover key id\x00"), key...))
	return hex.EncodeToString(sum[:4])
}

func digest(sipCallID string) string {
	sum := sha256.Sum256([]byte(sipCallID))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}
