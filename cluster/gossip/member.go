package gossip

import (
	"fmt"
	"net/netip"
	"time"
)

// Role restricts what a node does.
type Role uint8

const (
	RoleAll        Role = iota // everything
	RoleEdge                   // takes calls and forwards them
	RoleProcessing             // hosts conferences
)

var roleNames = []string{"all", "edge", "processing"}

func (r Role) String() string {
	if int(r) < len(roleNames) {
		return roleNames[r]
	}
	return fmt.Sprintf("role %d", uint8(r))
}

// Addresses are where other nodes reach this one. What it does not serve is empty.
type Addresses struct {
	SIP, RPC, HTTP string // host:port
	// LocalGossip and WideGossip are filled in by this package.
	LocalGossip, WideGossip netip.AddrPort
}

// Load says how busy a node is.
type Load struct {
	Participants uint32 // in the conferences that it hosts
	Capacity     uint32 // of them that it takes; 0: not said
}

// Member is one node as gossip knows it.
type Member struct {
	Site, Node  string
	Incarnation uint64 // grows with each run of the node
	Role        Role
	Addresses   Addresses
	Load        Load
	Draining    bool // it takes no new conferences
	// Raft is what the node announces to its site's Raft group; nil for nodes of other
	// sites. This package does not look into it.
	Raft    []byte
	Version string // of the program
	Alive   bool
	Left    bool      // it said good-bye; else, if not alive, it failed and may be back
	Since   time.Time // when this node learnt of the present Alive
}

// ID names a member in the cluster: names of nodes are unique per site only.
func (m Member) ID() string { return m.Site + "/" + m.Node }
