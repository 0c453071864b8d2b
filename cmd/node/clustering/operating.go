package clustering

import (
	"context"
	"errors"
	"fmt"

	"github.com/conclave-voice/conclave/api/v1"
	"github.com/conclave-voice/conclave/cluster/certs"
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
	own := v1.Site{Site: c.self.Site, Own: true, Verdict: reach.Up.String(), Mode: reach.Auto.String()}
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
		list = append(list, v1.Site{Site: s.Site, Verdict: s.Verdict.String(), Since: s.Since.UTC(), Mode: s.Mode.String(), Why: s.Why, Nodes: s.Known, Alive: s.Alive})
	}
	return list
}

type drainRequest struct{ Draining bool }

type forceRequest struct{ Site, Mode string }

// Drain takes a node out of use, or into it again.
func (c *Cluster) Drain(ctx context.Context, node string, draining bool) error {
	if node == c.self.Node {
		return c.drainSelf(ctx, draining)
	}
	for _, n := range c.Nodes() {
		if n.Node == node {
			_, err := rpc.Call[drainRequest, struct{}](ctx, c.client, c.identity(n.Site, n.Node), methodDrain, drainRequest{draining})
			return err
		}
	}
	return fmt.Errorf("node %q: %w", node, store.ErrNotFound)
}

func (c *Cluster) drainSelf(ctx context.Context, draining bool) error {
	c.gossip.SetDraining(draining)
	if err := c.group.Drain(ctx, draining); err != nil {
		return fmt.Errorf("telling the site's registry: %w", err)
	}
	c.config.Draining(ctx, draining)
	return nil
}

// Force says whether a site is to be used, at all nodes of this one.
func (c *Cluster) Force(ctx context.Context, site, mode string) error {
	known := false
	for _, s := range c.prober.All() {
		known = known || s.Site == site
	}
	if !known {
		return fmt.Errorf("another site %q: %w", site, store.ErrNotFound)
	}
	var errs []error
	for _, n := range c.Nodes() {
		switch {
		case n.Site != c.self.Site || !n.Alive:
		case n.Node == c.self.Node:
			errs = append(errs, c.forceSelf(site, mode))
		default:
			_, err := rpc.Call[forceRequest, struct{}](ctx, c.client, c.identity(n.Site, n.Node), methodForce, forceRequest{site, mode})
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (c *Cluster) forceSelf(site, mode string) error {
	m, err := reach.ParseMode(mode)
	if err != nil {
		return fmt.Errorf("%w: %w", store.ErrInvalid, err)
	}
	return c.prober.Force(site, m)
}

func (c *Cluster) serveOperators() {
	rpc.Handle(c.server, methodDrain, func(ctx context.Context, _ certs.Identity, r drainRequest) (struct{}, error) {
		return struct{}{}, c.drainSelf(ctx, r.Draining)
	})
	rpc.Handle(c.server, methodForce, func(_ context.Context, peer certs.Identity, r forceRequest) (struct{}, error) {
		if err := c.bundle.SameSite()(peer); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, c.forceSelf(r.Site, r.Mode)
	})
}
