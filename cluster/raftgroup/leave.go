package raftgroup

import (
	"context"
	"errors"
	"fmt"

	"github.com/hashicorp/raft"

	"github.com/conclave-voice/conclave/cluster/registry"
)

// HandOver gives the lead away, if this node has it and another can take it. Call it
// before Close when the node is stopped on purpose: the site then has a new leader
// without an election.
func (g *Group) HandOver(ctx context.Context) error {
	handed := make(chan error, 1)
	if err := g.start(func() { handed <- g.handOver() }); err != nil {
		return err
	}
	select {
	case err := <-handed:
		return err
	case <-ctx.Done():
		return fmt.Errorf("handing over the lead: %w", ctx.Err())
	}
}

// handOver takes Timing.Election at most.
func (g *Group) handOver() error {
	to, ok := g.successor()
	if g.raft.State() != raft.Leader || !ok {
		return nil
	}
	err := g.raft.LeadershipTransferToServer(to.ID, to.Address).Error()
	if err != nil && !errors.Is(err, raft.ErrNotLeader) {
		return fmt.Errorf("handing over the lead to %s: %w", to.ID, err)
	}
	return nil
}

// Leave takes this node out of the group for good, and returns when the group goes on
// without it; call Close then. A later run of the node, with a higher incarnation, is
// taken in again. The last node of a site cannot leave: it just stops. Leave waits as
// long as ctx lets it: a voter stays until the others have a majority without it.
func (g *Group) Leave(ctx context.Context) error {
	ctx, end := g.untilClosed(ctx)
	defer end()
	if err := g.remove(ctx, g.cfg.instance()); err != nil && !g.isForgotten(ctx) {
		return fmt.Errorf("leaving the site's Raft group: %w", err)
	}
	for !g.isAlone() && !g.isForgotten(ctx) {
		if pause(ctx, lookEvery); ctx.Err() != nil {
			return fmt.Errorf("waiting to be taken out of the site's Raft group: %w", context.Cause(ctx))
		}
	}
	return nil
}

func (g *Group) isAlone() bool {
	servers := g.raft.GetConfiguration().Configuration().Servers
	return len(servers) == 1 && servers[0].ID == g.self
}

// isForgotten says whether another node leads and does not have this one as a member.
// All are asked: a node that was taken out may be the last to hear of it, and then
// hears of no leader either.
func (g *Group) isForgotten(ctx context.Context) bool {
	for _, m := range g.cfg.Live() {
		if m.Node == g.cfg.Node {
			continue
		}
		ctx, cancel := context.WithTimeout(ctx, g.cfg.Timing.Election)
		a := g.forward(ctx, m.Node, request{is: kindHas, body: []byte(g.self)})
		cancel()
		if a.is == statusDone && len(a.body) == 1 && a.body[0] == 0 {
			return true
		}
	}
	return false
}

// Remove takes another node out of the group that will not come back. It is an
// operator's decision: a node that is only away returns by itself.
func (g *Group) Remove(ctx context.Context, node string) error {
	if err := g.Sync(ctx); err != nil {
		return err
	}
	var n registry.Node
	var ok bool
	if err := g.View(func(s *registry.State) { n, ok = s.Node(node) }); err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("removing node %s from the site's Raft group: %w", node, registry.Unknown)
	}
	return g.remove(ctx, n.Instance)
}

func (g *Group) remove(ctx context.Context, node registry.Instance) error {
	_, err := g.propose(ctx, registry.NodeGone{Instance: node, Left: true})
	return err
}

// successor is another voter that is live and answers. Left to itself, Raft may choose
// one that is dead, for it looks only at how far the logs go.
func (g *Group) successor() (raft.Server, bool) {
	live := map[raft.ServerID]bool{}
	for _, m := range g.cfg.Live() {
		live[m.server()] = true
	}
	unanswered := g.leadership.unanswered()
	for _, s := range g.raft.GetConfiguration().Configuration().Servers {
		if isVoter(s) && s.ID != g.self && live[s.ID] && !unanswered[s.ID] {
			return s, true
		}
	}
	return raft.Server{}, false
}

// Status is what an operator or a metric wants to know.
type Status struct {
	Leader  string // node, empty if there is none
	Leading bool   // this node
	Term    uint64
	Commit  uint64 // log index
	Group   string
	Voters  []string // nodes
	Spares  []string // non-voters
	// DialogsWaiting is how many changes of dialogs are queued at this node.
	DialogsWaiting int
}

// Status is the state of the group as this node sees it.
func (g *Group) Status() Status {
	leader, _, _ := g.leadership.now()
	status := Status{Leader: nodeOf(leader), Leading: leader == g.self, Term: g.raft.CurrentTerm(),
		Commit: g.raft.CommitIndex(), DialogsWaiting: len(g.dialogs.queue)}
	_ = g.View(func(s *registry.State) { status.Group = s.Group() })
	for _, s := range g.raft.GetConfiguration().Configuration().Servers {
		if isVoter(s) {
			status.Voters = append(status.Voters, nodeOf(s.ID))
		} else {
			status.Spares = append(status.Spares, nodeOf(s.ID))
		}
	}
	return status
}
