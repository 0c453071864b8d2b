package engine

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/conclave-voice/conclave/media/session"
)

// FrameTime is the tick: what every caller's packets hold by default.
const FrameTime = 20 * time.Millisecond

// lateAfter is how much later than its time a tick may begin before it counts as
// late. A receiver's jitter buffer hides less than a frame.
const lateAfter = 5 * time.Millisecond

// Ticker is called once in every FrameTime, by one goroutine at a time. It must
// not block. now is the time since the engine was made; what is
// sent by the worker's traffic has left when all its tickers have been called.
type Ticker interface {
	Tick(now time.Duration, by *session.Traffic)
}

// Engine drives tickers. Make one with New, call Run.
type Engine struct {
	start   time.Time
	workers []*worker
	traffic func() *session.Traffic // makes each worker its own

	ticks, late, skipped atomic.Uint64
	worst                atomic.Int64 // ns, the largest lateness so far
	busy                 atomic.Int64 // ns spent in ticks, over all workers
}

// worker owns some of the tickers.
type worker struct {
	// phase is when in each FrameTime the worker's ticks are due: workers take turns, so
	// that packets leave evenly, and not in one burst of all cores.
	phase time.Duration

	mu      sync.Mutex
	tickers []Ticker
	wake    chan struct{} // holds one: the list is no longer empty
}

// Option is about an engine that is made.
type Option func(*Engine)

// WithTraffic has make give each worker its traffic, which the worker closes in the end.
// Without this, every datagram is sent at once.
func WithTraffic(make func() *session.Traffic) Option { return func(e *Engine) { e.traffic = make } }

// New makes an engine with n workers; 0 means one for each processor.
func New(n int, options ...Option) *Engine {
	if n <= 0 {
		n = runtime.GOMAXPROCS(0)
	}
	e := &Engine{start: time.Now(), traffic: session.NewTraffic}
	for _, o := range options {
		o(e)
	}
	for i := range n {
		e.workers = append(e.workers, &worker{phase: FrameTime * time.Duration(i) / time.Duration(n), wake: make(chan struct{}, 1)})
	}
	return e
}

// Now is the time that tickers are told.
func (e *Engine) Now() time.Duration { return time.Since(e.start) }

// Add starts ticking t, on the worker with the fewest tickers.
func (e *Engine) Add(t Ticker) {
	best, least := e.workers[0], int(^uint(0)>>1)
	for _, w := range e.workers {
		if n := w.len(); n < least {
			best, least = w, n
		}
	}
	best.add(t)
}

// Remove stops ticking t. When it returns, no tick of t is running and none will
// be; hence it must not be called from t's own tick, nor with a lock held that
// the tick takes.
func (e *Engine) Remove(t Ticker) {
	for _, w := range e.workers {
		if w.remove(t) {
			return
		}
	}
}

// Run ticks until ctx is done.
func (e *Engine) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, w := range e.workers {
		g.Go(func() error { return e.work(ctx, w) })
	}
	return g.Wait()
}

// next is the worker's first tick after now.
func (w *worker) next(now time.Duration) time.Duration {
	return (now - w.phase).Truncate(FrameTime) + FrameTime + w.phase
}

// work keeps to a fixed grid: a worker's ticks are due at its phase in each FrameTime, so
// that lateness does not add up and the packets of a call leave evenly.
func (e *Engine) work(ctx context.Context, w *worker) error {
	by := e.traffic()
	defer by.Close()
	timer := time.NewTimer(0)
	defer timer.Stop()
	due := w.next(e.Now())
	for {
		if w.len() == 0 {
			// Nothing to tick: an idle node does not wake up.
			select {
			case <-ctx.Done():
				return nil
			case <-w.wake:
				due = w.next(e.Now())
			}
		}
		timer.Reset(due - e.Now())
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		due = e.tick(w, due, by)
	}
}

// tick runs all of a worker's tickers and returns when the next tick is due.
func (e *Engine) tick(w *worker, due time.Duration, by *session.Traffic) time.Duration {
	begun := e.Now()
	if late := begun - due; late > lateAfter {
		e.late.Add(1)
		if int64(late) > e.worst.Load() {
			e.worst.Store(int64(late))
		}
	}
	w.mu.Lock()
	for _, t := range w.tickers {
		t.Tick(begun, by)
	}
	by.Flush() // before Remove can return: then nothing of t is under way
	w.mu.Unlock()
	e.ticks.Add(1)
	end := e.Now()
	e.busy.Add(int64(end - begun))
	due += FrameTime
	if end < due+FrameTime {
		return due // in time, or so little late that the next tick makes up for it
	}
	// After a stall (a stopped process, a paused machine) what was missed is not
	// made up for: a burst of old audio would only be thrown away by the peers.
	for ; due < end; due += FrameTime {
		e.skipped.Add(1)
	}
	return due
}

// Load is what the engine has done since it was made.
type Load struct {
	Ticks   uint64        // over all workers
	Late    uint64        // ticks that began more than 5 ms late
	Skipped uint64        // ticks left out after a stall
	Worst   time.Duration // the latest beginning so far
	Busy    time.Duration // time spent inside ticks, over all workers
	Tickers int
	Workers int
}

// Load is a snapshot.
func (e *Engine) Load() Load {
	l := Load{
		Ticks: e.ticks.Load(), Late: e.late.Load(), Skipped: e.skipped.Load(),
		Worst: time.Duration(e.worst.Load()), Busy: time.Duration(e.busy.Load()), Workers: len(e.workers),
	}
	for _, w := range e.workers {
		l.Tickers += w.len()
	}
	return l
}

func (w *worker) len() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.tickers)
}

func (w *worker) add(t Ticker) {
	w.mu.Lock()
	w.tickers = append(w.tickers, t)
	w.mu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default: // already awake
	}
}

func (w *worker) remove(t Ticker) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, x := range w.tickers {
		if x == t {
			last := len(w.tickers) - 1
			w.tickers[i] = w.tickers[last]
			w.tickers[last] = nil
			w.tickers = w.tickers[:last]
			return true
		}
	}
	return false
}
