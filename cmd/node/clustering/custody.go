package clustering

import (
	"context"
	"fmt"
	"time"

	"github.com/conclave-voice/conclave/callflow/custody"
	"github.com/conclave-voice/conclave/cluster/certs"
	"github.com/conclave-voice/conclave/cluster/gossip"
	"github.com/conclave-voice/conclave/cluster/registry"
	"github.com/conclave-voice/conclave/cluster/rpc"
	"github.com/conclave-voice/conclave/store"
)

// How the nodes of a site go on with one another's calls.

type takeRequest struct {
	Call store.CallID
	From registry.Instance
}

func (c *Cluster) makeCustody() {
	c.custody = custody.New(custody.Config{Self: c.instance(), Group: c.group, Takers: c.takers, Clock: c.clock, Logger: c.logger.Named("custody"),
		Ask: func(ctx context.Context, node string, call store.CallID, from registry.Instance) error {
			_, err := rpc.Call[takeRequest, struct{}](ctx, c.client, c.identity(c.self.Site, node), methodTake, takeRequest{call, from})
			return err
		}})
}

func (c *Cluster) instance() registry.Instance {
	return registry.Instance{Node: c.self.Node, Incarnation: c.incarnation}
}

// Custody is for the call engine.
func (c *Cluster) Custody() *custody.Custody { return c.custody }

// RunCustody takes calls over whose nodes are gone, until ctx is done.
func (c *Cluster) RunCustody(ctx context.Context, calls custody.Calls) error {
	return c.custody.Run(ctx, calls)
}

// serveCustody lets the site's nodes give their calls to this one.
func (c *Cluster) serveCustody(calls custody.Calls) {
	rpc.Handle(c.server, methodTake, func(ctx context.Context, peer certs.Identity, r takeRequest) (struct{}, error) {
		if err := c.bundle.SameSite()(peer); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, c.custody.Take(ctx, calls, r.Call, r.From)
	})
}

// takers are the nodes of this site that have callers and do not step aside; if all do,
// all that have callers.
func (c *Cluster) takers() []string {
	var list, draining []string
	for _, m := range c.gossip.Members() {
		switch {
		case m.Site != c.self.Site || !m.Alive || m.Left || m.Role == gossip.RoleProcessing:
		case m.Draining:
			draining = append(draining, m.Node)
		default:
			list = append(list, m.Node)
		}
	}
	if len(list) == 0 {
		return draining
	}
	return list
}

// goingOnTime bounds the wait for the site's group.
const goingOnTime = 10 * time.Second

// GoingOn tells of calls that nodes of the site have, or are about to take over
// (billing.GoingOn).
func (c *Cluster) GoingOn(ctx context.Context) (func(store.CallID) bool, error) {
	ctx, cancel := context.WithTimeout(ctx, goingOnTime)
	defer cancel()
	if err := c.group.Sync(ctx); err != nil {
		return nil, fmt.Errorf("ask the site's Raft group: %w", err)
	}
	known := map[store.CallID]bool{}
	err := c.group.View(func(s *registry.State) {
		for _, d := range s.Dialogs() {
			known[store.CallID(d.Call)] = true
		}
	})
	return func(id store.CallID) bool { return known[id] }, err
}

// StepAside tells the others that this node stops, so that they give it no conferences and
// calls any more. It says whether the site has another node, which takes those that are here.
func (c *Cluster) StepAside() bool {
	others := false
	for _, m := range c.gossip.Members() {
		others = others || m.Site == c.self.Site && m.Node != c.self.Node && m.Alive && !m.Left
	}
	if !others {
		return false
	}
	c.gossip.SetDraining(true)
	return true
}
