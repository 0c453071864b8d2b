package callflow

import (
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/jonboulle/clockwork"
)

// A call has a goroutine only while something happens to it: one at a time, which handles
// all that has come, one after the other, and then ends. Whoever has something for the call
// puts it where ready finds it, and wakes the call; an alarm does when the call has to look
// at the clock. A caller listens in a conference for nearly all of a call, and the stack of
// a goroutine that waits for the next event would be a third of what the caller costs.
//
// What is said to be the goroutine's own is handed from one to the next by the lock.
type work struct {
	mu     sync.Mutex
	begun  bool            // events are handled; before that they wait
	busy   bool            // a goroutine is at it, and looks again before it ends
	again  bool            // it was woken meanwhile
	rang   bool            // the clock has to be looked at
	alarm  clockwork.Timer // nil before the first rest
	rested time.Time       // when there was nothing to do last
	over   func()          // called at the end
}

// begin handles what happens to an answered call from now on, until it has ended: first of
// all first, and over as the last. It does not wait.
func (c *call) begin(first, over func()) {
	c.work.mu.Lock()
	defer c.work.mu.Unlock()
	c.work.begun, c.work.busy, c.work.over = true, true, over
	go c.attend(first)
}

// wake has the call look at what there is. It does not wait.
func (c *call) wake() {
	w := &c.work
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case !w.begun:
	case w.busy:
		w.again = true
	default:
		w.busy = true
		w.alarm.Stop()
		go c.attend(nil)
	}
}

// ring is the alarm.
func (c *call) ring() {
	c.work.mu.Lock()
	c.work.rang = true
	c.work.mu.Unlock()
	c.wake()
}

// attend is the goroutine. It begins with what is given, if that is not nil. A call that
// has ended stays busy, so that none is started any more.
func (c *call) attend(handle func()) {
	resting := false
	defer func() {
		if r := recover(); r != nil { // one call must never end all
			c.logger.Error("panic in a call", "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
		}
		if !resting {
			defer c.work.over()
			c.goAway()
		}
	}()
	if handle == nil && c.wasFrozen() && !c.isOurs() {
		c.vanish("another node took it over while this one stood still")
	}
	for !resting && c.phase != ended { // a call that rests is no more this goroutine's
		if handle == nil {
			handle = c.ready()
		}
		if handle == nil {
			resting = c.rest()
			continue
		}
		handle()
		handle = nil
	}
}

// wasFrozen says whether the alarm was missed by so much that the node stood still.
func (c *call) wasFrozen() bool {
	c.work.mu.Lock()
	defer c.work.mu.Unlock()
	return c.engine.config.Clock.Now().Sub(c.work.rested) > frozenTime
}

// ready is the next that there is to do; nil: nothing.
func (c *call) ready() (handle func()) {
	if c.port != nil {
		if e, ok := c.port.Next(); ok {
			return func() { c.mediaEvent(e) }
		}
	}
	select {
	case m := <-c.inbox:
		return func() { c.message(*m) }
	case r := <-c.release:
		return func() { c.released(r) }
	case st := <-c.standing:
		return func() { c.stood(st) }
	case <-c.stop:
		return c.stopped
	default:
	}
	c.work.mu.Lock()
	defer c.work.mu.Unlock()
	if c.work.rang {
		c.work.rang = false
		return c.tick
	}
	return nil
}

// rest sets the alarm and lets the goroutine end; it is false if there is something to do
// after all.
func (c *call) rest() bool {
	clock, w := c.engine.config.Clock, &c.work
	next := c.next()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.again {
		w.again = false
		return false
	}
	w.rested = clock.Now()
	left := next.Sub(w.rested)
	if left <= 0 {
		w.rang = true
		return false
	}
	if w.alarm == nil {
		w.alarm = clock.AfterFunc(left, c.ring)
	} else {
		w.alarm.Reset(left)
	}
	w.busy = false
	return true
}
