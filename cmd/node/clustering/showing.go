package clustering

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/conclave-voice/conclave/api/v1"
	"github.com/conclave-voice/conclave/cluster/certs"
	"github.com/conclave-voice/conclave/cluster/registry"
	"github.com/conclave-voice/conclave/cluster/rpc"
	"github.com/conclave-voice/conclave/sites/reach"
	"github.com/conclave-voice/conclave/store"
)

const (
	// showTime is how long all nodes have to tell how they are, and showAtOnce how many
	// are asked at once.
	showTime   = 2 * time.Second
	showAtOnce = 32
)

type statusRequest struct{ Site string }

// statusAnswer is how a node is, and what it thinks of the site that it is asked about.
type statusAnswer struct {
	Status v1.NodeStatus
	View   v1.SiteView
	Raft   v1.SiteRaft
}

// status is how this node is, and what it thinks of a site.
func (c *Cluster) status(site string) statusAnswer {
	a := statusAnswer{Status: c.config.Status(), View: c.view(site)}
	raft := c.group.Status()
	a.Raft = v1.SiteRaft{Leader: raft.Leader, Term: raft.Term, Commit: raft.Commit, Voters: raft.Voters, Spares: raft.Spares}
	_ = c.group.View(func(s *registry.State) { a.Raft.Rooms, a.Raft.Dialogs, _ = s.Sizes() })
	return a
}

// view is this node's verdict on another site, with what it rests on.
func (c *Cluster) view(site string) v1.SiteView {
	v := v1.SiteView{From: v1.Place{Site: c.self.Site, Node: c.self.Node}, Verdict: reach.Unknown.String(), Mode: reach.Auto.String()}
	for _, s := range c.prober.All() {
		if s.Site != site {
			continue
		}
		v.Verdict, v.Since, v.Mode, v.Why = s.Verdict.String(), s.Since.UTC(), s.Mode.String(), s.Why
		for _, n := range s.Nodes {
			v.Probes = append(v.Probes, v1.Probe{Node: n.Node, Failures: n.Failures, Answered: n.Answered.UTC(), RoundTripMS: float64(n.RTT.Microseconds()) / 1000, Failure: n.Failure})
		}
	}
	return v
}

// Site tells of a site: what its nodes say of themselves, and what each node of the others
// thinks of it. A node that does not answer is told of by what gossip knows.
func (c *Cluster) Site(ctx context.Context, site string) (v1.SiteDetail, error) {
	list := c.Sites()
	at := slices.IndexFunc(list, func(s v1.Site) bool { return s.Site == site })
	if at < 0 {
		return v1.SiteDetail{}, fmt.Errorf("site %q: %w", site, store.ErrNotFound)
	}
	d := v1.SiteDetail{Site: list[at], Members: []v1.NodeDetail{}, Views: []v1.SiteView{}}
	ctx, cancel := context.WithTimeout(ctx, showTime)
	defer cancel()
	var asked errgroup.Group
	asked.SetLimit(showAtOnce)
	var mu sync.Mutex
	for _, n := range c.Nodes() {
		asked.Go(func() error {
			a, err := c.statusOf(ctx, n, site)
			mu.Lock()
			defer mu.Unlock()
			addNode(&d, n, a, err)
			return nil
		})
	}
	_ = asked.Wait()
	slices.SortFunc(d.Members, func(a, b v1.NodeDetail) int { return cmp.Compare(a.Node.Node, b.Node.Node) })
	slices.SortFunc(d.Views, func(a, b v1.SiteView) int {
		return cmp.Or(cmp.Compare(a.From.Site, b.From.Site), cmp.Compare(a.From.Node, b.From.Node))
	})
	return d, nil
}

// addNode adds what a node has said, or that it has not.
func addNode(d *v1.SiteDetail, n v1.Node, a statusAnswer, err error) {
	switch {
	case n.Site != d.Site.Site:
		if err == nil {
			d.Views = append(d.Views, a.View)
		}
		return
	case err != nil:
		d.Members = append(d.Members, v1.NodeDetail{Node: n, Problem: err.Error()})
		return
	}
	d.Members = append(d.Members, v1.NodeDetail{Node: n, NodeStatus: a.Status})
	d.Conferences += a.Status.Conferences
	d.Calls += a.Status.Calls
	if d.Raft == nil || a.Raft.Term > d.Raft.Term || a.Raft.Term == d.Raft.Term && a.Raft.Commit > d.Raft.Commit {
		d.Raft = &a.Raft
	}
}

func (c *Cluster) statusOf(ctx context.Context, n v1.Node, site string) (statusAnswer, error) {
	switch {
	case n.Site == c.self.Site && n.Node == c.self.Node:
		return c.status(site), nil
	case !n.Alive:
		return statusAnswer{}, fmt.Errorf("dead by gossip since %s", n.Since.Format(time.RFC3339))
	}
	return rpc.Call[statusRequest, statusAnswer](ctx, c.client, c.identity(n.Site, n.Node), methodStatus, statusRequest{site})
}

func (c *Cluster) serveStatus() {
	rpc.Handle(c.server, methodStatus, func(_ context.Context, _ certs.Identity, r statusRequest) (statusAnswer, error) {
		return c.status(r.Site), nil
	})
}
