package raftgroup

import (
	"time"

	"github.com/hashicorp/raft"

	"github.com/conclave-voice/conclave/cluster/registry"
)

// census remembers since when servers and nodes are live or missing.
type census struct {
	seen    map[raft.ServerID]time.Time     // live since
	missing map[raft.ServerID]time.Time     // members that are not live, since
	absent  map[registry.Instance]time.Time // runs in the registry that are not live, since
	reached map[raft.ServerID]struct{}      // servers that have had the whole log
}

func newCensus() *census {
	return &census{seen: map[raft.ServerID]time.Time{}, missing: map[raft.ServerID]time.Time{},
		absent: map[registry.Instance]time.Time{}, reached: map[raft.ServerID]struct{}{}}
}

// update takes in who is live at now.
func (c *census) update(now time.Time, live map[raft.ServerID]Member, servers []raft.Server, nodes []registry.Node) {
	liveRuns := map[registry.Instance]bool{}
	lasting := map[raft.ServerID]bool{}
	for id, m := range live {
		liveRuns[m.instance()] = true
		lasting[id] = true
	}
	mark(c.seen, lasting, now)

	missing := map[raft.ServerID]bool{}
	for _, s := range servers {
		if _, ok := live[s.ID]; !ok {
			missing[s.ID] = true
			delete(c.reached, s.ID)
		}
	}
	mark(c.missing, missing, now)

	absent := map[registry.Instance]bool{}
	for _, n := range nodes {
		if !n.Gone && !liveRuns[n.Instance] {
			absent[n.Instance] = true
		}
	}
	mark(c.absent, absent, now)
}

// mark gives each of current the time now unless it has one, and forgets the rest.
func mark[K comparable](since map[K]time.Time, current map[K]bool, now time.Time) {
	for k := range since {
		if !current[k] {
			delete(since, k)
		}
	}
	for k := range current {
		if _, ok := since[k]; !ok {
			since[k] = now
		}
	}
}

// liveFor are the servers that have been live for at least d.
func (c *census) liveFor(d time.Duration, now time.Time) map[raft.ServerID]bool {
	return atLeast(c.seen, d, now)
}

// missingFor are the members that have been missing for at least d.
func (c *census) missingFor(d time.Duration, now time.Time) map[raft.ServerID]bool {
	return atLeast(c.missing, d, now)
}

func atLeast[K comparable](since map[K]time.Time, d time.Duration, now time.Time) map[K]bool {
	long := map[K]bool{}
	for k, t := range since {
		long[k] = now.Sub(t) >= d
	}
	return long
}

// raftKnowsBetter is how many times Timing.Gone a node may be missing from gossip as
// long as it answers Raft.
const raftKnowsBetter = 50

// rollCall compares the registry with who is live. It returns what the leader should
// tell the registry: runs that are there, and runs that are over.
func (c *census) rollCall(now time.Time, gone time.Duration, live map[raft.ServerID]Member,
	servers []raft.Server, nodes []registry.Node, unanswered map[raft.ServerID]bool) []registry.Op {
	var ops []registry.Op
	known := map[string]registry.Node{}
	for _, n := range nodes {
		known[n.Node] = n
	}
	for _, m := range (view{live: live}).sortedLive() {
		n, ok := known[m.Node]
		later := !ok || n.Incarnation < m.Incarnation
		if later || n.Instance == m.instance() && n.Gone && !n.Left {
			ops = append(ops, registry.NodeUp{Instance: m.instance(), Addresses: m.Addresses})
		}
	}
	for _, n := range nodes {
		since, absent := c.absent[n.Instance]
		if !absent {
			continue
		}
		patience := gone
		if answers(n.Node, servers, unanswered) {
			patience = raftKnowsBetter * gone
		}
		if now.Sub(since) >= patience {
			ops = append(ops, registry.NodeGone{Instance: n.Instance})
		}
	}
	return ops
}

// answers says whether Raft reaches one of the node's servers.
func answers(node string, servers []raft.Server, unanswered map[raft.ServerID]bool) bool {
	for _, s := range servers {
		if nodeOf(s.ID) == node && !unanswered[s.ID] {
			return true
		}
	}
	return false
}
