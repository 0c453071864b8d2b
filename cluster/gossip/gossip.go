package gossip

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/conclave-voice/conclave/cluster/gossip/watch"
)

// Gossip is this node's part in the cluster's gossip. All methods are safe for
// concurrent use.
type Gossip struct {
	self    *self
	local   *pool
	wide    *pool
	book    *book
	keys    *keys
	changed *watch.Set
	cancel  context.CancelFunc
	loops   sync.WaitGroup // rejoining and publishing
	notes   *notes

	ending sync.Mutex // Leave and Close, one at a time
	closed bool
}

// Start opens both pools and begins to look for the others; it does not wait for any.
// It fails if the configuration is wrong or an address cannot be bound.
func Start(c Config) (*Gossip, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("gossip: %w", err)
	}
	keys, err := newKeys(c.Keys)
	if err != nil {
		return nil, fmt.Errorf("gossip: %w", err)
	}
	if c.network == nil {
		c.network = listen
	}
	ctx, cancel := context.WithCancel(context.Background())
	g := &Gossip{self: &self{member: c.member()}, book: newBook(c.SeedFile), keys: keys,
		changed: &watch.Set{}, cancel: cancel, notes: startNotes(c.Logger.Named("gossip"))}
	if err := g.book.load(); err != nil {
		c.Logger.Warn("go on without the addresses learnt in earlier runs", "error", err)
	}
	if err := g.open(ctx, c); err != nil {
		g.Close()
		return nil, fmt.Errorf("gossip: %w", err)
	}
	for _, p := range []*pool{g.local, g.wide} {
		g.loops.Go(func() { p.publish(ctx) })
		g.loops.Go(func() { p.rejoin(ctx) })
	}
	return g, nil
}

// open binds both pools before it starts either, for each tells the other's address.
func (g *Gossip) open(ctx context.Context, c Config) error {
	var transports [2]memberlist.NodeAwareTransport
	var addrs [2]netip.AddrPort
	logger := log.New(&memberlistLog{g.notes}, "", 0)
	for i, pc := range []PoolConfig{c.Local, c.Wide} {
		t, bound, err := c.network(ctx, pc.Bind, logger)
		if err != nil {
			return errors.Join(fmt.Errorf("open the %s pool at %s: %w", kind(i), pc.Bind, err),
				shutdown(transports[:i]))
		}
		transports[i], addrs[i] = t, advertised(pc, bound)
	}
	g.self.change(func(m *Member) {
		m.Addresses.LocalGossip, m.Addresses.WideGossip = addrs[local], addrs[wide]
	})
	g.local = g.newPool(local, c.Local, addrs[local])
	g.wide = g.newPool(wide, c.Wide, addrs[wide])
	g.local.other, g.wide.other = g.wide, g.local
	for i, p := range []*pool{g.local, g.wide} {
		if err := p.open(transports[i], c.Cluster, g.keys.ring, logger); err != nil {
			return errors.Join(fmt.Errorf("start the %s pool: %w", p.kind, err), shutdown(transports[i:]))
		}
	}
	return nil
}

func (g *Gossip) newPool(k kind, c PoolConfig, addr netip.AddrPort) *pool {
	return &pool{kind: k, id: g.self.get().ID(), addr: addr, self: g.self, timing: c.timing(k),
		seeds: c.Seeds, book: g.book, notes: g.notes, members: newTable(g.changed),
		urgent: make(chan struct{}, 1), relaxed: make(chan struct{}, 1), kick: make(chan struct{}, 1)}
}

func shutdown(transports []memberlist.NodeAwareTransport) error {
	var errs []error
	for _, t := range transports {
		errs = append(errs, t.Shutdown())
	}
	return errors.Join(errs...)
}

// advertised is where others reach the socket.
func advertised(pc PoolConfig, bound netip.AddrPort) netip.AddrPort {
	addr, port := bound.Addr(), bound.Port()
	if pc.Advertise.IsValid() {
		addr = pc.Advertise.Addr()
		if pc.Advertise.Port() != 0 {
			port = pc.Advertise.Port()
		}
	}
	return netip.AddrPortFrom(addr.Unmap(), port)
}

// Members are all nodes known, this one included, by site and name. Those that are not
// alive stay for a day.
//
// For nodes of this site the local pool is believed; the wide one only where it knows
// of a newer run, or alone knows the node.
func (g *Gossip) Members() []Member {
	byID := map[string]Member{}
	for _, m := range g.wide.members.list() {
		byID[m.ID()] = m
	}
	for _, m := range g.local.members.list() {
		if other, both := byID[m.ID()]; !both || other.Incarnation <= m.Incarnation {
			byID[m.ID()] = m
		}
	}
	own := g.self.get()
	byID[own.ID()] = own
	members := make([]Member, 0, len(byID))
	for _, m := range byID {
		m.Raft = slices.Clone(m.Raft)
		members = append(members, m)
	}
	slices.SortFunc(members, func(a, b Member) int { return strings.Compare(a.ID(), b.ID()) })
	return members
}

// Watch signals, until the context ends, that Members gives something new. Signals melt
// together; the last change is never missed. The channel is not closed.
func (g *Gossip) Watch(ctx context.Context) <-chan struct{} { return g.changed.Watch(ctx) }

// SetLoad tells the others how busy the node is, at most once in the pool's
// LoadInterval; of several within it the last is told.
func (g *Gossip) SetLoad(l Load) {
	if g.self.change(func(m *Member) { m.Load = l }) {
		g.announce(func(p *pool) chan struct{} { return p.relaxed })
	}
}

// SetDraining tells the others at once whether the node takes new conferences.
func (g *Gossip) SetDraining(draining bool) {
	if g.self.change(func(m *Member) { m.Draining = draining }) {
		g.announce(func(p *pool) chan struct{} { return p.urgent })
	}
}

// SetRaft tells the nodes of this site at once what the node announces to the Raft
// group: at most 160 bytes, which this package does not look into.
func (g *Gossip) SetRaft(b []byte) error {
	if err := validateRaft(b); err != nil {
		return err
	}
	b = slices.Clone(b)
	if g.self.change(func(m *Member) { m.Raft = b }) {
		signal(g.local.urgent)
		g.changed.Signal()
	}
	return nil
}

func (g *Gossip) announce(which func(*pool) chan struct{}) {
	signal(which(g.local))
	signal(which(g.wide))
	g.changed.Signal()
}

// AddKey makes this node read what is encrypted with the key. To rotate: add the new
// key on every node, use it on every node, remove the old one on every node. Two keys
// are held at most: another rotation starts when the last one has ended.
func (g *Gossip) AddKey(key []byte) error { return g.keys.add(key) }

// UseKey makes this node encrypt with a key that it holds.
func (g *Gossip) UseKey(key []byte) error { return g.keys.use(key) }

// RemoveKey makes this node forget a key, which must not be the one in use.
func (g *Gossip) RemoveKey(key []byte) error { return g.keys.remove(key) }

// Leave says good-bye to both pools, so that the others do not take this node's end for
// a failure. It waits until that was sent, or for the context, 2 s if it has no
// deadline. Call Close next.
func (g *Gossip) Leave(ctx context.Context) error {
	timeout := 2 * time.Second
	if deadline, ok := ctx.Deadline(); ok {
		timeout = max(time.Until(deadline), time.Millisecond)
	}
	g.ending.Lock()
	defer g.ending.Unlock()
	if g.closed {
		return errors.New("leave the cluster: gossip is closed already")
	}
	g.self.change(func(m *Member) { m.Left = true })
	var both sync.WaitGroup
	errs := make([]error, 2)
	for i, p := range []*pool{g.local, g.wide} {
		both.Go(func() { errs[i] = p.leave(timeout) })
	}
	both.Wait()
	return errors.Join(errs...)
}

// Close stops gossiping, without a good-bye, and saves the addresses learnt. It does
// not wait for nodes that do not answer.
func (g *Gossip) Close() error {
	g.ending.Lock()
	defer g.ending.Unlock()
	if g.closed {
		return nil
	}
	g.closed = true
	g.cancel()
	g.loops.Wait()
	var errs []error
	for _, p := range []*pool{g.local, g.wide} {
		if p != nil {
			errs = append(errs, p.close())
		}
	}
	errs = append(errs, g.book.save())
	g.notes.stop()
	return errors.Join(errs...)
}

// signal leaves one token, unless one is there.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // whoever takes the token sees this change too
	}
}
