package raftgroup

import (
	"strings"

	"github.com/hashicorp/raft"

	"github.com/conclave-voice/conclave/cluster/registry"
)

// Member is what the nodes of a site must know of one another to be one group. It
// travels by gossip.
type Member struct {
	Node        string
	Incarnation uint64
	Disk        string   // id of the node's data directory
	Addr        string   // host:port of its Raft listener
	Fresh       bool     // its data directory has never been in a group
	Group       string   // id of its group, empty while it does not know
	Addresses   []string // for the registry
}

func (m Member) instance() registry.Instance {
	return registry.Instance{Node: m.Node, Incarnation: m.Incarnation}
}

// server is the member's Raft server id: the node and its disk.
func (m Member) server() raft.ServerID { return serverID(m.Node, m.Disk) }

// address is the member's Raft address, which names the server that must be there.
func (m Member) address() raft.ServerAddress { return serverAddress(m.server(), m.Addr) }

func serverID(node, disk string) raft.ServerID { return raft.ServerID(node + "/" + disk) }

func nodeOf(id raft.ServerID) string {
	node, _, _ := strings.Cut(string(id), "/")
	return node
}

func serverAddress(id raft.ServerID, hostPort string) raft.ServerAddress {
	return raft.ServerAddress(string(id) + "@" + hostPort)
}

func splitAddress(a raft.ServerAddress) (id raft.ServerID, hostPort string) {
	name, hostPort, _ := strings.Cut(string(a), "@")
	return raft.ServerID(name), hostPort
}
