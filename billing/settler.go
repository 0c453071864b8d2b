package billing

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/jonboulle/clockwork"

	"github.com/conclave-voice/conclave/store"
)

// SettleStore is where stays are settled.
type SettleStore interface {
	SettleStay(ctx context.Context, x store.XDR) (settled bool, err error)
}

const (
	// settleAtOnce is how many settlements are under way together: enough that one
	// slow account does not keep the others waiting, few enough to leave the
	// database's connections to the calls that begin.
	settleAtOnce = 4
	settleTime   = 10 * time.Second // for one attempt
	lastTime     = 5 * time.Second  // for all that is left when the node stops
	putTime      = 30 * time.Second // for room
	pauseFirst   = 50 * time.Millisecond
	pauseMost    = 5 * time.Second
)

// Settler brings the records of ended stays into the store, each exactly once, in no
// order. A record waits in memory until the store has taken it, however long that
// is. It is not on disk: should the node die meanwhile, the stay is still open in
// the store, and [Recover] settles it at the node's last heartbeat. Both can happen,
// and then the first counts: the store settles a stay once.
//
// At most capacity records wait. When so many do, Put waits, so that calls end more
// slowly, for 30 s; then the record is left to recovery, which the log says and
// Stats counts. So it is with what is still waiting 5 s after the node was told to
// stop, and what comes later.
//
// A store that fails is tried with one record at a time, with pauses from 50 ms to
// 5 s. A record that the store refuses by itself waits likewise and does not keep the
// others back. One whose stay the store does not know, or that contradicts it, is given
// up, and logged in full.
type Settler struct {
	store    SettleStore
	clock    clockwork.Clock
	logger   hclog.Logger
	incoming chan *job     // pointers: as many large values would fill megabytes that are hardly ever used
	places   chan struct{} // one taken by each record, until it is in the store
	stopped  chan struct{} // closed when Run has ended

	settled, repeated, failed, givenUp, left atomic.Uint64
}

// NewSettler makes a settler for at most capacity records; call Run.
func NewSettler(s SettleStore, capacity int, clock clockwork.Clock, logger hclog.Logger) *Settler {
	return &Settler{store: s, clock: clock, logger: logger, incoming: make(chan *job, capacity),
		places: make(chan struct{}, capacity), stopped: make(chan struct{})}
}

// Stats are counts since the node started.
type Stats struct {
	Waiting  int    // records not in the store yet
	Settled  uint64 // records that settled their stay
	Repeated uint64 // records whose stay had been settled before
	Failed   uint64 // attempts that will be repeated
	GivenUp  uint64 // records that can never settle a stay
	Left     uint64 // records left to recovery
	Offline  uint64 // stays that went on beyond what they had reserved
}

// Stats tells how it goes.
func (s *Settler) Stats() Stats {
	return Stats{Waiting: len(s.places), Settled: s.settled.Load(), Repeated: s.repeated.Load(),
		Failed: s.failed.Load(), GivenUp: s.givenUp.Load(), Left: s.left.Load()}
}

// Put hands over the record of an ended stay. It waits only for room.
func (s *Settler) Put(x store.XDR) { s.put(&job{xdr: x}) }

// discard hands over the record of a stay that may not have begun at all: then there
// is nothing to settle, and nothing wrong.
func (s *Settler) discard(x store.XDR) { s.put(&job{xdr: x, doubtful: true}) }

func (s *Settler) put(j *job) {
	timer := s.clock.NewTimer(putTime)
	defer timer.Stop()
	select {
	case s.places <- struct{}{}:
		s.incoming <- j // as much room as places: never waits
	case <-timer.Chan():
		s.leave(j.xdr, "too many records wait for the store")
	case <-s.stopped:
		s.leave(j.xdr, "the node has stopped")
	}
	select {
	case <-s.stopped:
		s.abandon() // nobody takes it any more
	default:
	}
}

// abandon leaves to recovery what nobody has taken.
func (s *Settler) abandon() {
	for {
		select {
		case j := <-s.incoming:
			s.leave(j.xdr, "the node has stopped")
		default:
			return
		}
	}
}

// leave gives a record up to recovery.
func (s *Settler) leave(x store.XDR, why string) {
	s.left.Add(1)
	s.logger.Error("stay left open in the store, for the next start of this node to settle", "why", why, "participant", x.ID,
		"account", x.AccountID, "ended", x.EndedAt, "amount", x.Amount)
}

// Run settles until ctx is done, and then what is left, in at most 5 s.
func (s *Settler) Run(ctx context.Context) error {
	attempts, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	r := &settling{settler: s, ctx: attempts, results: make(chan result, settleAtOnce), known: map[store.ParticipantID]bool{}}
	r.loop(ctx.Done(), nil)
	deadline := s.clock.NewTimer(lastTime)
	defer deadline.Stop()
	r.hurry()
	r.loop(nil, deadline.Chan())
	cancel()
	for r.underWay > 0 {
		r.finish(<-r.results)
	}
	close(s.stopped)
	for _, j := range append(r.ready, r.pausing...) {
		s.leave(j.xdr, "the node has stopped")
	}
	s.abandon()
	return nil
}

// settling is the state of Run, owned by its goroutine.
type settling struct {
	settler  *Settler
	ctx      context.Context // of the attempts
	results  chan result
	known    map[store.ParticipantID]bool // waiting or under way
	ready    []job                        // first in, first out
	pausing  []job                        // refused by themselves; few
	underWay int
	failures int       // in a row, of whatever record
	notUntil time.Time // no attempt before
	stopping bool      // and nothing left: end
}

// job is a record to be settled, and how that went so far.
type job struct {
	xdr      store.XDR
	doubtful bool // the stay may not be in the store
	attempts int
	notUntil time.Time
}

// result is what came of an attempt.
type result struct {
	job     job
	settled bool
	err     error
}

// loop runs until done or deadline; with a deadline also ends when nothing is left.
func (r *settling) loop(done <-chan struct{}, deadline <-chan time.Time) {
	r.stopping = deadline != nil
	timer := r.settler.clock.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		wake := r.launch()
		if r.stopping && len(r.known) == 0 && len(r.settler.incoming) == 0 {
			return
		}
		now := r.settler.clock.Now()
		if wake.IsZero() {
			wake = now.Add(time.Hour)
		}
		timer.Reset(max(wake.Sub(now), 0))
		select {
		case j := <-r.settler.incoming:
			r.add(*j)
		case result := <-r.results:
			r.finish(result)
		case <-timer.Chan():
		case <-done:
			return
		case <-deadline:
			return
		}
	}
}

// add takes a record in. The first of a stay counts, as in the store.
func (r *settling) add(j job) {
	if r.known[j.xdr.ID] {
		r.settler.repeated.Add(1)
		<-r.settler.places
		return
	}
	r.known[j.xdr.ID] = true
	r.ready = append(r.ready, j)
}

// launch begins what may begin, and returns when there is more to begin; zero if
// only an event can tell.
func (r *settling) launch() (wake time.Time) {
	now := r.settler.clock.Now()
	if now.Before(r.notUntil) {
		return r.notUntil
	}
	r.pausing = slices.DeleteFunc(r.pausing, func(j job) bool {
		if now.Before(j.notUntil) {
			if wake.IsZero() || j.notUntil.Before(wake) {
				wake = j.notUntil
			}
			return false
		}
		r.ready = append(r.ready, j)
		return true
	})
	most := settleAtOnce
	if r.failures > 0 {
		most = 1 // until one succeeds
	}
	for len(r.ready) > 0 && r.underWay < most {
		j := r.ready[0]
		r.ready = r.ready[1:]
		r.underWay++
		go r.attempt(j)
	}
	return wake
}

// attempt asks the store once. results has room for every attempt under way.
func (r *settling) attempt(j job) {
	ctx, cancel := context.WithTimeout(r.ctx, settleTime)
	defer cancel()
	settled, err := r.settler.store.SettleStay(ctx, j.xdr)
	r.results <- result{j, settled, err}
}

func (r *settling) finish(a result) {
	s := r.settler
	r.underWay--
	switch {
	case a.job.doubtful && errors.Is(a.err, store.ErrNotFound):
	case errors.Is(a.err, store.ErrNotFound) || errors.Is(a.err, store.ErrInvalid):
		s.givenUp.Add(1)
		s.logger.Error("record given up: the store will never take it", "record", fmt.Sprintf("%+v", a.job.xdr), "error", a.err)
	case a.err != nil:
		r.again(a)
		return
	case a.settled:
		s.settled.Add(1)
	default:
		s.repeated.Add(1)
	}
	r.failures, r.notUntil = 0, time.Time{}
	delete(r.known, a.job.xdr.ID)
	<-s.places
}

// again lets a record wait that could not be settled now, and all others a little.
func (r *settling) again(a result) {
	now := r.settler.clock.Now()
	r.settler.failed.Add(1)
	a.job.attempts++
	a.job.notUntil = now.Add(pause(a.job.attempts))
	r.pausing = append(r.pausing, a.job)
	r.failures++
	r.notUntil = now.Add(pause(r.failures))
	r.settler.logger.Warn("stay not settled yet", "participant", a.job.xdr.ID, "attempt", a.job.attempts,
		"waiting", len(r.settler.places), "error", a.err)
}

// pause is the time before the next attempt after n failures: doubling, and spread so
// that nodes do not come back all at once.
func pause(n int) time.Duration {
	d := pauseFirst
	for i := 1; i < n && d < pauseMost; i++ {
		d *= 2
	}
	d = min(d, pauseMost)
	return d/2 + rand.N(d/2)
}

// hurry ends the pauses: the node stops.
func (r *settling) hurry() {
	r.notUntil = time.Time{}
	for i := range r.pausing {
		r.pausing[i].notUntil = time.Time{}
	}
}
