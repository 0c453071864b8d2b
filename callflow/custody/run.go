package custody

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/conclave-voice/conclave/cluster/registry"
	"github.com/conclave-voice/conclave/store"
)

// failed decides what becomes of a request that the group did not take. What it may take
// later is tried again by Run.
func (c *Custody) failed(call store.CallID, e *entry, state []byte, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case errors.Is(err, registry.NotOwner): // Run tells the call
		c.rest(call, e, e.ended)
		return
	case errors.Is(err, registry.Invalid):
		c.config.Logger.Error("a call cannot be kept for others to take over", "call", call, "bytes", len(state), "error", err)
	default:
		c.config.Logger.Debug("a call is not kept for others to take over yet", "call", call, "error", err)
		if e.state == nil && !e.ended {
			e.state = state
		}
		e.pause = c.config.Clock.Now().Add(retryTime)
	}
	c.rest(call, e, false)
}

// Run takes over the calls of nodes that are gone, tells calls that another node has taken
// them, and tries again what the group did not take, until ctx is done.
func (c *Custody) Run(ctx context.Context, calls Calls) error {
	var taking sync.WaitGroup
	slots := make(chan struct{}, takeAtOnce)
	for ctx.Err() == nil {
		changed := c.config.Group.Changed()
		for _, d := range c.look(calls) {
			select {
			case slots <- struct{}{}:
			case <-ctx.Done():
				c.took(store.CallID(d.Call))
				continue
			}
			taking.Go(func() {
				defer func() { <-slots }()
				c.takeOrphan(ctx, calls, d)
			})
		}
		c.pause(ctx, changed)
	}
	taking.Wait()
	c.mu.Lock()
	c.stopped = true
	c.mu.Unlock()
	c.workers.Wait()
	return nil
}

// pause waits until it is worth looking again.
func (c *Custody) pause(ctx context.Context, changed <-chan struct{}) {
	least, most := c.config.Clock.NewTimer(lookPause), c.config.Clock.NewTimer(lookEvery)
	defer least.Stop()
	defer most.Stop()
	select {
	case <-least.Chan():
	case <-ctx.Done():
		return
	}
	select {
	case <-changed:
	case <-most.Chan():
	case <-ctx.Done():
	}
}

// look looks at what the group knows. It returns the calls that are to be taken now.
func (c *Custody) look(calls Calls) []registry.Dialog {
	takers, now := c.config.Takers(), c.config.Clock.Now()
	var due []registry.Dialog
	var lost []store.CallID
	err := c.config.Group.View(func(s *registry.State) {
		c.mu.Lock()
		defer c.mu.Unlock()
		seen := map[store.CallID]bool{}
		for _, d := range s.OrphanDialogs() {
			call := store.CallID(d.Call)
			since, known := c.orphans[call]
			if !known {
				since = now
				c.orphans[call] = now
			}
			seen[call] = true
			if c.calls[call] == nil && !c.taking[call] && isDue(takers, c.config.Self.Node, call, now.Sub(since)) {
				c.taking[call] = true
				due = append(due, d)
			}
		}
		for call := range c.orphans {
			if !seen[call] {
				delete(c.orphans, call)
			}
		}
		for call, e := range c.calls {
			d, ok := s.Dialog(string(call))
			switch {
			case !ok || e.version == 0 || d.Owner == e.from:
			case d.Owner == c.config.Self:
				e.from = registry.Instance{}
			default:
				lost = append(lost, call)
				delete(c.calls, call)
				continue
			}
			c.work(call, e)
		}
	})
	if err != nil {
		c.config.Logger.Debug("the site's calls cannot be read", "error", err)
	}
	for _, call := range lost {
		c.config.Logger.Warn("another node has taken the call over", "call", call)
		calls.Lost(call)
	}
	return due
}

// takeOrphan takes a call over whose node is gone, if no other node is faster.
func (c *Custody) takeOrphan(ctx context.Context, calls Calls, d registry.Dialog) {
	call := store.CallID(d.Call)
	defer c.took(call)
	if err := c.take(ctx, calls, call, d.Owner); err != nil && !errors.Is(err, registry.NotOwner) {
		c.config.Logger.Warn("call not taken over", "call", call, "of", d.Owner.Node, "error", err)
	}
}

func (c *Custody) took(call store.CallID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.taking, call)
}

// Take takes a call over that a node gives away. It returns when the caller has answered,
// or will not; with an error the call is still the other node's.
func (c *Custody) Take(ctx context.Context, calls Calls, call store.CallID, from registry.Instance) error {
	c.mu.Lock()
	busy := c.stopped || c.taking[call] || c.calls[call] != nil
	if !busy {
		c.taking[call] = true
	}
	c.mu.Unlock()
	if busy {
		return fmt.Errorf("call %s cannot be taken by this node now", call)
	}
	defer c.took(call)
	return c.take(ctx, calls, call, from)
}

func (c *Custody) take(ctx context.Context, calls Calls, call store.CallID, from registry.Instance) error {
	within, cancel := context.WithTimeout(ctx, groupTime)
	defer cancel()
	d, err := c.config.Group.TakeDialog(within, string(call), from)
	if err != nil {
		// It may be ours all the same; if it is not, this finds out nothing.
		if d = c.owned(within, call); d.Call == "" {
			return fmt.Errorf("take the call of node %s: %w", from.Node, err)
		}
	}
	c.mu.Lock()
	c.calls[call] = &entry{version: d.Version, from: from, changed: make(chan struct{})}
	c.mu.Unlock()
	calls.TakeOver(ctx, call, d.State)
	return nil
}

// owned is a dialog that the group says is this node's; without a call if it is not, or
// if the group cannot be asked.
func (c *Custody) owned(ctx context.Context, call store.CallID) (d registry.Dialog) {
	if c.config.Group.Sync(ctx) != nil {
		return d
	}
	_ = c.config.Group.View(func(s *registry.State) {
		if have, ok := s.Dialog(string(call)); ok && have.Owner == c.config.Self {
			d = have
		}
	})
	return d
}

// Mine says whether a call is still this node's, which has not looked for a while. It asks
// the group and waits for it; where that does not answer, the call is.
func (c *Custody) Mine(ctx context.Context, call store.CallID) bool {
	if c.config.Group.Sync(ctx) != nil {
		return true
	}
	mine := true
	_ = c.config.Group.View(func(s *registry.State) {
		if d, ok := s.Dialog(string(call)); ok {
			mine = d.Owner == c.config.Self
		}
	})
	return mine
}

// Give gives a call of this node to another one, which goes on with it: false if there is
// none, or none takes it. It waits for the last state to be kept, and for the other node
// to have the caller.
func (c *Custody) Give(ctx context.Context, call store.CallID) bool {
	others := slices.DeleteFunc(order(c.config.Takers(), call), func(n string) bool { return n == c.config.Self.Node })
	if len(others) == 0 || !c.kept(ctx, call) {
		return false
	}
	for _, node := range others {
		err := c.config.Ask(ctx, node, call, c.config.Self)
		if err == nil || !c.Mine(ctx, call) {
			c.forget(call)
			return true
		}
		c.config.Logger.Warn("a node did not take a call", "call", call, "node", node, "error", err)
	}
	return false
}

// kept waits until the group has the latest state of a call; false if ctx ends before.
func (c *Custody) kept(ctx context.Context, call store.CallID) bool {
	for {
		c.mu.Lock()
		e := c.calls[call]
		if e == nil || e.ended {
			c.mu.Unlock()
			return false
		}
		done, changed := !e.working && e.state == nil && e.version > 0, e.changed
		c.mu.Unlock()
		if done {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}
