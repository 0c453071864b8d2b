package custody

import (
	"context"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/jonboulle/clockwork"

	"github.com/conclave-voice/conclave/cluster/registry"
	"github.com/conclave-voice/conclave/store"
)

// Group is the site's Raft group; a raftgroup.Group.
type Group interface {
	PutDialog(ctx context.Context, call string, version uint64, state []byte) error
	DropDialog(ctx context.Context, call string) error
	TakeDialog(ctx context.Context, call string, from registry.Instance) (registry.Dialog, error)
	Sync(ctx context.Context) error
	View(read func(*registry.State)) error
	Changed() <-chan struct{}
}

// Calls are the calls of this node; a callflow.Engine.
type Calls interface {
	// TakeOver goes on with a call that is this node's from now on; state is what was
	// kept of it last. It returns when the caller has answered, or will not.
	TakeOver(ctx context.Context, call store.CallID, state []byte)
	// Lost: another node has taken the call over.
	Lost(call store.CallID)
}

// Config is what a Custody needs. All fields must be set.
type Config struct {
	Self  registry.Instance
	Group Group
	// Takers are the nodes of the site that can take calls over, this one among them if
	// it can.
	Takers func() []string
	// Ask has another node take a call that this node has (Custody.Take), and returns
	// when that has it.
	Ask    func(ctx context.Context, node string, call store.CallID, from registry.Instance) error
	Clock  clockwork.Clock
	Logger hclog.Logger
}

const (
	// groupTime bounds one request to the group.
	groupTime = 5 * time.Second
	// retryTime is the pause before a request to the group that failed is made again.
	retryTime = time.Second
	// lookEvery is how often the group's state is looked at, at least; lookPause, at most.
	lookEvery = time.Second
	lookPause = 50 * time.Millisecond
	// takeAtOnce is how many calls are asked for at the same time.
	takeAtOnce = 16
)

// Custody is a node's part. Make one with New; call Run. Its methods are safe for
// concurrent use, and wait for nothing unless they say so.
type Custody struct {
	config Config

	mu      sync.Mutex
	calls   map[store.CallID]*entry
	taking  map[store.CallID]bool // by this node, just now
	orphans map[store.CallID]time.Time
	stopped bool
	workers sync.WaitGroup
}

// entry is a call of this node. There is one worker for it at most.
type entry struct {
	version uint64 // the last one that was put, or tried
	state   []byte // to be put; nil: nothing
	ended   bool   // to be dropped when nothing is left to be put
	working bool
	pause   time.Time         // no worker before
	from    registry.Instance // whose it was, until the group's state here shows that it is ours
	changed chan struct{}     // closed when the worker has done with it, and made anew
}

// New makes a custody.
func New(c Config) *Custody {
	return &Custody{config: c, calls: map[store.CallID]*entry{}, taking: map[store.CallID]bool{}, orphans: map[store.CallID]time.Time{}}
}

// Keep keeps the state of a call of this node, in place of what was kept before. Of
// states that come faster than the group takes them, the latest is kept.
func (c *Custody) Keep(call store.CallID, state []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.calls[call]
	if e == nil {
		e = &entry{changed: make(chan struct{})}
		c.calls[call] = e
	}
	e.state = state
	c.work(call, e)
}

// Release forgets a call that has ended.
func (c *Custody) Release(call store.CallID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.calls[call]; e != nil {
		e.state, e.ended = nil, true
		c.work(call, e)
	}
}

// forget: the call is no longer this node's.
func (c *Custody) forget(call store.CallID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.calls, call)
}

// Own is how many calls of this node are kept.
func (c *Custody) Own() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.calls)
}

// work starts a worker for a call, unless it has one. The lock is held.
func (c *Custody) work(call store.CallID, e *entry) {
	if e.working || c.stopped || e.state == nil && !e.ended || c.config.Clock.Now().Before(e.pause) {
		return
	}
	e.working = true
	c.workers.Go(func() { c.tell(call, e) })
}

// tell tells the group of a call until there is nothing to tell, or it fails.
func (c *Custody) tell(call store.CallID, e *entry) {
	for {
		c.mu.Lock()
		state, ended := e.state, e.ended
		if e.state = nil; state != nil {
			e.version++
		} else if !ended || e.version == 0 { // nothing to put, or nothing was
			c.rest(call, e, ended)
			c.mu.Unlock()
			return
		}
		version := e.version
		c.mu.Unlock()
		if err := c.once(call, version, state); err != nil {
			c.failed(call, e, state, err)
			return
		}
		if state == nil {
			c.mu.Lock()
			c.rest(call, e, true)
			c.mu.Unlock()
			return
		}
	}
}

// once puts a state, or drops the call.
func (c *Custody) once(call store.CallID, version uint64, state []byte) error {
	ctx, cancel := context.WithTimeout(context.Background(), groupTime)
	defer cancel()
	if state == nil {
		return c.config.Group.DropDialog(ctx, string(call))
	}
	return c.config.Group.PutDialog(ctx, string(call), version, state)
}

// rest ends the worker. The lock is held.
func (c *Custody) rest(call store.CallID, e *entry, over bool) {
	e.working = false
	close(e.changed)
	e.changed = make(chan struct{})
	if over && c.calls[call] == e {
		delete(c.calls, call)
	}
}
