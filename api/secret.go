package api

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"math/big"
	"strings"
	"time"

	"github.com/conclave-voice/conclave/store"
)

// Secrets look like cv_ and 43 letters and digits: 32 random bytes in base 62. The
// prefix lets scanners of source code find one that was left there.
const (
	secretPrefix = "cv_"
	secretDigits = 43 // 62^43 > 2^256
)

// newSecret makes the secret of an API token.
func newSecret() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // it never fails (crypto/rand)
	digits := new(big.Int).SetBytes(b[:]).Text(62)
	return secretPrefix + strings.Repeat("0", secretDigits-len(digits)) + digits
}

// plausible says whether a secret could be one of ours: what could not is refused
// without asking the store.
func plausible(secret string) bool {
	digits, ok := strings.CutPrefix(secret, secretPrefix)
	return ok && len(digits) == secretDigits &&
		strings.Trim(digits, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

// HashToken is what is kept of a token's secret: its SHA-256 in hex. No salt or slow
// hash is needed, because nobody can guess 32 random bytes.
func HashToken(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// MakeOperatorToken makes a token for who may do everything, and returns its secret.
// It is for the first one, which no API can be asked for.
func MakeOperatorToken(ctx context.Context, s Tokens, name string, now time.Time) (secret string, err error) {
	secret = newSecret()
	err = s.CreateToken(ctx, store.APIToken{ID: store.NewTokenID(), Name: name, Hash: HashToken(secret), Role: store.TokenOperator, CreatedAt: now.UTC()})
	return secret, err
}

// Tokens keeps API tokens.
type Tokens interface {
	CreateToken(ctx context.Context, t store.APIToken) error
}
