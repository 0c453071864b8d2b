package raftgroup

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/conclave-voice/conclave/cluster/registry"
)

// Config is what a Group needs. Fields without a default must be set.
type Config struct {
	// Node and Incarnation name this run of the node. The incarnation is 1 or
	// higher, and higher with each start.
	Node        string
	Incarnation uint64
	// Addresses are kept in the registry for the other nodes.
	Addresses []string

	// Dir holds the log and the snapshots. It belongs to one node at a time.
	Dir string

	// Listener takes connections from the other nodes; Start takes it over.
	// Advertise is the host:port at which they reach it, by default its address.
	Listener  net.Listener
	Advertise string
	// ServerTLS and ClientTLS must let in nodes of this site only, both ways. Their
	// NextProtos is set here, and ServerName, where it is empty, to the host.
	ServerTLS *tls.Config
	ClientTLS *tls.Config

	// Dialer connects to other nodes; by default a plain one. With a LocalAddr it
	// keeps Raft on one of the node's addresses.
	Dialer *net.Dialer

	// Seeds are the nodes that found the group together, by node id, the same list
	// on each; see the package's comment. A node that joins a running site has none.
	Seeds []string
	// MaxVoters is 1, 3 or 5; 3 by default. More voters survive more failures and
	// make each change slower.
	MaxVoters int

	// Forwarder reaches the leader.
	Forwarder Forwarder
	// Live gives the nodes of the site that are live now. This node may be among
	// them. It is called often, from several goroutines, and must not block.
	Live func() []Member
	// Announce is called with what the other nodes' Live must say of this node: at
	// the start and after changes, by one goroutine. It must not block.
	Announce func(Member)

	Timing Timing
	// SnapshotEntries is how many log entries make a snapshot worthwhile, and how
	// many are kept behind it for nodes that are behind; 4096 by default.
	SnapshotEntries uint64

	Logger hclog.Logger
}

// Timing is how fast the group is. Zero fields have defaults.
type Timing struct {
	// Election is how long followers do without the leader before they elect
	// another; 500 ms by default. A leader without contact to a quorum stops after
	// half of it, and an exchange with a peer fails after all of it: a peer that is slow
	// to write is sent the same again, and has it then.
	Election time.Duration
	// Patience is how long a request looks for a leader and waits for its answer;
	// six times Election by default, which outlasts an election whose votes were split
	// once.
	Patience time.Duration
	// Gone is how long a node that Raft cannot reach either must be missing from
	// Live before its run counts as over; 200 ms by default. If Raft does reach it,
	// fifty times as long: then gossip is more likely wrong than the node dead.
	Gone time.Duration
	// Stable is how long a non-voter must be live before it may become a voter;
	// 5 s by default.
	Stable time.Duration
	// Dead is how long a voter must be missing before it is replaced; 10 s by
	// default. Too short, and each restart of a node changes the voters.
	Dead time.Duration
	// Found is how long a node looks for an existing group before it founds one; 3 s
	// by default. Gossip must have found the other nodes by then.
	Found time.Duration
	// Snapshot is how often the log's length is looked at, up to twice as long;
	// 30 s by default.
	Snapshot time.Duration
}

// Forwarder sends a request to another node of the site.
type Forwarder interface {
	// Forward has request served by Group.Serve of the node, and returns what it
	// returned. It ends when ctx does. After an error the request may or may not
	// have been served.
	Forward(ctx context.Context, node string, request []byte) ([]byte, error)
}

func (t Timing) withDefaults() Timing {
	set := func(d *time.Duration, value time.Duration) {
		if *d == 0 {
			*d = value
		}
	}
	set(&t.Election, 500*time.Millisecond)
	set(&t.Patience, 6*t.Election)
	set(&t.Gone, 200*time.Millisecond)
	set(&t.Stable, 5*time.Second)
	set(&t.Dead, 10*time.Second)
	set(&t.Found, 3*time.Second)
	set(&t.Snapshot, 30*time.Second)
	return t
}

func (c Config) withDefaults() Config {
	c.Timing = c.Timing.withDefaults()
	if c.MaxVoters == 0 {
		c.MaxVoters = 3
	}
	if c.SnapshotEntries == 0 {
		c.SnapshotEntries = 4096
	}
	if c.Advertise == "" && c.Listener != nil {
		c.Advertise = c.Listener.Addr().String()
	}
	if c.Dialer == nil {
		c.Dialer = &net.Dialer{}
	}
	if c.Announce == nil {
		c.Announce = func(Member) {}
	}
	if c.Logger == nil {
		c.Logger = hclog.NewNullLogger()
	}
	return c
}

// maxNode leaves room for the disk's id in an ALPN name, which has 255 bytes.
const maxNode = 128

func (c Config) validate() error {
	switch {
	case c.Node == "" || len(c.Node) > maxNode || strings.ContainsAny(c.Node, "/@"):
		return fmt.Errorf("node id %q must be 1 to %d bytes without / and @", c.Node, maxNode)
	case c.Incarnation == 0:
		return fmt.Errorf("incarnation is 0; it must be 1 or higher, and grow with each start")
	case c.Dir == "":
		return fmt.Errorf("no directory for the log and the snapshots")
	case c.Listener == nil || c.ServerTLS == nil || c.ClientTLS == nil:
		return fmt.Errorf("listener, server TLS and client TLS must be set")
	case c.Forwarder == nil || c.Live == nil:
		return fmt.Errorf("forwarder and live nodes must be set")
	case c.MaxVoters != 1 && c.MaxVoters != 3 && c.MaxVoters != 5:
		return fmt.Errorf("%d voters at most; it must be 1, 3 or 5", c.MaxVoters)
	}
	host, _, err := net.SplitHostPort(c.Advertise)
	if err != nil {
		return fmt.Errorf("advertised address %q: %w", c.Advertise, err)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		return fmt.Errorf("advertised address %q cannot be reached; set one that other nodes can", c.Advertise)
	}
	up := registry.NodeUp{Instance: c.instance(), Addresses: c.Addresses}
	if err := (registry.Command{Op: up}).Validate(); err != nil {
		return fmt.Errorf("addresses: %w", err)
	}
	return nil
}

func (c Config) instance() registry.Instance {
	return registry.Instance{Node: c.Node, Incarnation: c.Incarnation}
}
