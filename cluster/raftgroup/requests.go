package raftgroup

import (
	"context"
	"errors"
	"fmt"

	"github.com/conclave-voice/conclave/cluster/registry"
)

// Assign gives a room to a node, or finds out who has it: the assignment returned
// is what is in force. Its errors are a registry.Refusal, those of this package, and
// those of ctx.
func (g *Group) Assign(ctx context.Context, a registry.Assign) (registry.Assignment, error) {
	r, err := g.propose(ctx, a)
	return r.Assignment, err
}

// Release ends an assignment, if it still has this epoch.
func (g *Group) Release(ctx context.Context, room string, epoch uint64) error {
	_, err := g.propose(ctx, registry.Release{Room: room, Epoch: epoch})
	return err
}

// Assignment is the room's assignment, none if there is none, as of now.
func (g *Group) Assignment(ctx context.Context, room string) (registry.Assignment, bool, error) {
	if err := g.Sync(ctx); err != nil {
		return registry.Assignment{}, false, fmt.Errorf("reading who hosts room %s: %w", room, err)
	}
	var a registry.Assignment
	var ok bool
	err := g.View(func(s *registry.State) { a, ok = s.Assignment(room) })
	return a, ok, err
}

// NodeUp says that a run of a node is there. The leader does so by itself for all
// live nodes.
func (g *Group) NodeUp(ctx context.Context, up registry.NodeUp) error {
	_, err := g.propose(ctx, up)
	return err
}

// NodeGone says that a run of a node is over. The leader does so by itself for
// nodes that neither gossip nor Raft can reach.
func (g *Group) NodeGone(ctx context.Context, node registry.Instance) error {
	_, err := g.propose(ctx, registry.NodeGone{Instance: node})
	return err
}

// Order has the site keep what an operator says of a node or a site.
func (g *Group) Order(ctx context.Context, o registry.Order) error {
	_, err := g.propose(ctx, o)
	return err
}

// TakeDialog makes this node the owner of a call, if from still owns it. Of several
// nodes that try, one succeeds and the others get registry.NotOwner. After
// ErrUnknownOutcome, Sync and View show who owns it.
func (g *Group) TakeDialog(ctx context.Context, call string, from registry.Instance) (registry.Dialog, error) {
	r, err := g.propose(ctx, registry.TakeDialog{Call: call, From: from, To: g.cfg.instance()})
	return r.Dialog, err
}

// propose has an op carried out once, under a new request id.
func (g *Group) propose(ctx context.Context, op registry.Op) (registry.Result, error) {
	ctx, done := g.patient(ctx)
	defer done()
	seq, err := g.numbers.take(ctx)
	if err != nil {
		return registry.Result{}, fmt.Errorf("proposing %T: %w", op, err)
	}
	defer g.numbers.end(seq)
	id := registry.RequestID{From: g.cfg.instance(), Seq: seq}
	data, err := registry.Command{Request: id, Op: op}.Encode()
	if err != nil {
		return registry.Result{}, fmt.Errorf("%w: %w", registry.Invalid, err)
	}
	body, err := g.ask(ctx, request{is: kindPropose, body: data})
	if err != nil {
		return registry.Result{}, fmt.Errorf("proposing %T: %w", op, err)
	}
	result, err := registry.DecodeResult(body)
	if err != nil {
		return registry.Result{}, errors.Join(ErrUnknownOutcome, err)
	}
	// Both are about the request's number, too: an earlier attempt may have succeeded.
	if result.Refusal == registry.Expired || result.Refusal == registry.Stale {
		return result, fmt.Errorf("proposing %T: %w; %w", op, result.Err(), ErrUnknownOutcome)
	}
	return result, result.Err()
}
