package raftgroup

import (
	"context"
	"fmt"
	"sync"

	"github.com/conclave-voice/conclave/cluster/registry"
)

// Sync waits until View shows everything that was done, at any node, before Sync was
// called. It is one exchange with a quorum, shared by all who ask at the same time.
// Its errors are those of the package and of ctx; ErrUnknownOutcome is none of them.
func (g *Group) Sync(ctx context.Context) error {
	ctx, done := g.patient(ctx)
	defer done()
	body, err := g.ask(ctx, request{is: kindSync})
	if err != nil {
		return err
	}
	index, err := decodeIndex(body)
	if err != nil {
		return err
	}
	return g.machine.reach(ctx, index)
}

// View reads this node's copy of the registry, which may be behind, or wholly out
// of touch, unless Sync was called before. Changes wait until read returns; it must
// be quick, and keep nothing that registry's comments do not let it keep.
func (g *Group) View(read func(*registry.State)) error { return g.machine.view(read) }

// Changed is closed at the next change of what View shows.
func (g *Group) Changed() <-chan struct{} { return g.machine.next() }

// syncer gathers those who wait for the same barrier.
type syncer struct {
	mu    sync.Mutex
	round *round
	kick  chan struct{} // one place: a round has somebody who waits
}

// round is one barrier and who waits for it.
type round struct {
	done  chan struct{}
	index uint64
	err   error
}

func newSyncer() *syncer {
	return &syncer{round: &round{done: make(chan struct{})}, kick: make(chan struct{}, 1)}
}

// wait joins the next round: one that is under way may have begun too early.
func (s *syncer) wait(ctx context.Context) (uint64, error) {
	s.mu.Lock()
	r := s.round
	s.mu.Unlock()
	select {
	case s.kick <- struct{}{}:
	default:
	}
	select {
	case <-r.done:
		return r.index, r.err
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// next closes a round to newcomers.
func (s *syncer) next() *round {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.round
	s.round = &round{done: make(chan struct{})}
	return r
}

// runSyncs runs one round after the other.
//
// The barrier is an entry of the log. It is committed only by a majority of voters,
// in this leader's term, and done only when the registry has everything before it;
// neither a clock nor a lease is trusted.
func (g *Group) runSyncs(ctx context.Context) {
	for {
		select {
		case <-g.syncs.kick:
		case <-ctx.Done():
			return
		}
		r := g.syncs.next()
		r.err = g.raft.Barrier(g.cfg.Timing.Patience).Error()
		if r.err == nil {
			r.err = g.machine.view(func(s *registry.State) { r.index = s.Index() })
		}
		if r.err != nil {
			r.err = fmt.Errorf("asking the quorum: %w", r.err)
		}
		close(r.done)
	}
}
