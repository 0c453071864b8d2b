package gossip

import (
	"context"
	"fmt"
	"log"
	"net/netip"
	"time"

	"github.com/hashicorp/memberlist"
)

// kind says which of the two pools.
type kind int

const (
	local kind = iota // inside the site
	wide              // across sites
)

func (k kind) String() string { return [...]string{"local", "wide"}[k] }

// reclaimAfter is how long a name must have been dead before it may come back at
// another address: not at all, for [pool.NotifyAlive] admits only newer runs. With 0
// memberlist would never let it.
const reclaimAfter = time.Millisecond

// pool is one memberlist with its loops.
type pool struct {
	kind    kind
	id      string // this node's name in the pool
	addr    netip.AddrPort
	self    *self
	timing  Timing
	seeds   []string
	book    *book
	notes   *notes
	members *table
	other   *pool
	list    *memberlist.Memberlist // set by open

	urgent, relaxed chan struct{} // what the node says of itself has changed
	kick            chan struct{} // there may be new addresses to join
}

func (c PoolConfig) timing(k kind) Timing {
	switch {
	case c.Timing != Timing{}:
		return c.Timing
	case k == local:
		return LocalTiming()
	default:
		return WideTiming()
	}
}

// open starts memberlist. The label keeps clusters apart, and the pools of one cluster
// where a seed has the port of the wrong one: what has another label is not even read.
func (p *pool) open(t memberlist.Transport, cluster string, keys *memberlist.Keyring, logger *log.Logger) error {
	c := memberlist.DefaultLANConfig()
	c.Name = p.id
	c.Label = cluster + "/" + p.kind.String()
	c.Keyring = keys
	c.Transport = t
	c.BindPort = int(p.addr.Port())
	c.AdvertiseAddr, c.AdvertisePort = p.addr.Addr().String(), int(p.addr.Port())
	c.ProbeInterval, c.ProbeTimeout = p.timing.ProbeInterval, p.timing.ProbeTimeout
	c.SuspicionMult, c.SuspicionMaxTimeoutMult = p.timing.Suspicion, p.timing.SuspicionMax
	c.GossipInterval, c.PushPullInterval = p.timing.GossipInterval, p.timing.SyncInterval
	c.TCPTimeout = p.timing.StreamTimeout
	c.DeadNodeReclaimTime = reclaimAfter
	c.EnableCompression = false // packets are small, and processors are for voices
	c.Delegate, c.Events, c.Alive, c.Merge, c.Conflict = p, p, p, p, p
	c.Logger = logger
	list, err := memberlist.Create(c)
	if err != nil {
		return err
	}
	p.list = list
	return nil
}

// publish tells the pool what has changed at this node: the load at most once in the
// LoadInterval, the rest in the GossipInterval.
func (p *pool) publish(ctx context.Context) {
	var last time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.urgent:
		case <-p.relaxed:
			if !pause(ctx, p.timing.LoadInterval-time.Since(last), p.urgent) {
				return
			}
		}
		last = time.Now()
		// The news is queued at once; to wait until it was sent would only delay the next.
		_ = p.list.UpdateNode(time.Millisecond)
		if !pause(ctx, p.timing.GossipInterval, nil) {
			return
		}
	}
}

// leave tells why first: memberlist does not say whether a member left or failed. When
// that is not sent in time, it is taken for failed, which does no harm.
func (p *pool) leave(timeout time.Duration) error {
	_ = p.list.UpdateNode(timeout / 2)
	if err := p.list.Leave(timeout / 2); err != nil {
		return fmt.Errorf("leave the %s pool: %w", p.kind, err)
	}
	return nil
}

func (p *pool) close() error {
	if p.list == nil {
		return nil
	}
	if err := p.list.Shutdown(); err != nil {
		return fmt.Errorf("close the %s pool: %w", p.kind, err)
	}
	return nil
}
