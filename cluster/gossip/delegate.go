package gossip

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/hashicorp/memberlist"
)

// The methods here are memberlist's callbacks. It holds its own lock meanwhile: they
// take the locks of the table, the book and self only, never wait, and copy what they
// keep.

// NodeMeta implements memberlist.Delegate.
func (p *pool) NodeMeta(int) []byte { return p.self.encode(p.kind) }

// The other methods of memberlist.Delegate are for messages that we do not send.

func (p *pool) NotifyMsg([]byte)                {}
func (p *pool) GetBroadcasts(int, int) [][]byte { return nil }
func (p *pool) LocalState(bool) []byte          { return nil }
func (p *pool) MergeRemoteState([]byte, bool)   {}

// NotifyMerge implements memberlist.MergeDelegate: it looks at the members of whoever
// joins, or is joined, before any is taken over. An error ends the join on this side.
func (p *pool) NotifyMerge(peers []*memberlist.Node) error {
	for _, n := range peers {
		if n.State != memberlist.StateAlive && n.State != memberlist.StateSuspect {
			continue // others may still know what was
		}
		if n.Name == p.id && address(n) != p.addr {
			return fmt.Errorf("a node named %s is alive at %s, this one is at %s: give one of them another "+
				"name; if it is an earlier run of this node, it will soon be known to be dead", n.Name,
				address(n), p.addr)
		}
		m, err := decode(n.Meta)
		if err != nil {
			continue // NotifyAlive refuses this one; it must not keep the others apart
		}
		if err := p.checkSite(m.Member); err != nil {
			return err
		}
	}
	return nil
}

// NotifyAlive implements memberlist.AliveDelegate: it hears of every node that is said
// to be alive, by itself or by others. An error makes memberlist take no notice of it.
// A name that is alive elsewhere, this node's own too, memberlist refuses by itself.
func (p *pool) NotifyAlive(n *memberlist.Node) error {
	if n.Name == p.id {
		return nil // memberlist corrects what others remember of an earlier run
	}
	m, err := decode(n.Meta)
	if err != nil {
		return err
	}
	if m.ID() != n.Name {
		return fmt.Errorf("node %s calls itself %s in its metadata", n.Name, m.ID())
	}
	if err := p.checkSite(m.Member); err != nil {
		return err
	}
	if newest := p.members.incarnation(n.Name); m.Incarnation < newest {
		return fmt.Errorf("node %s at %s is run %d, and run %d has been seen: stop the older program, "+
			"give one of them another name, or set its clock", n.Name, address(n), m.Incarnation, newest)
	}
	return nil
}

// checkSite refuses nodes of other sites in the local pool.
func (p *pool) checkSite(m Member) error {
	if own := p.self.get().Site; p.kind == local && m.Site != own {
		return fmt.Errorf("node %s is in the local pool of site %s: correct its site, or its local seeds",
			m.ID(), own)
	}
	return nil
}

// NotifyConflict implements memberlist.ConflictDelegate: memberlist has refused a node
// whose name is alive at another address.
func (p *pool) NotifyConflict(existing, other *memberlist.Node) {
	p.notes.warn("a node's name is in use at another address: give one of them another name; if one is "+
		"an earlier run, it will soon be known to be dead", "pool", p.kind.String(), "name", other.Name,
		"believed", address(existing).String(), "refused", address(other).String())
}

// NotifyJoin implements memberlist.EventDelegate.
func (p *pool) NotifyJoin(n *memberlist.Node) { p.heard(n, "a node is there") }

// NotifyUpdate implements memberlist.EventDelegate.
func (p *pool) NotifyUpdate(n *memberlist.Node) { p.heard(n, "") }

func (p *pool) heard(n *memberlist.Node, news string) {
	m, err := decode(n.Meta)
	if err != nil || n.Name == p.id {
		return // NotifyAlive has let no such other pass
	}
	if news != "" {
		p.notes.event(news, "pool", p.kind.String(), "node", m.ID(), "at", address(n).String(),
			"version", m.Version)
	}
	if p.members.alive(m.Member, address(n), time.Now()) {
		p.learn(m.Member)
	}
}

// learn keeps a member's addresses in both pools: one that is known in one pool only is
// looked for in the other.
func (p *pool) learn(m Member) {
	now := time.Now()
	if m.Site == p.self.get().Site {
		p.book.learn(local, m.Addresses.LocalGossip, now)
	}
	p.book.learn(wide, m.Addresses.WideGossip, now)
	signal(p.other.kick)
}

// NotifyLeave implements memberlist.EventDelegate: the node left or failed.
func (p *pool) NotifyLeave(n *memberlist.Node) {
	if n.Name == p.id {
		return
	}
	m, known := p.members.gone(n.Name, time.Now())
	switch {
	case !known:
	case m.Left:
		p.book.forget(p.kind, address(n))
		p.notes.event("a node has left", "pool", p.kind.String(), "node", n.Name)
	default:
		p.notes.event("a node does not answer", "pool", p.kind.String(), "node", n.Name,
			"at", address(n).String())
	}
}

func address(n *memberlist.Node) netip.AddrPort {
	addr, _ := netip.AddrFromSlice(n.Addr)
	return netip.AddrPortFrom(addr.Unmap(), n.Port)
}
