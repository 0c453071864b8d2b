package billing

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/jonboulle/clockwork"

	"github.com/conclave-voice/conclave/billing/rating"
	"github.com/conclave-voice/conclave/store"
)

// RunStore is what knows of the lives of nodes, and closes what they left open.
type RunStore interface {
	OpenStaysOfDeadRuns(ctx context.Context, node string, incarnation int64) ([]store.DeadStay, error)
	CloseConferencesOfDeadRuns(ctx context.Context, node string, incarnation int64) (int, error)
	CloseCallsOfDeadRuns(ctx context.Context, node string, incarnation int64) (int, error)
	SettleStay(ctx context.Context, x store.XDR) (settled bool, err error)
	Conference(ctx context.Context, s store.Scope, id store.ConferenceID) (store.Conference, error)
}

// HeartStore is what is told that the node lives.
type HeartStore interface {
	Heartbeat(ctx context.Context, node string, incarnation int64, at time.Time) error
	StopRun(ctx context.Context, node string, incarnation int64, at time.Time) error
}

// Recovery closes what earlier runs left open, in the background, for a node that may
// start without the store: once the store has been told everything that those runs knew.
type Recovery struct {
	store   RunStore
	drained func(context.Context) error
	calls   GoingOn
	run     store.NodeRun
	clock   clockwork.Clock
	logger  hclog.Logger
	done    chan struct{}
}

// GoingOn tells of calls that are still somebody's, because another node has taken them
// over, or is about to: whoever has a call settles its stay.
type GoingOn func(ctx context.Context) (func(store.CallID) bool, error)

// NoneGoOn is for a node whose calls nobody takes over.
func NoneGoOn(context.Context) (func(store.CallID) bool, error) {
	return func(store.CallID) bool { return false }, nil
}

// NewRecovery makes the recovery of a run. drained waits until the journal has told the
// store what it holds now; it fails only with ctx.
func NewRecovery(s RunStore, drained func(context.Context) error, calls GoingOn, run store.NodeRun, clock clockwork.Clock, logger hclog.Logger) *Recovery {
	return &Recovery{store: s, drained: drained, calls: calls, run: run, clock: clock, logger: logger, done: make(chan struct{})}
}

// Done is closed when there is nothing left to recover.
func (r *Recovery) Done() <-chan struct{} { return r.done }

// recoverFirst and recoverMost are the pauses between attempts.
const recoverFirst, recoverMost = time.Second, time.Minute

// Run tries until it has succeeded and no call of an earlier run goes on whose stay the
// store does not know to be elsewhere, and then waits for ctx.
func (r *Recovery) Run(ctx context.Context) error {
	if r.drained(ctx) != nil {
		return nil
	}
	var once sync.Once
	for wait := recoverFirst; ; wait = min(2*wait, recoverMost) {
		left, err := Recover(ctx, r.store, r.run.Node, r.run.Incarnation, r.clock.Now().UTC(), r.calls, r.logger)
		if err == nil {
			once.Do(func() { close(r.done) })
		}
		if err == nil && left == 0 {
			<-ctx.Done()
			return nil
		}
		if ctx.Err() != nil {
			return nil
		}
		r.logger.Log(severity(err), "what earlier runs left open is not closed yet", "calls_that_go_on", left, "error", err, "again_in", wait)
		timer := r.clock.NewTimer(wait)
		select {
		case <-timer.Chan():
		case <-ctx.Done():
			timer.Stop()
			return nil
		}
	}
}

func severity(err error) hclog.Level {
	if err != nil {
		return hclog.Warn
	}
	return hclog.Debug
}

// Recover closes what earlier runs of the node left open, each at its run's last
// heartbeat, and stays for no more than they had reserved. Run it when the store has
// been told what those runs knew. It may be run again at any time, and may die at any
// point: what is settled stays settled, the rest is found again. One stay that cannot
// be settled does not keep the others; the error names all. It returns how many stays it
// left alone because their calls go on.
func Recover(ctx context.Context, s RunStore, node string, incarnation int64, now time.Time, calls GoingOn, logger hclog.Logger) (left int, err error) {
	goesOn, err := calls(ctx)
	if err != nil {
		return 0, fmt.Errorf("recover: find the calls that go on: %w", err)
	}
	stays, err := s.OpenStaysOfDeadRuns(ctx, node, incarnation)
	if err != nil {
		return 0, fmt.Errorf("recover: find open stays: %w", err)
	}
	names := map[store.ConferenceID]string{}
	settled := 0
	var failed []error
	for _, d := range stays {
		if goesOn(d.Participant.CallID) {
			left++
			continue
		}
		ok, err := settleDead(ctx, s, d, names, now, logger)
		if err != nil {
			failed = append(failed, fmt.Errorf("recover: settle the stay of participant %s: %w", d.Participant.ID, err))
		}
		if ok {
			settled++
		}
		if ctx.Err() != nil {
			break
		}
	}
	conferences, err := s.CloseConferencesOfDeadRuns(ctx, node, incarnation)
	if err != nil {
		failed = append(failed, fmt.Errorf("recover: close conferences: %w", err))
	}
	closed := 0
	if left == 0 { // else the store does not know yet at which node they go on
		if closed, err = s.CloseCallsOfDeadRuns(ctx, node, incarnation); err != nil {
			failed = append(failed, fmt.Errorf("recover: close calls: %w", err))
		}
	}
	if settled+conferences+closed > 0 {
		logger.Warn("closed what an earlier run of this node left open",
			"stays", settled, "conferences", conferences, "calls", closed)
	}
	return left, errors.Join(failed...)
}

// settleDead settles one stay, and says whether it was the first to.
func settleDead(ctx context.Context, s RunStore, d store.DeadStay, names map[store.ConferenceID]string, now time.Time, logger hclog.Logger) (bool, error) {
	id := d.Participant.ConferenceID
	name, ok := names[id]
	if !ok {
		c, err := s.Conference(ctx, store.Scope{}, id)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return false, fmt.Errorf("its conference: %w", err)
		}
		// Without its conference a stay is settled all the same: it is money.
		name, names[id] = c.RoomName, c.RoomName
	}
	x := atMost(d, name, logger)
	x.RecordedAt = micros(now)
	return s.SettleStay(ctx, x)
}

// atMost rates the stay of a dead run, for no more than it had reserved: the node would
// have released the caller then, whatever the heartbeat says of the node.
func atMost(d store.DeadStay, roomName string, logger hclog.Logger) store.XDR {
	p, end := d.Participant, d.LastSeen
	covered, ok, err := rating.MaxDuration(p.Rate, d.Reserved)
	if err == nil && !ok {
		return blank(p, roomName, end, store.CauseNodeFailure)
	}
	if limit := p.JoinedAt.Add(covered); err == nil && end.After(limit) {
		end = limit
	}
	return record(p, roomName, end, store.CauseNodeFailure, logger)
}

// Heart writes the node's heartbeat, from which a later run learns until when
// this one was alive.
type Heart struct {
	store    HeartStore
	run      store.NodeRun
	interval time.Duration
	clock    clockwork.Clock
	logger   hclog.Logger
}

// NewHeart makes the heart of a run; StartRun must have recorded it. interval is
// how far off the end of a stay may be after a crash.
func NewHeart(s HeartStore, run store.NodeRun, interval time.Duration, clock clockwork.Clock, logger hclog.Logger) *Heart {
	return &Heart{store: s, run: run, interval: interval, clock: clock, logger: logger}
}

// Run beats until ctx is done, then records that the node stopped in good order.
func (h *Heart) Run(ctx context.Context) error {
	ticker := h.clock.NewTicker(h.interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return h.stop()
		case <-ticker.Chan():
			h.beat(ctx)
		}
	}
}

// beat writes one heartbeat. One that fails is made up for by the next.
func (h *Heart) beat(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, h.interval)
	defer cancel()
	if err := h.store.Heartbeat(ctx, h.run.Node, h.run.Incarnation, h.clock.Now().UTC()); err != nil && ctx.Err() == nil {
		h.logger.Warn("heartbeat not written", "error", err)
	}
}

func (h *Heart) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := h.store.StopRun(ctx, h.run.Node, h.run.Incarnation, h.clock.Now().UTC()); err != nil {
		return fmt.Errorf("record the node's end: %w", err)
	}
	return nil
}
