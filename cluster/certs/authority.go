package certs

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"time"
)

// The files of a directory; see the package's comment.
const (
	caCertFile   = "ca.crt"
	caKeyFile    = "ca.key"
	certFile     = "node.crt"
	keyFile      = "node.key"
	gossipFile   = "gossip.keys"
	handoverFile = "handover.keys"
)

const (
	caYears   = 20
	nodeYears = 2
	// backdate is for machines whose clocks are behind the authority's.
	backdate = time.Hour
	// secretLength is that of AES-256 and of HMAC-SHA-256, in bytes.
	secretLength = 32
)

// Init makes the directory of a new cluster's authority, with the secrets that its nodes
// share. It does not touch a directory that has one already.
func Init(dir, cluster string, now time.Time) error {
	if err := (Identity{Cluster: cluster, Site: "s", Node: "n"}).Validate(); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making the authority's directory: %w", err)
	}
	if _, err := os.Stat(filepath.Join(dir, caKeyFile)); err == nil {
		return fmt.Errorf("%s has an authority already; name another directory, or add nodes to that one", dir)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("making the authority's key: %w", err)
	}
	ca := &x509.Certificate{
		Subject: pkix.Name{Organization: []string{cluster}, CommonName: cluster + " node authority"}, NotBefore: now.Add(-backdate), NotAfter: now.AddDate(caYears, 0, 0),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	cert, err := sign(ca, ca, key, key)
	if err != nil {
		return err
	}
	keyPEM, err := encodeKey(key)
	if err != nil {
		return err
	}
	return writeAll(dir, map[string][]byte{caCertFile: cert, caKeyFile: keyPEM, gossipFile: secretLines([][]byte{NewSecret()}), handoverFile: secretLines([][]byte{NewSecret()})})
}

// Add makes the directory of a node, from that of the authority. It does not touch a
// directory that has a node's key already.
func Add(authority, out string, id Identity, now time.Time) error {
	ca, caKey, err := loadAuthority(authority)
	if err != nil {
		return err
	}
	if id.Cluster == "" && len(ca.Subject.Organization) > 0 {
		id.Cluster = ca.Subject.Organization[0]
	}
	if err := id.Validate(); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(out, keyFile)); err == nil {
		return fmt.Errorf("%s has a node's key already; name another directory", out)
	}
	if err := os.MkdirAll(out, 0o700); err != nil {
		return fmt.Errorf("making the node's directory: %w", err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("making the node's key: %w", err)
	}
	cert, err := sign(&x509.Certificate{
		Subject: pkix.Name{Organization: []string{id.Cluster}, OrganizationalUnit: []string{id.Site}, CommonName: id.Node}, URIs: []*url.URL{id.uri()},
		NotBefore: now.Add(-backdate), NotAfter: earlier(now.AddDate(nodeYears, 0, 0), ca.NotAfter), BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, ca, key, caKey)
	if err != nil {
		return err
	}
	keyPEM, err := encodeKey(key)
	if err != nil {
		return err
	}
	files := map[string][]byte{certFile: cert, keyFile: keyPEM}
	for _, shared := range []string{caCertFile, gossipFile, handoverFile} {
		if files[shared], err = os.ReadFile(filepath.Join(authority, shared)); err != nil {
			return fmt.Errorf("reading the authority's directory: %w", err)
		}
	}
	return writeAll(out, files)
}

func loadAuthority(dir string) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	certs, err := readCertificates(filepath.Join(dir, caCertFile))
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil, nil, fmt.Errorf("%s has no authority; make one with node cluster init (%w)", dir, err)
		}
		return nil, nil, err
	}
	path := filepath.Join(dir, caKeyFile)
	text, err := readPrivate(path)
	if err != nil {
		return nil, nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, nil, fmt.Errorf("%s: not a key in PEM", path)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || !key.PublicKey.Equal(certs[0].PublicKey) {
		return nil, nil, fmt.Errorf("%s: not the key of the first certificate in %s", path, caCertFile)
	}
	return certs[0], key, nil
}

// sign makes a certificate, in PEM.
func sign(cert, parent *x509.Certificate, of, by *ecdsa.PrivateKey) ([]byte, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("making a serial number: %w", err)
	}
	cert.SerialNumber = serial
	der, err := x509.CreateCertificate(rand.Reader, cert, parent, of.Public(), by)
	if err != nil {
		return nil, fmt.Errorf("signing the certificate of %s: %w", cert.Subject, err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), nil
}

func encodeKey(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encoding a key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// writeAll writes files that do not exist yet, for their owner alone.
func writeAll(dir string, files map[string][]byte) error {
	for name, content := range files {
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return fmt.Errorf("writing certificates and secrets: %w", err)
		}
		_, err = f.Write(content)
		if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
			return fmt.Errorf("writing certificates and secrets: %w", err)
		}
	}
	return nil
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
