package clustering

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/conclave-voice/conclave/api/v1"
	"github.com/conclave-voice/conclave/cluster/certs"
	"github.com/conclave-voice/conclave/cluster/gossip"
	"github.com/conclave-voice/conclave/cluster/registry"
	"github.com/conclave-voice/conclave/cluster/rpc"
	"github.com/conclave-voice/conclave/store"
)

type drainRequest struct {
	Node     string
	Draining bool
}

// Drain takes a node out of use, or into it again. One that is off finds the order when
// it is back.
func (c *Cluster) Drain(ctx context.Context, node string, draining bool) error {
	site, known := c.siteOf(node)
	switch {
	case !known:
		return fmt.Errorf("node %q: %w", node, store.ErrNotFound)
	case site != c.self.Site:
		return askSite(ctx, c, site, methodDrain, drainRequest{node, draining})
	}
	return c.order(ctx, registry.Order{Kind: registry.DrainNode, Name: node, On: draining})
}

// siteOf is the site of a node that gossip or the registry knows.
func (c *Cluster) siteOf(node string) (site string, known bool) {
	for _, m := range c.gossip.Members() {
		if m.Node == node && (!known || m.Site == c.self.Site) {
			site, known = m.Site, true
		}
	}
	if !known {
		_ = c.group.View(func(s *registry.State) { _, known = s.Node(node) })
		site = c.self.Site
	}
	return site, known
}

// askSite has a node of another site do something: the first that answers, whatever its
// answer is.
func askSite[Req any](ctx context.Context, c *Cluster, site, method string, r Req) error {
	err := fmt.Errorf("no node of site %s lives: %w", site, rpc.ErrUnreachable)
	for _, m := range c.livingElsewhere()[site] {
		_, err = rpc.Call[Req, struct{}](ctx, c.client, c.identity(site, m.Node), method, r)
		if !errors.Is(err, rpc.ErrUnreachable) {
			return err
		}
	}
	return err
}

type drainSiteRequest struct {
	Site string
	v1.SiteDraining
}

// DrainSite takes all nodes of a site out of use, or into it again. Only a site that
// answers can be drained: it is the one that knows which epochs its rooms have had.
func (c *Cluster) DrainSite(ctx context.Context, site string, d v1.SiteDraining) error {
	if site != c.self.Site {
		if _, known := c.gossipSites()[site]; !known {
			return fmt.Errorf("site %q: %w", site, store.ErrNotFound)
		}
		if err := askSite(ctx, c, site, methodDrainSite, drainSiteRequest{site, d}); err != nil {
			return fmt.Errorf("draining site %s: %w", site, err)
		}
		c.learn(ctx)
		return nil
	}
	o := registry.Order{Kind: registry.DrainSite, Name: site, Own: true, On: d.Draining}
	if err := c.complete(ctx, &o, d); err != nil {
		return err
	}
	if err := c.order(ctx, o); err != nil {
		return err
	}
	c.logger.Info("the site drains", "on", o.On, "deputy", o.Deputy, "until", d.Within)
	c.tell(ctx)
	return nil
}

// complete finds the deputy of a site that is to drain, and the floor of epochs of one
// that is not to any more.
func (c *Cluster) complete(ctx context.Context, o *registry.Order, d v1.SiteDraining) error {
	if !o.On {
		var deputy string
		if err := c.group.View(func(s *registry.State) { deputy = s.Order(registry.DrainSite, c.self.Site).Deputy }); err != nil || deputy == "" {
			return err
		}
		stood, err := c.drainsOf(ctx, deputy, true)
		if err != nil { // its epochs are found in the database, or when its conferences come back
			c.logger.Warn("the deputy does not say which epochs it has given", "site", deputy, "error", err)
		}
		o.Floor = stood.Epoch
		return nil
	}
	if d.Within > 0 {
		o.Until = uint64(c.clock.Now().Add(time.Duration(d.Within) * time.Second).Unix())
	}
	var refused []error
	for _, site := range c.deputies(d.To) {
		if _, err := c.drainsOf(ctx, site, true); err != nil {
			refused = append(refused, fmt.Errorf("site %s: %w", site, err))
			continue
		}
		o.Deputy = site
		return nil
	}
	if d.To != "" {
		return fmt.Errorf("%w: site %q cannot take the rooms: it must be another site, with a live node that takes conferences, and in use; %w",
			store.ErrInvalid, d.To, errors.Join(refused...))
	}
	c.logger.Warn("no other site takes the rooms: conferences stay until they end", "error", errors.Join(refused...))
	return nil
}

// deputies are the sites that may stand in for this one, that with most nodes first; or
// the one that is named, if it may.
func (c *Cluster) deputies(named string) []string {
	var list []string
	takes := map[string]int{}
	for site, nodes := range c.livingElsewhere() {
		for _, n := range nodes {
			if !n.Draining && n.Role != gossip.RoleEdge {
				takes[site]++
			}
		}
		if takes[site] > 0 && c.reachable(site) && c.locator.Home(site) == site && (named == "" || named == site) {
			list = append(list, site)
		}
	}
	slices.SortFunc(list, func(a, b string) int { return cmp.Or(cmp.Compare(takes[b], takes[a]), cmp.Compare(a, b)) })
	return list
}

// gossipSites are the sites that gossip knows, with how many nodes of each live.
func (c *Cluster) gossipSites() map[string]int {
	list := map[string]int{}
	for _, m := range c.gossip.Members() {
		if m.Left {
			continue
		}
		list[m.Site] += 0
		if m.Alive {
			list[m.Site]++
		}
	}
	return list
}

// serveDrains carries out what operators say at nodes of other sites.
func (c *Cluster) serveDrains() {
	rpc.Handle(c.server, methodDrain, func(ctx context.Context, _ certs.Identity, r drainRequest) (struct{}, error) {
		if site, known := c.siteOf(r.Node); !known || site != c.self.Site {
			return struct{}{}, fmt.Errorf("node %q of site %s: %w", r.Node, c.self.Site, store.ErrNotFound)
		}
		return struct{}{}, c.Drain(ctx, r.Node, r.Draining)
	})
	rpc.Handle(c.server, methodDrainSite, func(ctx context.Context, _ certs.Identity, r drainSiteRequest) (struct{}, error) {
		if r.Site != c.self.Site {
			return struct{}{}, fmt.Errorf("site %q: %w", r.Site, store.ErrNotFound)
		}
		return struct{}{}, c.DrainSite(ctx, r.Site, r.SiteDraining)
	})
}
