package raftgroup

import (
	"context"
	"sync"

	"github.com/conclave-voice/conclave/cluster/registry"
)

// numbers gives out request numbers. The registry remembers the last RequestWindow of
// them: one that is open is never further behind the latest, so that it can be sent
// again at any time. What is ahead of the window waits.
type numbers struct {
	mu   sync.Mutex
	last uint64
	open map[uint64]chan struct{} // closed at the request's end
}

func newNumbers() *numbers { return &numbers{open: map[uint64]chan struct{}{}} }

// take gives the next number. Each one that is taken must be ended.
func (n *numbers) take(ctx context.Context) (uint64, error) {
	for {
		seq, ended := n.tryTake()
		if ended == nil {
			return seq, nil
		}
		select {
		case <-ended:
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	}
}

// tryTake gives the next number, or what must end first.
func (n *numbers) tryTake() (seq uint64, ended <-chan struct{}) {
	n.mu.Lock()
	defer n.mu.Unlock()
	oldest := n.last + 1
	for seq := range n.open {
		oldest = min(oldest, seq)
	}
	if n.last+1 >= oldest+registry.RequestWindow {
		return 0, n.open[oldest]
	}
	n.last++
	n.open[n.last] = make(chan struct{})
	return n.last, nil
}

func (n *numbers) end(seq uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	close(n.open[seq])
	delete(n.open, seq)
}
