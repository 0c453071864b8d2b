package api

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/conclave-voice/conclave/api/v1"
	"github.com/conclave-voice/conclave/store"
)

// Alone is the Cluster of a node without others.
type Alone struct {
	node     func() v1.Node
	status   func() v1.NodeStatus
	drain    func(bool)
	draining atomic.Bool
}

var _ Cluster = (*Alone)(nil)

// NewAlone makes one. node describes the node, and status how it is; drain makes it refuse
// new calls, or take them again.
func NewAlone(node func() v1.Node, status func() v1.NodeStatus, drain func(bool)) *Alone {
	return &Alone{node: node, status: status, drain: drain}
}

// Nodes is the one node.
func (a *Alone) Nodes() []v1.Node {
	n := a.node()
	n.Alive, n.Role, n.Draining = true, "all", a.draining.Load()
	return []v1.Node{n}
}

// Sites is the site of the node.
func (a *Alone) Sites() []v1.Site {
	own := v1.Site{Site: a.node().Site, Own: true, Verdict: "up", Mode: "auto", Nodes: 1, Alive: 1}
	if a.draining.Load() {
		own.Drain = &v1.SiteDrain{}
	}
	return []v1.Site{own}
}

// Site is the node's, which nobody else thinks anything of.
func (a *Alone) Site(_ context.Context, site string) (v1.SiteDetail, error) {
	own := a.Sites()[0]
	if site != own.Site {
		return v1.SiteDetail{}, fmt.Errorf("site %q: %w", site, store.ErrNotFound)
	}
	status := a.status()
	return v1.SiteDetail{Site: own, Calls: status.Calls, Conferences: status.Conferences,
		Members: []v1.NodeDetail{{Node: a.Nodes()[0], NodeStatus: status}}, Views: []v1.SiteView{}}, nil
}

// Drain is for the node itself.
func (a *Alone) Drain(_ context.Context, node string, draining bool) error {
	if node != a.node().Node {
		return fmt.Errorf("node %q: %w", node, store.ErrNotFound)
	}
	a.draining.Store(draining)
	a.drain(draining)
	return nil
}

// DrainSite drains the node. There is no other that takes its rooms.
func (a *Alone) DrainSite(ctx context.Context, site string, d v1.SiteDraining) error {
	own := a.node()
	if site != own.Site {
		return fmt.Errorf("site %q: %w", site, store.ErrNotFound)
	}
	if d.To != "" || d.Within != 0 {
		return fmt.Errorf("%w: a node without a cluster gives its rooms to nobody, and lets its calls go on: leave to and withinSeconds out", store.ErrInvalid)
	}
	return a.Drain(ctx, own.Node, d.Draining)
}

// Force finds no other site.
func (a *Alone) Force(_ context.Context, site, _ string) error {
	return fmt.Errorf("site %q: %w", site, store.ErrNotFound)
}

// RotateKeys finds no keys.
func (a *Alone) RotateKeys(context.Context, bool) (int, error) {
	return 0, fmt.Errorf("%w: this node is in no cluster, and shares no keys", ErrNotNow)
}
