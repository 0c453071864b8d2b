package certs

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// scheme is that of the URI that names a node.
const scheme = "conclave"

// Identity names a node.
type Identity struct {
	Cluster, Site, Node string
}

// String is the URI that is in the node's certificate.
func (i Identity) String() string { return i.uri().String() }

func (i Identity) uri() *url.URL {
	return &url.URL{Scheme: scheme, Host: i.Cluster, Path: "/" + i.Site + "/" + i.Node}
}

// names are what a cluster, a site and a node may be called: they become parts of host
// names, file names and metrics.
var names = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// Validate says what is wrong with the names.
func (i Identity) Validate() error {
	for _, n := range []struct{ what, name string }{{"cluster", i.Cluster}, {"site", i.Site}, {"node", i.Node}} {
		if !names.MatchString(n.name) {
			return fmt.Errorf("%s %q: write 1 to 63 of a-z, 0-9 and -, with no - at the ends", n.what, n.name)
		}
	}
	return nil
}

// errNoIdentity: a certificate that is no node's.
var errNoIdentity = errors.New("the certificate names no node: it needs one URI conclave://CLUSTER/SITE/NODE")

// identityOf reads the identity in a certificate.
func identityOf(cert *x509.Certificate) (Identity, error) {
	var found []Identity
	for _, u := range cert.URIs {
		if u.Scheme != scheme {
			continue
		}
		site, node, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
		found = append(found, Identity{Cluster: u.Host, Site: site, Node: node})
	}
	if len(found) != 1 {
		return Identity{}, errNoIdentity
	}
	return found[0], found[0].Validate()
}
