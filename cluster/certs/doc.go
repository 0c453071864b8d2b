// Package certs says who is who in a cluster: certificates of its nodes, by an
// authority of its own, and the secrets that nodes share.
//
// An operator keeps an authority's directory, which [Init] makes and [Add] makes
// directories for nodes from. A node reads its directory with [Open]. A certificate
// names its node in a URI, conclave://CLUSTER/SITE/NODE, and no host: nodes may
// change their addresses. Certificates of another authority do as well, if they have
// that URI.
//
// The files, of which all but the certificates are to be read by their owner alone:
//
//	ca.crt        authorities that are believed, one or, while one replaces another, two
//	ca.key        the authority's key; in its own directory only
//	node.crt      the node's certificate, with any intermediates behind it
//	node.key      the node's key
//	gossip.keys   keys of the gossip, base64, one a line; the first is written with
//	handover.keys keys that forwarded calls are signed with, likewise
//
// A node reads them again while it runs ([Bundle.Reload]): what is opened afterwards
// uses the new ones. It writes the two files of keys itself when those are changed in the
// whole cluster ([Bundle.SetSecrets]).
package certs
