package raftgroup_test

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/conclave-voice/conclave/cluster/raftgroup"
	"github.com/conclave-voice/conclave/cluster/registry"
)

// node is one node of a site, running or not.
type node struct {
	site *site
	name string
	ip   net.IP // source address
	dir  string

	dials atomic.Int64 // of Raft, to others

	// While it runs; under site.mu.
	group  *raftgroup.Group
	member raftgroup.Member
	front  *front
}

// live is what gossip would tell the node.
func (n *node) live() []raftgroup.Member {
	n.site.mu.Lock()
	defer n.site.mu.Unlock()
	var live []raftgroup.Member
	for _, other := range n.site.nodes {
		if other.member.Node == "" {
			continue
		}
		if other == n || n.site.network.open(n.name, other.name) && n.site.network.open(other.name, n.name) {
			live = append(live, other.member)
		}
	}
	return live
}

// dialer shows the others where a connection comes from.
func (n *node) dialer() *net.Dialer {
	return &net.Dialer{
		LocalAddr: &net.TCPAddr{IP: n.ip},
		Control: func(string, string, syscall.RawConn) error {
			n.dials.Add(1)
			return nil
		},
	}
}

func (n *node) announce(m raftgroup.Member) {
	n.site.mu.Lock()
	defer n.site.mu.Unlock()
	n.member = m
}

func (n *node) running() *raftgroup.Group {
	n.site.mu.Lock()
	defer n.site.mu.Unlock()
	return n.group
}

func (n *node) instance() registry.Instance {
	n.site.mu.Lock()
	defer n.site.mu.Unlock()
	return registry.Instance{Node: n.name, Incarnation: n.member.Incarnation}
}

// forwarder calls the other node's group, over the links of the test's network.
type forwarder struct{ from *node }

func (f forwarder) Forward(ctx context.Context, to string, request []byte) ([]byte, error) {
	network := f.from.site.network
	stop := context.AfterFunc(ctx, func() {
		network.mu.Lock()
		defer network.mu.Unlock()
		network.whole.Broadcast()
	})
	defer stop()
	over := func() bool { return ctx.Err() != nil }
	if !network.pass(f.from.name, to, over) {
		return nil, errors.New("cut on the way there")
	}
	group := f.from.site.node(to).running()
	if group == nil {
		return nil, errDown
	}
	answer, err := group.Serve(ctx, request)
	if !network.pass(to, f.from.name, over) {
		return nil, errors.New("cut on the way back")
	}
	return answer, err
}

// hasSnapshot says whether there is a finished snapshot on the node's disk.
func (n *node) hasSnapshot() bool {
	found, _ := filepath.Glob(filepath.Join(n.dir, "raft", "*", "snapshots", "*", "state.bin"))
	return slices.ContainsFunc(found, func(path string) bool { return !strings.Contains(path, ".tmp") })
}
