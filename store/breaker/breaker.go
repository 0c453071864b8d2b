package breaker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/jonboulle/clockwork"

	"github.com/conclave-voice/conclave/store"
)

// ErrOpen: the store was not asked, because it has not answered before.
var ErrOpen = errors.New("the store does not answer")

// Config is how long things take.
type Config struct {
	// Budget bounds each question.
	Budget time.Duration
	// Probe is the pause before the store is asked how it is, and between such
	// questions. It doubles, up to ProbeMost, each time that the breaker opens again
	// before it has been closed for Stable.
	Probe, ProbeMost, Stable time.Duration
}

// DefaultConfig gives a question half a second, and looks twice a second.
func DefaultConfig() Config {
	return Config{Budget: 500 * time.Millisecond, Probe: 500 * time.Millisecond, ProbeMost: 15 * time.Second, Stable: 30 * time.Second}
}

// Validate says what is wrong with the configuration, or nil.
func (c Config) Validate() error {
	switch {
	case c.Budget <= 0:
		return fmt.Errorf("store budget %v; it must be above 0", c.Budget)
	case c.Probe <= 0 || c.ProbeMost < c.Probe:
		return fmt.Errorf("store probes every %v to %v; the first must be above 0, the second not below the first", c.Probe, c.ProbeMost)
	case c.Stable < 0:
		return fmt.Errorf("store stability %v; it must be 0 or more", c.Stable)
	}
	return nil
}

// Breaker guards questions to one store. It is safe for concurrent use.
type Breaker struct {
	ping   func(context.Context) error
	clock  clockwork.Clock
	logger hclog.Logger
	opened chan struct{} // wakes Run

	mu     sync.Mutex
	state  state
	closed chan struct{} // closed while the breaker is
	trips  uint64
}

// New makes a closed breaker; call Run. ping asks the store how it is. The configuration
// is one that Validate accepts.
func New(c Config, ping func(context.Context) error, clock clockwork.Clock, logger hclog.Logger) *Breaker {
	b := &Breaker{ping: ping, clock: clock, logger: logger, opened: make(chan struct{}, 1), state: state{config: c}, closed: make(chan struct{})}
	close(b.closed)
	return b
}

// Do asks, if the breaker is closed, within the budget; otherwise the error is ErrOpen at
// once. Errors that are answers (store.Answered) come back as they are and count as
// success. So does that ctx is done: it is the caller's doing.
func (b *Breaker) Do(ctx context.Context, ask func(context.Context) error) error {
	if b.Open() {
		return ErrOpen
	}
	within, cancel := context.WithTimeout(ctx, b.state.config.Budget)
	defer cancel()
	err := ask(within)
	if store.Answered(err) || ctx.Err() != nil {
		return err
	}
	b.failed(err)
	return err
}

func (b *Breaker) failed(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.state.failed(b.clock.Now()) {
		return
	}
	b.trips++
	b.closed = make(chan struct{})
	b.logger.Error("the store does not answer; going on without it", "error", err)
	select {
	case b.opened <- struct{}{}:
	default: // Run has not looked since the last time, and will
	}
}

// Open says whether the store counts as away.
func (b *Breaker) Open() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.state.open
}

// Trips is how often the breaker has opened.
func (b *Breaker) Trips() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.trips
}

// WaitClosed waits until the store counts as there, or ctx is done.
func (b *Breaker) WaitClosed(ctx context.Context) error {
	b.mu.Lock()
	closed := b.closed
	b.mu.Unlock()
	select {
	case <-closed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Run probes while the breaker is open, until ctx is done.
func (b *Breaker) Run(ctx context.Context) error {
	for {
		select {
		case <-b.opened:
			b.probe(ctx)
		case <-ctx.Done():
			return nil
		}
	}
}

// probe asks until the store answers or ctx is done.
func (b *Breaker) probe(ctx context.Context) {
	for {
		b.mu.Lock()
		wait, open := b.state.next.Sub(b.clock.Now()), b.state.open
		b.mu.Unlock()
		if !open {
			return
		}
		timer := b.clock.NewTimer(wait)
		select {
		case <-timer.Chan():
		case <-ctx.Done():
			timer.Stop()
			return
		}
		within, cancel := context.WithTimeout(ctx, b.state.config.Budget)
		err := b.ping(within)
		cancel()
		b.probed(err)
	}
}

func (b *Breaker) probed(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.state.probed(b.clock.Now(), err == nil) {
		b.logger.Debug("the store still does not answer", "error", err)
		return
	}
	close(b.closed)
	b.logger.Info("the store answers again")
}
