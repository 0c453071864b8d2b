package clustering

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/conclave-voice/conclave/api/v1"
	"github.com/conclave-voice/conclave/cluster/gossip"
)

// Config is how a node is one of a cluster.
type Config struct {
	Dir      string // certificates and secrets of the node (package certs)
	DataDir  string // for the Raft log and the addresses of other nodes
	Address  string // HOST:PORT; see Ports
	Join     string // HOST:PORT of other nodes, separated by commas
	Founders string // nodes that begin the site's Raft group, separated by commas
	Role     string // all, edge or processing
	SIP      string // HOST:PORT where calls are forwarded to
	HTTP     string
	Capacity int // participants at most; 0: not said
	Version  string
	// Draining is told that the node is out of use, or in use again. It does not wait.
	Draining func(Drain)
	// Status is how the node is, for operators.
	Status func() v1.NodeStatus
}

// Ports are those that a cluster takes, counted from that of Config.Address.
const (
	portRPC         = iota // TCP
	portRaft               // TCP
	portLocalGossip        // UDP and TCP
	portWideGossip         // UDP and TCP
	Ports                  // how many there are
)

// Roles are what Config.Role may say.
var roles = map[string]gossip.Role{"all": gossip.RoleAll, "edge": gossip.RoleEdge, "processing": gossip.RoleProcessing}

// read is a Config that was understood.
type read struct {
	Config
	address  netip.AddrPort
	seeds    []string
	founders []string
	role     gossip.Role
}

// check reads the configuration; every error names the key, the value and the fix.
func (c Config) check(node string) (read, error) {
	r := read{Config: c, founders: list(c.Founders)}
	var err error
	if r.address, err = netip.ParseAddrPort(c.Address); err != nil || r.address.Addr().IsUnspecified() || r.address.Port() > 65535-Ports {
		return r, fmt.Errorf("--cluster %q: write ADDRESS:PORT, such as 192.0.2.10:7940: an address of this machine that other nodes reach, and the first of %d ports", c.Address, Ports)
	}
	for _, seed := range list(c.Join) {
		host, port, err := net.SplitHostPort(seed)
		n, errPort := strconv.ParseUint(port, 10, 16)
		if err := errors.Join(err, errPort); err != nil {
			return r, fmt.Errorf("--join %q: write HOST:PORT of other nodes as they have it in --cluster, separated by commas (%w)", seed, err)
		}
		r.seeds = append(r.seeds, net.JoinHostPort(host, strconv.FormatUint(n+portWideGossip, 10)))
	}
	if len(r.founders) > 0 && !slices.Contains(r.founders, node) {
		return r, fmt.Errorf("--founders %q: this node, %s, is not among them; name it, or leave the key out at a node that joins a site which runs", c.Founders, node)
	}
	var known bool
	if r.role, known = roles[c.Role]; !known {
		return r, fmt.Errorf("--role %q: write all, edge (takes calls, hosts no conference) or processing", c.Role)
	}
	return r, nil
}

// at is the address with another port.
func (r read) at(port uint16) netip.AddrPort {
	return netip.AddrPortFrom(r.address.Addr(), r.address.Port()+port)
}

func list(text string) []string {
	var items []string
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}
