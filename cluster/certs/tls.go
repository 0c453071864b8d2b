package certs

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
)

// Check says which nodes may be at the other end.
type Check func(peer Identity) error

// AnyNode lets in all nodes of the cluster.
func (b *Bundle) AnyNode() Check {
	return func(peer Identity) error {
		if peer.Cluster != b.identity.Cluster {
			return fmt.Errorf("%s is of another cluster than %s", peer, b.identity)
		}
		return nil
	}
}

// SameSite lets in the nodes of this site.
func (b *Bundle) SameSite() Check {
	return func(peer Identity) error {
		if peer.Cluster != b.identity.Cluster || peer.Site != b.identity.Site {
			return fmt.Errorf("%s is of another site than %s", peer, b.identity)
		}
		return nil
	}
}

// Only lets in one node.
func Only(want Identity) Check {
	return func(peer Identity) error {
		if peer != want {
			return fmt.Errorf("%s is there, not %s", peer, want)
		}
		return nil
	}
}

// ServerTLS is for connections from nodes that check lets in. Each connection uses what
// Reload has read last.
func (b *Bundle) ServerTLS(check Check) *tls.Config {
	c := b.mutual(check, x509.ExtKeyUsageClientAuth)
	c.ClientAuth = tls.RequireAnyClientCert // VerifyConnection does more than the rest
	return c
}

// ClientTLS is for connections to nodes that check lets in.
func (b *Bundle) ClientTLS(check Check) *tls.Config {
	c := b.mutual(check, x509.ExtKeyUsageServerAuth)
	// Nodes are known by the URI in their certificates and not by host names:
	// VerifyConnection verifies the chain and the URI.
	c.InsecureSkipVerify = true
	return c
}

func (b *Bundle) mutual(check Check, usage x509.ExtKeyUsage) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return &b.now.Load().certificate, nil
		},
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return &b.now.Load().certificate, nil
		},
		// A session that is resumed would not see that an authority is believed no
		// longer.
		SessionTicketsDisabled: true,
		VerifyConnection: func(state tls.ConnectionState) error {
			if err := b.verify(state.PeerCertificates, usage); err != nil {
				return err
			}
			peer, err := identityOf(state.PeerCertificates[0])
			if err != nil {
				return err
			}
			return check(peer)
		},
	}
}

// verify checks the chain of a certificate.
func (b *Bundle) verify(chain []*x509.Certificate, usage x509.ExtKeyUsage) error {
	if len(chain) == 0 {
		return errors.New("the other end has shown no certificate")
	}
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{Roots: b.now.Load().authorities, Intermediates: between, KeyUsages: []x509.ExtKeyUsage{usage}})
	return err
}

// PeerOf is the node at the other end of a connection that was made with a
// configuration of a Bundle.
func PeerOf(state tls.ConnectionState) (Identity, error) {
	if len(state.PeerCertificates) == 0 {
		return Identity{}, errNoIdentity
	}
	return identityOf(state.PeerCertificates[0])
}
