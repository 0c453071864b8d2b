package certs

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Secrets are the keys that the nodes of a cluster share, of each kind the one to write or
// sign with first.
type Secrets struct{ Gossip, Handover [][]byte }

// NewSecret makes a key of either kind.
func NewSecret() []byte {
	secret := make([]byte, secretLength)
	rand.Read(secret) //nolint:errcheck // it never fails
	return secret
}

// Fingerprint names a key without telling it.
func Fingerprint(key []byte) string {
	sum := sha256.Sum256(key)
	return hex.EncodeToString(sum[:6])
}

// Secrets are those in force.
func (b *Bundle) Secrets() Secrets {
	return Secrets{Gossip: b.GossipKeys(), Handover: b.HandoverKeys()}
}

// SetSecrets writes the secrets into the node's directory, and takes them. Each file is
// the old or the new one at any time, whatever breaks.
func (b *Bundle) SetSecrets(s Secrets) error {
	for name, keys := range map[string][][]byte{gossipFile: s.Gossip, handoverFile: s.Handover} {
		if err := replaceFile(filepath.Join(b.dir, name), secretLines(keys)); err != nil {
			return fmt.Errorf("keeping the cluster's secrets: %w; let the node write its --cluster-dir", err)
		}
	}
	return b.Reload()
}

// secretLines are keys as files have them.
func secretLines(keys [][]byte) []byte {
	var text strings.Builder
	for _, k := range keys {
		text.WriteString(base64.StdEncoding.EncodeToString(k) + "\n")
	}
	return []byte(text.String())
}

// replaceFile writes a file for its owner alone, in the place of one that is there.
func replaceFile(path string, content []byte) error {
	next := path + ".new"
	f, err := os.OpenFile(next, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(next))
	}
	return os.Rename(next, path)
}
