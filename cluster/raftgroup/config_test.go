package raftgroup_test

import (
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/conclave-voice/conclave/cluster/raftgroup"
)

// What cannot work is refused at the start, in words, and the listener is closed.
func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		alter func(*raftgroup.Config)
		want  string
	}{
		{func(c *raftgroup.Config) { c.Node = "a/b" }, `node id "a/b"`},
		{func(c *raftgroup.Config) { c.Node = strings.Repeat("n", 129) }, "1 to 128 bytes"},
		{func(c *raftgroup.Config) { c.Incarnation = 0 }, "incarnation is 0"},
		{func(c *raftgroup.Config) { c.Dir = "" }, "no directory"},
		{func(c *raftgroup.Config) { c.ServerTLS = nil }, "TLS must be set"},
		{func(c *raftgroup.Config) { c.Live = nil }, "live nodes must be set"},
		{func(c *raftgroup.Config) { c.MaxVoters = 2 }, "1, 3 or 5"},
		{func(c *raftgroup.Config) { c.Advertise = "nowhere" }, `advertised address "nowhere"`},
		{func(c *raftgroup.Config) { c.Advertise = "0.0.0.0:1" }, "cannot be reached"},
		{func(c *raftgroup.Config) { c.Addresses = make([]string, 9) }, "at most 8"},
	} {
		var listener net.Listener
		s := idleSite(t, "n1")
		err := s.tryStart("n1", func(cfg *raftgroup.Config) {
			listener = cfg.Listener
			c.alter(cfg)
		})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("want %q, got: %v", c.want, err)
			continue
		}
		if err := listener.Close(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("%q: the listener was still open", c.want)
		}
	}
}

// A data directory belongs to one process.
func TestDirectoryIsUsedOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t, "n1")
	s.up()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server, client := s.ca.configs("n1")
	_, err = raftgroup.Start(raftgroup.Config{
		Node: "n1", Incarnation: 1, Dir: s.node("n1").dir + "/raft", Listener: listener,
		ServerTLS: server, ClientTLS: client, Forwarder: forwarder{s.node("n1")}, Live: s.node("n1").live,
	})
	if err == nil || !strings.Contains(err.Error(), "another process has it open") {
		t.Errorf("a second group in the same directory: %v", err)
	}
}
