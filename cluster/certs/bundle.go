package certs

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"
)

// Bundle is a node's directory. It is safe for concurrent use.
type Bundle struct {
	dir      string
	identity Identity
	now      atomic.Pointer[content]
}

// content is what the files held when they were read.
type content struct {
	certificate tls.Certificate
	authorities *x509.CertPool
	gossip      [][]byte
	handover    [][]byte
}

// Open reads a node's directory. Its errors name the file and what to do.
func Open(dir string) (*Bundle, error) {
	b := &Bundle{dir: dir}
	c, id, err := b.read()
	if err != nil {
		return nil, err
	}
	b.identity = id
	b.now.Store(c)
	return b, nil
}

// Reload reads the directory again. When that fails, what was read before is in force.
func (b *Bundle) Reload() error {
	c, id, err := b.read()
	if err != nil {
		return err
	}
	if id != b.identity {
		return fmt.Errorf("%s is now of %s, and was of %s; start the node anew to make it another", b.dir, id, b.identity)
	}
	b.now.Store(c)
	return nil
}

// Identity is the node's.
func (b *Bundle) Identity() Identity { return b.identity }

// Expiry is when the node's certificate ends.
func (b *Bundle) Expiry() time.Time { return b.now.Load().certificate.Leaf.NotAfter }

// GossipKeys are the gossip's, the one to write with first; at least one.
func (b *Bundle) GossipKeys() [][]byte { return b.now.Load().gossip }

// HandoverKeys are those of forwarded calls, the one to sign with first; at least one.
func (b *Bundle) HandoverKeys() [][]byte { return b.now.Load().handover }

func (b *Bundle) read() (*content, Identity, error) {
	fail := func(err error) (*content, Identity, error) { return nil, Identity{}, err }
	path := func(name string) string { return filepath.Join(b.dir, name) }
	if _, err := os.Stat(b.dir); err != nil {
		return fail(fmt.Errorf("%w; make the node's directory with node cluster add", err))
	}
	if _, err := readPrivate(path(keyFile)); err != nil {
		return fail(err)
	}
	var c content
	var err error
	if c.certificate, err = tls.LoadX509KeyPair(path(certFile), path(keyFile)); err != nil {
		return fail(fmt.Errorf("%s: %w", path(certFile), err))
	}
	id, err := identityOf(c.certificate.Leaf)
	if err != nil {
		return fail(fmt.Errorf("%s: %w", path(certFile), err))
	}
	authorities, err := readCertificates(path(caCertFile))
	if err != nil {
		return fail(err)
	}
	c.authorities = x509.NewCertPool()
	for _, a := range authorities {
		c.authorities.AddCert(a)
	}
	if c.gossip, err = readSecrets(path(gossipFile)); err != nil {
		return fail(err)
	}
	if c.handover, err = readSecrets(path(handoverFile)); err != nil {
		return fail(err)
	}
	return &c, id, nil
}

func readCertificates(path string) ([]*x509.Certificate, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var list []*x509.Certificate
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		list = append(list, cert)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s: no certificate in PEM", path)
	}
	return list, nil
}

// readPrivate reads a file that nobody else may read.
func readPrivate(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s: others may read it (mode %04o); chmod 600 it, and replace it if anybody did", path, info.Mode().Perm())
	}
	return os.ReadFile(path)
}

// readSecrets reads keys, one a line.
func readSecrets(path string) ([][]byte, error) {
	text, err := readPrivate(path)
	if err != nil {
		return nil, err
	}
	var keys [][]byte
	lines := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" {
			continue
		}
		key, err := base64.StdEncoding.DecodeString(line)
		if err != nil || len(key) != secretLength {
			return nil, fmt.Errorf("%s, line %d: not %d bytes in base64; head -c %d /dev/urandom | base64 makes a key", path, n, secretLength, secretLength)
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("%s: no key; head -c %d /dev/urandom | base64 makes one", path, secretLength)
	}
	return keys, nil
}
