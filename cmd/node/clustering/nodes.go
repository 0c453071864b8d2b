package clustering

import (
	"net/netip"

	"github.com/conclave-voice/conclave/cluster/certs"
	"github.com/conclave-voice/conclave/cluster/gossip"
	"github.com/conclave-voice/conclave/cluster/raftgroup"
	"github.com/conclave-voice/conclave/sites"
	"github.com/conclave-voice/conclave/sites/probe"
	"github.com/conclave-voice/conclave/store"
)

// find is what gossip knows of a node.
func (c *Cluster) find(site, node string) (gossip.Member, bool) {
	for _, m := range c.gossip.Members() {
		if m.Site == site && m.Node == node {
			return m, true
		}
	}
	return gossip.Member{}, false
}

// rpcAddress is where a node takes calls of others (rpc.Addresses).
func (c *Cluster) rpcAddress(node certs.Identity) (string, bool) {
	m, known := c.find(node.Site, node.Node)
	return m.Addresses.RPC, known && m.Addresses.RPC != ""
}

// SIP is where a node takes forwarded calls (peers.Directory).
func (c *Cluster) SIP(node store.Place) (netip.AddrPort, bool) {
	m, known := c.find(node.Site, node.Node)
	if !known {
		return netip.AddrPort{}, false
	}
	addr, err := netip.ParseAddrPort(m.Addresses.SIP)
	return addr, err == nil
}

// SIPAddresses are those that the other nodes forward calls from, dead ones included: a
// node that only seems to be dead has calls to forward.
func (c *Cluster) SIPAddresses() []netip.Addr {
	var list []netip.Addr
	for _, m := range c.gossip.Members() {
		if addr, err := netip.ParseAddrPort(m.Addresses.SIP); err == nil && !m.Left {
			list = append(list, addr.Addr().Unmap())
		}
	}
	return list
}

// Alive says whether gossip holds a node for live.
func (c *Cluster) Alive(node store.Place) bool {
	m, known := c.find(node.Site, node.Node)
	return known && m.Alive
}

// Cut says whether another site is out of reach by this node's own probes.
func (c *Cluster) Cut(site string) bool { return c.prober.Cut(site) }

// candidates are the nodes as the locator sees them.
func (c *Cluster) candidates() []sites.Node {
	var list []sites.Node
	for _, m := range c.gossip.Members() {
		if m.Left {
			continue
		}
		list = append(list, sites.Node{Place: store.Place{Site: m.Site, Node: m.Node}, Incarnation: m.Incarnation, Alive: m.Alive,
			Draining: m.Draining, Hosts: m.Role != gossip.RoleEdge, Seats: int(m.Load.Participants), Capacity: int(m.Load.Capacity)})
	}
	return list
}

// live are the nodes of this site that may be in its Raft group.
func (c *Cluster) live() []raftgroup.Member {
	var list []raftgroup.Member
	for _, m := range c.gossip.Members() {
		if m.Site != c.self.Site || !m.Alive || m.Left {
			continue
		}
		member, err := decodeMember(m)
		if err != nil {
			continue // it has not announced itself yet
		}
		list = append(list, member)
	}
	return list
}

// targets are the nodes that probes may ping.
func (c *Cluster) targets() []probe.Target {
	var list []probe.Target
	for _, m := range c.gossip.Members() {
		if !m.Left {
			list = append(list, probe.Target{Site: m.Site, Node: m.Node, Addr: m.Addresses.RPC, Alive: m.Alive})
		}
	}
	return list
}

func (c *Cluster) identity(site, node string) certs.Identity {
	return certs.Identity{Cluster: c.self.Cluster, Site: site, Node: node}
}
