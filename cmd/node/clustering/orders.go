package clustering

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/conclave-voice/conclave/cluster/certs"
	"github.com/conclave-voice/conclave/cluster/gossip"
	"github.com/conclave-voice/conclave/cluster/registry"
	"github.com/conclave-voice/conclave/cluster/rpc"
	"github.com/conclave-voice/conclave/sites/reach"
)

// What operators order is kept in the site's registry (registry.Order): it outlives every
// node, needs no database, and a node that was away finds it when it is back. Each node
// does what its copy of the registry says. Which sites drain all sites must know: they
// ask one another again and again, and tell of a new order at once.

// Drain says whether the node is out of use.
type Drain struct {
	On bool
	// Until is when calls that still go on are to end; zero: they may go on.
	Until time.Time
}

const (
	// learnEvery is how often each other site is asked which sites drain, and learnTime
	// how long all of them have for their answers.
	learnEvery = 5 * time.Second
	learnTime  = time.Second
)

// obeyed is what the node has done of what it is ordered.
type obeyed struct {
	drain    Drain
	verdicts map[string]registry.Mode
}

// modes are the prober's for the registry's.
var modes = map[registry.Mode]reach.Mode{registry.ModeAuto: reach.Auto, registry.ModeUp: reach.ForceUp, registry.ModeDown: reach.ForceDown}

// obey does what has changed of what the node is ordered.
func (c *Cluster) obey() {
	c.obeying.Lock()
	defer c.obeying.Unlock()
	orders, err := c.orders()
	if err != nil {
		return // the group has closed
	}
	now := c.read(orders)
	if now.drain != c.obeyed.drain {
		c.gossip.SetDraining(now.drain.On)
		c.config.Draining(now.drain)
	}
	for site := range c.obeyed.verdicts {
		if _, still := now.verdicts[site]; !still {
			c.force(site, reach.Auto)
		}
	}
	for site, mode := range now.verdicts {
		if was, known := c.obeyed.verdicts[site]; !known || was != mode {
			c.force(site, modes[mode])
		}
	}
	c.obeyed = now
}

// orders are those of the registry or, while it is behind what the node has obeyed before,
// those; with what other sites have told of this one, if that is newer. The lock obeying is
// held.
func (c *Cluster) orders() ([]registry.Order, error) {
	now := c.kept
	err := c.group.View(func(s *registry.State) {
		if !c.kept.behind(s) {
			now = keptOrders{Group: s.Group(), Index: s.Index(), Orders: s.Orders()}
		}
	})
	if err != nil {
		return nil, err
	}
	if !slices.Equal(now.Orders, c.kept.Orders) {
		if err := now.write(c.ordersFile()); err != nil {
			c.logger.Error("orders are not kept on this node's disk: if it starts while its site has no quorum, it does not know them", "error", err)
		}
	}
	c.kept = now
	if c.told.Serial == 0 {
		return now.Orders, nil
	}
	return append(slices.Clone(now.Orders), c.told), nil
}

func (c *Cluster) ordersFile() string { return filepath.Join(c.config.DataDir, "orders.json") }

// read is what the orders mean for this node.
func (c *Cluster) read(orders []registry.Order) obeyed {
	now := obeyed{verdicts: map[string]registry.Mode{}}
	var site registry.Order
	for _, o := range orders {
		switch {
		case o.Kind == registry.DrainNode && o.Name == c.self.Node:
			now.drain.On = o.On
		case o.Kind == registry.DrainSite && o.Name == c.self.Site && o.Serial > site.Serial:
			site = o
		case o.Kind == registry.Verdict:
			now.verdicts[o.Name] = o.Mode
		}
	}
	now.drain.On = now.drain.On || site.On
	if site.On && site.Until > 0 {
		now.drain.Until = time.Unix(int64(site.Until), 0)
	}
	return now
}

func (c *Cluster) force(site string, mode reach.Mode) {
	if err := c.prober.Force(site, mode); err != nil {
		c.logger.Error("an order is not carried out", "error", err)
	}
}

// follow obeys whenever the registry changes, and learns what other sites know, until ctx
// is done.
func (c *Cluster) follow(ctx context.Context) error {
	tick := c.clock.NewTicker(learnEvery)
	defer tick.Stop()
	for {
		changed := c.group.Changed()
		c.obey()
		select {
		case <-changed:
		case <-tick.Chan():
			c.learn(ctx)
		case <-ctx.Done():
			return nil
		}
	}
}

// learn asks a node of each other site which sites drain, and has this site's registry
// keep what it does not know.
func (c *Cluster) learn(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, learnTime)
	defer cancel()
	var asked errgroup.Group
	for site := range c.livingElsewhere() {
		asked.Go(func() error {
			got, err := c.drainsOf(ctx, site, false)
			if err == nil {
				err = c.adopt(ctx, got.Orders)
			}
			if err != nil {
				c.logger.Debug("a site did not say which sites drain", "site", site, "error", err)
			}
			return nil
		})
	}
	_ = asked.Wait()
}

// livingElsewhere are the live nodes of other sites.
func (c *Cluster) livingElsewhere() map[string][]gossip.Member {
	list := map[string][]gossip.Member{}
	for _, m := range c.gossip.Members() {
		if m.Alive && !m.Left && m.Site != c.self.Site {
			list[m.Site] = append(list[m.Site], m)
		}
	}
	return list
}

type drainsRequest struct{ Sync bool }

// drainsAnswer is what a site knows of drains, and the highest epoch that it has given.
type drainsAnswer struct {
	Orders []registry.Order
	Epoch  uint64
}

// drainsOf asks a site; with sync the answer is as of now, which needs its quorum.
func (c *Cluster) drainsOf(ctx context.Context, site string, sync bool) (drainsAnswer, error) {
	nodes := c.livingElsewhere()[site]
	if len(nodes) == 0 {
		return drainsAnswer{}, fmt.Errorf("site %s: no node of it lives: %w", site, rpc.ErrUnreachable)
	}
	node := nodes[rand.IntN(len(nodes))]
	return rpc.Call[drainsRequest, drainsAnswer](ctx, c.client, c.identity(node.Site, node.Node), methodDrains, drainsRequest{sync})
}

// drains is what this site knows.
func (c *Cluster) drains(ctx context.Context, sync bool) (a drainsAnswer, err error) {
	if sync {
		if err := c.group.Sync(ctx); err != nil {
			return a, err
		}
	}
	err = c.group.View(func(s *registry.State) {
		a.Epoch = s.Epoch()
		for _, o := range s.Orders() {
			if o.Kind == registry.DrainSite {
				a.Orders = append(a.Orders, o)
			}
		}
	})
	return a, err
}

// adopt keeps what another site has told, where it is newer.
func (c *Cluster) adopt(ctx context.Context, told []registry.Order) error {
	for _, o := range told {
		if o.Kind != registry.DrainSite || o.Serial == 0 {
			continue
		}
		var known uint64
		if err := c.group.View(func(s *registry.State) { known = s.Order(registry.DrainSite, o.Name).Serial }); err != nil {
			return err
		}
		if o.Serial <= known {
			continue
		}
		if o.Own = o.Name == c.self.Site; o.Own {
			c.heed(o)
		}
		if err := c.group.Order(ctx, o); err != nil {
			return fmt.Errorf("keeping that site %s drains, or no longer: %w", o.Name, err)
		}
	}
	return nil
}

// heed obeys what others have told of this site, whether or not its registry can keep it.
func (c *Cluster) heed(o registry.Order) {
	c.obeying.Lock()
	if o.Serial > c.told.Serial {
		c.told = o
	}
	c.obeying.Unlock()
	c.obey()
}

// tell tells a node of each other site which sites drain. Who does not hear it learns it
// later.
func (c *Cluster) tell(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, learnTime)
	defer cancel()
	known, err := c.drains(ctx, true)
	if err != nil {
		return
	}
	var told errgroup.Group
	for site, nodes := range c.livingElsewhere() {
		told.Go(func() error {
			_, err := rpc.Call[drainsAnswer, struct{}](ctx, c.client, c.identity(site, nodes[rand.IntN(len(nodes))].Node), methodTell, known)
			if err != nil {
				c.logger.Warn("a site has not been told which sites drain; it will ask", "site", site, "error", err)
			}
			return nil
		})
	}
	_ = told.Wait()
}

// order has the site keep an order, and its nodes carry it out before it returns, those
// at least that answer.
func (c *Cluster) order(ctx context.Context, o registry.Order) error {
	if err := c.group.Order(ctx, o); err != nil {
		return fmt.Errorf("the site's registry does not keep it: %w", err)
	}
	return c.obeyAll(ctx)
}

// obeyAll lets the live nodes of the site carry out what is ordered.
func (c *Cluster) obeyAll(ctx context.Context) error {
	if err := c.obeyNow(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, learnTime)
	defer cancel()
	var all errgroup.Group
	for _, m := range c.gossip.Members() {
		if m.Site != c.self.Site || m.Node == c.self.Node || !m.Alive || m.Left {
			continue
		}
		all.Go(func() error {
			if _, err := rpc.Call[struct{}, struct{}](ctx, c.client, c.identity(m.Site, m.Node), methodObey, struct{}{}); err != nil {
				c.logger.Warn("a node carries out an order later", "node", m.Node, "error", err)
			}
			return nil
		})
	}
	return all.Wait()
}

func (c *Cluster) obeyNow(ctx context.Context) error {
	if err := c.group.Sync(ctx); err != nil {
		return err
	}
	c.obey()
	return nil
}

// serveOrders answers what other nodes ask of orders.
func (c *Cluster) serveOrders() {
	rpc.Handle(c.server, methodDrains, func(ctx context.Context, _ certs.Identity, r drainsRequest) (drainsAnswer, error) {
		return c.drains(ctx, r.Sync)
	})
	rpc.Handle(c.server, methodTell, func(ctx context.Context, _ certs.Identity, told drainsAnswer) (struct{}, error) {
		if err := c.adopt(ctx, told.Orders); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, c.obeyAll(ctx)
	})
	rpc.Handle(c.server, methodObey, func(ctx context.Context, peer certs.Identity, _ struct{}) (struct{}, error) {
		if err := c.bundle.SameSite()(peer); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, c.obeyNow(ctx)
	})
}
