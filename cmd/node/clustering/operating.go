package clustering

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/conclave-voice/conclave/api/v1"
	"github.com/conclave-voice/conclave/cluster/certs"
	"github.com/conclave-voice/conclave/cluster/registry"
	"github.com/conclave-voice/conclave/cluster/rpc"
	"github.com/conclave-voice/conclave/sites/reach"
	"github.com/conclave-voice/conclave/store"
)

// What operators see and do (api.Cluster).

// Nodes are those that gossip knows, without those that have left.
func (c *Cluster) Nodes() []v1.Node {
	list := []v1.Node{}
	for _, m := range c.gossip.Members() {
		if m.Left {
			continue
		}
		list = append(list, v1.Node{Site: m.Site, Node: m.Node, Alive: m.Alive, Since: m.Since.UTC(), Draining: m.Draining, Role: m.Role.String(),
			Version: m.Version, SIP: m.Addresses.SIP, HTTP: m.Addresses.HTTP, Participants: int(m.Load.Participants), Capacity: int(m.Load.Capacity)})
	}
	return list
}

// Sites are this one and the others, with the verdicts.
func (c *Cluster) Sites() []v1.Site {
	own := v1.Site{Site: c.self.Site, Own: true, Verdict: reach.Up.String(), Mode: reach.Auto.String(), Drain: c.drainOf(c.self.Site)}
	for _, n := range c.Nodes() {
		if n.Site != c.self.Site {
			continue
		}
		own.Nodes++
		if n.Alive {
			own.Alive++
		}
	}
	list := []v1.Site{own}
	for _, s := range c.prober.All() {
		list = append(list, v1.Site{Site: s.Site, Verdict: s.Verdict.String(), Since: s.Since.UTC(), Mode: s.Mode.String(), Why: s.Why, Nodes: s.Known, Alive: s.Alive, Drain: c.drainOf(s.Site)})
	}
	return list
}

// drainOf is the drain of a site, as this one knows it; nil: it does not drain.
func (c *Cluster) drainOf(site string) *v1.SiteDrain {
	var o registry.Order
	_ = c.group.View(func(s *registry.State) { o = s.Order(registry.DrainSite, site) })
	if !o.On {
		return nil
	}
	d := &v1.SiteDrain{To: o.Deputy}
	if o.Until > 0 {
		d.Until = time.Unix(int64(o.Until), 0).UTC()
	}
	return d
}

type forceRequest struct{ Site, Mode string }

// Force says whether a site is to be used, at all nodes of this one. The site's registry
// keeps it; where that has no quorum, which is when operators may have to decide, the
// live nodes do so until they start anew, and the error says that.
func (c *Cluster) Force(ctx context.Context, site, mode string) error {
	known := false
	for _, s := range c.prober.All() {
		known = known || s.Site == site
	}
	_ = c.group.View(func(s *registry.State) { known = known || s.Order(registry.Verdict, site).Mode != registry.ModeAuto })
	if !known {
		return fmt.Errorf("another site %q: %w", site, store.ErrNotFound)
	}
	m, err := reach.ParseMode(mode)
	if err != nil {
		return fmt.Errorf("%w: %w", store.ErrInvalid, err)
	}
	kept := c.group.Order(ctx, registry.Order{Kind: registry.Verdict, Name: site, Mode: registryModes[m]})
	if kept != nil {
		kept = fmt.Errorf("in force at the nodes that live, until they start anew, for the site's registry does not keep it: %w", kept)
	}
	return errors.Join(kept, c.forceSelf(site, mode), c.forceOthers(ctx, forceRequest{site, mode}))
}

// forceOthers tells the live nodes of the site at once. A node that does not hear it finds
// it in the registry.
func (c *Cluster) forceOthers(ctx context.Context, r forceRequest) error {
	ctx, cancel := context.WithTimeout(ctx, learnTime)
	defer cancel()
	var told errgroup.Group
	for _, n := range c.Nodes() {
		if n.Site != c.self.Site || n.Node == c.self.Node || !n.Alive {
			continue
		}
		told.Go(func() error {
			_, err := rpc.Call[forceRequest, struct{}](ctx, c.client, c.identity(n.Site, n.Node), methodForce, r)
			if errors.Is(err, rpc.ErrUnreachable) {
				c.logger.Warn("a node learns later which site is used", "node", n.Node, "error", err)
				return nil
			}
			return err
		})
	}
	return told.Wait()
}

func (c *Cluster) forceSelf(site, mode string) error {
	m, err := reach.ParseMode(mode)
	if err != nil {
		return fmt.Errorf("%w: %w", store.ErrInvalid, err)
	}
	return c.prober.Force(site, m)
}

// registryModes are the registry's for the prober's.
var registryModes = map[reach.Mode]registry.Mode{reach.Auto: registry.ModeAuto, reach.ForceUp: registry.ModeUp, reach.ForceDown: registry.ModeDown}

func (c *Cluster) serveOperators() {
	rpc.Handle(c.server, methodForce, func(_ context.Context, peer certs.Identity, r forceRequest) (struct{}, error) {
		if err := c.bundle.SameSite()(peer); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, c.forceSelf(r.Site, r.Mode)
	})
}
