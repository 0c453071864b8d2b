package billing

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/jonboulle/clockwork"

	"github.com/conclave-voice/conclave/store"
)

// RunStore is what keeps the lives of nodes.
type RunStore interface {
	StartRun(ctx context.Context, r store.NodeRun) error
	Heartbeat(ctx context.Context, node string, incarnation int64, at time.Time) error
	StopRun(ctx context.Context, node string, incarnation int64, at time.Time) error
	OpenStaysOfDeadRuns(ctx context.Context, node string, incarnation int64) ([]store.DeadStay, error)
	CloseConferencesOfDeadRuns(ctx context.Context, node string, incarnation int64) (int, error)
	CloseCallsOfDeadRuns(ctx context.Context, node string, incarnation int64) (int, error)
	SettleStay(ctx context.Context, x store.XDR) (settled bool, err error)
	Conference(ctx context.Context, s store.Scope, id store.ConferenceID) (store.Conference, error)
}

// Recover closes what earlier runs of the node left open, each at its run's last
// heartbeat. It may be run again at any time: what is settled stays settled.
func Recover(ctx context.Context, s RunStore, node string, incarnation int64, now time.Time, logger hclog.Logger) error {
	stays, err := s.OpenStaysOfDeadRuns(ctx, node, incarnation)
	if err != nil {
		return fmt.Errorf("recover: find open stays: %w", err)
	}
	for _, d := range stays {
		c, err := s.Conference(ctx, store.Scope{}, d.Participant.ConferenceID)
		if err != nil {
			return fmt.Errorf("recover: conference of participant %s: %w", d.Participant.ID, err)
		}
		x := record(d.Participant, c.RoomName, d.LastSeen, store.CauseNodeFailure, logger)
		x.RecordedAt = now.UTC()
		if _, err := s.SettleStay(ctx, x); err != nil {
			return fmt.Errorf("recover: settle the stay of participant %s: %w", x.ID, err)
		}
	}
	conferences, err := s.CloseConferencesOfDeadRuns(ctx, node, incarnation)
	if err != nil {
		return fmt.Errorf("recover: close conferences: %w", err)
	}
	calls, err := s.CloseCallsOfDeadRuns(ctx, node, incarnation)
	if err != nil {
		return fmt.Errorf("recover: close calls: %w", err)
	}
	if len(stays)+conferences+calls > 0 {
		logger.Warn("closed what an earlier run of this node left open",
			"stays", len(stays), "conferences", conferences, "calls", calls)
	}
	return nil
}

// Heart writes the node's heartbeat, from which a later run learns until when
// this one was alive.
type Heart struct {
	store    RunStore
	run      store.NodeRun
	interval time.Duration
	clock    clockwork.Clock
	logger   hclog.Logger
}

// NewHeart makes the heart of a run; StartRun must have recorded it. interval is
// how far off the end of a stay may be after a crash.
func NewHeart(s RunStore, run store.NodeRun, interval time.Duration, clock clockwork.Clock, logger hclog.Logger) *Heart {
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
