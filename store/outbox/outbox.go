package outbox

import (
	"context"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/conclave-voice/conclave/store"
)

const (
	attemptTime = 10 * time.Second // for one attempt
	lastTime    = 5 * time.Second  // for all that is left when the program stops
	retryFirst  = 50 * time.Millisecond
	retryMost   = 5 * time.Second
)

// Write is one thing to be written.
type Write struct {
	What string // for the log: "end of conference 0190…"
	Do   func(ctx context.Context) error
	Done func() // called once the write has succeeded or was refused for good; may be nil
}

// Outbox queues writes. Make one with New; call Run.
type Outbox struct {
	queue  chan Write
	logger hclog.Logger
}

// New makes an outbox that holds capacity writes. When it is full, Put waits.
func New(capacity int, logger hclog.Logger) *Outbox {
	return &Outbox{queue: make(chan Write, capacity), logger: logger}
}

// Put queues a write, behind those before it. It waits while the outbox is full.
func (o *Outbox) Put(w Write) { o.queue <- w }

// Waiting is how many writes are queued.
func (o *Outbox) Waiting() int { return len(o.queue) }

// Run writes until ctx is done, and then what is still queued, in at most 5 s.
// Nothing may be put after that.
func (o *Outbox) Run(ctx context.Context) error {
	for {
		select {
		case w := <-o.queue:
			o.write(ctx, w)
		case <-ctx.Done():
			o.drain()
			return nil
		}
	}
}

// write tries until it succeeds, is refused for good, or ctx is done; then it
// tries a last time. The pauses are in real time, for it is a real store that
// recovers in them.
func (o *Outbox) write(ctx context.Context, w Write) {
	for delay := retryFirst; ; delay = min(2*delay, retryMost) {
		err := o.attempt(context.WithoutCancel(ctx), w)
		if err == nil {
			return
		}
		o.logger.Warn("not written yet", "what", w.What, "error", err, "again_in", delay)
		timer := time.NewTimer(delay)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			o.last(context.WithoutCancel(ctx), w)
			return
		}
	}
}

func (o *Outbox) drain() {
	ctx, cancel := context.WithTimeout(context.Background(), lastTime)
	defer cancel()
	for {
		select {
		case w := <-o.queue:
			o.last(ctx, w)
		default:
			return
		}
	}
}

func (o *Outbox) last(ctx context.Context, w Write) {
	if err := o.attempt(ctx, w); err != nil {
		o.logger.Error("not written when the node stopped", "what", w.What, "error", err)
	}
}

// attempt writes once. An error that will never go away counts as done.
func (o *Outbox) attempt(ctx context.Context, w Write) error {
	ctx, cancel := context.WithTimeout(ctx, attemptTime)
	defer cancel()
	err := w.Do(ctx)
	if err != nil && store.Answered(err) {
		o.logger.Error("refused by the store", "what", w.What, "error", err)
		err = nil
	}
	if err == nil && w.Done != nil {
		w.Done()
	}
	return err
}
