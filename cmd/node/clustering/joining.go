package clustering

import (
	"context"
	"time"

	"github.com/conclave-voice/conclave/cluster/registry"
	"github.com/conclave-voice/conclave/sites/reach"
)

const (
	// joinTime bounds the wait for the cluster at the start. After it the node takes
	// calls all the same: callers always talk.
	joinTime  = 20 * time.Second
	joinPause = 50 * time.Millisecond
)

// Join waits until the node is one of its site's and knows what to think of the other
// sites, so that its first callers are not put into conferences of their own, and what it
// is ordered. It gives up after joinTime, and says what is missing.
func (c *Cluster) Join(ctx context.Context) {
	c.await(ctx)
	c.learn(ctx)
	c.obey()
}

func (c *Cluster) await(ctx context.Context) {
	deadline := c.clock.After(joinTime)
	for {
		missing := c.missing()
		if missing == "" {
			return
		}
		select {
		case <-c.clock.After(joinPause):
		case <-deadline:
			c.logger.Warn("the node takes calls without its cluster", "because", missing)
			return
		case <-ctx.Done():
			return
		}
	}
}

// missing says what the node still waits for; empty: nothing.
func (c *Cluster) missing() string {
	members := c.gossip.Members()
	if len(c.config.seeds) > 0 && len(members) == 1 {
		return "none of --join has answered"
	}
	known := false
	err := c.group.View(func(s *registry.State) {
		n, found := s.Node(c.self.Node)
		known = found && !n.Gone && n.Incarnation == c.incarnation
	})
	if err != nil || !known {
		return "the site's Raft group has not taken it in"
	}
	for _, m := range members {
		if m.Site != c.self.Site && m.Alive && c.prober.Verdict(m.Site) == reach.Unknown {
			return "site " + m.Site + " has not been probed"
		}
	}
	return ""
}
