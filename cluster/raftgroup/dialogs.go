package raftgroup

import (
	"bytes"
	"context"
	"fmt"

	"github.com/conclave-voice/conclave/cluster/registry"
)

// MaxQueuedDialogs is how many changes of dialogs wait at most while a batch is under
// way; more are refused with ErrQueueFull.
const MaxQueuedDialogs = 2048

const maxBatchBytes = 96 << 10 // of dialog state in one entry, over by one change at most

// PutDialog keeps the state of a call that this node owns, so that another node can
// take it over. The version grows with each change. When PutDialog returns nil, the
// state survives this node. Calls at the same time share an entry of the log.
//
// Changes of one call are carried out in the order in which they were queued.
// After ErrUnknownOutcome, put a higher version.
func (g *Group) PutDialog(ctx context.Context, call string, version uint64, state []byte) error {
	return g.changeDialog(ctx, registry.DialogChange{Call: call, Version: version, State: bytes.Clone(state)})
}

// DropDialog forgets a call that this node owns.
func (g *Group) DropDialog(ctx context.Context, call string) error {
	return g.changeDialog(ctx, registry.DialogChange{Call: call, Drop: true})
}

func (g *Group) changeDialog(ctx context.Context, change registry.DialogChange) error {
	if err := change.Validate(); err != nil {
		return fmt.Errorf("%w: %w", registry.Invalid, err)
	}
	item := queued{change: change, done: make(chan error, 1)}
	if err := g.ctx.Err(); err != nil {
		return ErrClosed
	}
	select {
	case g.dialogs.queue <- item:
	default:
		return fmt.Errorf("replicating call %s: %w", change.Call, ErrQueueFull)
	}
	select {
	case err := <-item.done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("replicating call %s: %w; %w", change.Call, ctx.Err(), ErrUnknownOutcome)
	case <-g.dialogs.stopped:
		return fmt.Errorf("replicating call %s: %w; %w", change.Call, ErrClosed, ErrUnknownOutcome)
	}
}

// batcher gathers changes of dialogs while a batch is under way.
type batcher struct {
	queue   chan queued
	stopped chan struct{} // closed when no more batches are made
}

type queued struct {
	change registry.DialogChange
	done   chan error // one place
}

func newBatcher() *batcher {
	return &batcher{queue: make(chan queued, MaxQueuedDialogs), stopped: make(chan struct{})}
}

// replicateDialogs proposes one batch after the other. There is never more than one
// under way, so that a drop cannot overtake its put.
func (g *Group) replicateDialogs(ctx context.Context) {
	defer close(g.dialogs.stopped)
	for {
		select {
		case first := <-g.dialogs.queue:
			g.proposeBatch(ctx, g.dialogs.batch(first))
		case <-ctx.Done():
			return
		}
	}
}

// batch takes what is queued, up to the limits of an entry.
func (b *batcher) batch(first queued) []queued {
	items, bytes := []queued{first}, len(first.change.State)
	for len(items) < registry.MaxBatch && bytes < maxBatchBytes {
		select {
		case next := <-b.queue:
			items = append(items, next)
			bytes += len(next.change.State)
		default:
			return items
		}
	}
	return items
}

func (g *Group) proposeBatch(ctx context.Context, items []queued) {
	op := registry.Dialogs{Owner: g.cfg.instance()}
	for _, item := range items {
		op.Changes = append(op.Changes, item.change)
	}
	result, err := g.propose(ctx, op)
	if err == nil && len(result.Items) != len(items) {
		err = fmt.Errorf("%d results for %d dialogs: %w", len(result.Items), len(items), ErrUnknownOutcome)
	}
	for i, item := range items {
		if err == nil && result.Items[i] != registry.None {
			item.done <- result.Items[i]
			continue
		}
		item.done <- err
	}
}
