package raftgroup_test

import (
	"crypto/tls"
	"errors"
	"io"
	"testing"
)

// SPEC MS15: a connection reaches the Raft server that it names, or nobody: not a
// stranger's, not one for another server, not one that names none.
func TestOnlyPeersThatNameTheServerAreLetIn(t *testing.T) {
	t.Parallel()
	s := newSite(t, "n1")
	s.up()
	n := s.node("n1")
	s.mu.Lock()
	right := "conclave-raft/" + n.name + "/" + n.member.Disk
	address := n.member.Addr
	s.mu.Unlock()
	_, peer := s.ca.configs("peer")
	_, stranger := newAuthority(t).configs("stranger")
	stranger.RootCAs = peer.RootCAs // it trusts the site; the site does not trust it
	nobody := peer.Clone()
	nobody.Certificates = nil
	for _, c := range []struct {
		name   string
		config *tls.Config
		alpn   []string
		in     bool
	}{
		{"a peer", peer, []string{right}, true},
		{"a stranger", stranger, []string{right}, false},
		{"one without a certificate", nobody, []string{right}, false},
		{"one for the disk that the node had before", peer, []string{"conclave-raft/n1/0000000000000000"}, false},
		{"one for another protocol", peer, []string{"h2"}, false},
		{"one that names none", peer, nil, false},
	} {
		config := c.config.Clone()
		config.NextProtos = c.alpn
		if in := letIn(t, address, config); in != c.in {
			t.Errorf("%s: let in %v, want %v", c.name, in, c.in)
		}
	}
}

// letIn says whether the server answers Raft on a connection. With TLS 1.3 a client
// learns only from the first read whether its certificate was accepted, so it sends
// what Raft's transport answers by closing or not: a kind of message that there is
// none of. A server that let us in reads it and closes cleanly.
func letIn(t *testing.T, address string, config *tls.Config) bool {
	conn, err := tls.Dial("tcp", address, config)
	if err != nil {
		return false
	}
	defer conn.Close()
	if _, err := conn.Write([]byte{0xff}); err != nil {
		return false
	}
	_, err = conn.Read(make([]byte, 1))
	return errors.Is(err, io.EOF)
}
