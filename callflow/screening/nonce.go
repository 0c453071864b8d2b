package screening

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/netip"
	"time"
)

// nonceID names a nonce: when it was made, in µs of the process's own time, and
// random bits, because several are made in one microsecond.
type nonceID struct {
	issued int64
	salt   [8]byte
}

const (
	idSize    = 16
	macSize   = 16 // 128 bits of HMAC-SHA-256 (RFC 2104 section 5 allows half)
	nonceSize = idSize + macSize
)

// nonceKey signs nonces. It lives and dies with the process, so no nonce outlives
// the memory of how often it was used.
type nonceKey [32]byte

func newNonceKey() (k nonceKey) {
	rand.Read(k[:]) // never fails: it ends the program rather than be predictable
	return k
}

// issue makes the nonce for a caller at addr.
func (k *nonceKey) issue(addr netip.Addr, issued time.Duration) string {
	id := nonceID{issued: issued.Microseconds()}
	rand.Read(id.salt[:])
	var b [nonceSize]byte
	binary.BigEndian.PutUint64(b[:8], uint64(id.issued))
	copy(b[8:idSize], id.salt[:])
	copy(b[idSize:], k.sign(b[:idSize], addr))
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// open returns the id of a nonce that this key made for addr.
func (k *nonceKey) open(nonce string, addr netip.Addr) (id nonceID, ok bool) {
	if len(nonce) != base64.RawURLEncoding.EncodedLen(nonceSize) {
		return id, false
	}
	// Strict: two spellings of one nonce would be two counts.
	b, err := base64.RawURLEncoding.Strict().DecodeString(nonce)
	if err != nil || len(b) != nonceSize || !hmac.Equal(b[idSize:], k.sign(b[:idSize], addr)) {
		return id, false
	}
	id.issued = int64(binary.BigEndian.Uint64(b[:8]))
	copy(id.salt[:], b[8:idSize])
	return id, true
}

// sign binds an id to an address. The port is left out: a caller behind a NAT may
// come back from another.
func (k *nonceKey) sign(id []byte, addr netip.Addr) []byte {
	mac := hmac.New(sha256.New, k[:])
	mac.Write(id)
	a := addr.Unmap().WithZone("").As16()
	mac.Write(a[:])
	return mac.Sum(nil)[:macSize]
}
