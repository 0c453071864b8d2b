package sqlstore

import (
	"context"
	"fmt"
	"time"

	"github.com/conclave-voice/conclave/store"
)

func (s *Store) StartRun(ctx context.Context, r store.NodeRun) error {
	if err := r.Validate(); err != nil {
		return fmt.Errorf("record the start of a node: %w", err)
	}
	return s.transact(ctx, "record the start of node "+r.Node, func(q tx) error {
		_, err := insert(ctx, q, "node_run", "node, incarnation, site, started_at, heartbeat_at, stopped_at", "ON CONFLICT (node, incarnation) DO NOTHING",
			r.Node, r.Incarnation, r.Site, micros(r.StartedAt), micros(r.StartedAt), 0)
		return err
	})
}

func (s *Store) Heartbeat(ctx context.Context, node string, incarnation int64, at time.Time) error {
	return s.advance(ctx, "heartbeat of node "+node, node, incarnation, heartbeatUpdate, at)
}

const heartbeatUpdate = "UPDATE node_run SET heartbeat_at = $1 WHERE node = $2 AND incarnation = $3 AND heartbeat_at < $1"

func (s *Store) StopRun(ctx context.Context, node string, incarnation int64, at time.Time) error {
	return s.advance(ctx, "record the end of node "+node, node, incarnation,
		"UPDATE node_run SET stopped_at = $1 WHERE node = $2 AND incarnation = $3 AND stopped_at = 0", at)
}

func (s *Store) advance(ctx context.Context, what, node string, incarnation int64, update string, at time.Time) error {
	return s.transact(ctx, what, func(q tx) error { return advanceRun(ctx, q, node, incarnation, update, at) })
}

// advanceRun changes a run where the condition of update holds; that it does not is no
// error, but a run that was never started is.
func advanceRun(ctx context.Context, q querier, node string, incarnation int64, update string, at time.Time) error {
	n, err := affected(q.ExecContext(ctx, update, micros(at), node, incarnation))
	if err != nil || n > 0 {
		return err
	}
	n, err = count(ctx, q, "SELECT COUNT(*) FROM node_run WHERE node = $1 AND incarnation = $2", node, incarnation)
	if err == nil && n == 0 {
		return store.ErrNotFound
	}
	return err
}

func (s *Store) OpenStaysOfDeadRuns(ctx context.Context, node string, incarnation int64) ([]store.DeadStay, error) {
	return all(ctx, s, "open stays of earlier runs of node "+node, scanDeadStay, "SELECT "+participantColumns+`,
		COALESCE((SELECT run.heartbeat_at FROM node_run AS run
			WHERE run.node = participant.ingress_node AND run.incarnation = participant.incarnation AND run.heartbeat_at > participant.joined_at), joined_at), reserved
		FROM participant WHERE ingress_node = $1 AND incarnation <> $2 AND left_at = 0 ORDER BY id`, node, incarnation)
}

func scanDeadStay(r scanner) (d store.DeadStay, err error) {
	d.Participant, err = scanParticipant(r, instant{&d.LastSeen}, &d.Reserved)
	return d, err
}

func (s *Store) CloseConferencesOfDeadRuns(ctx context.Context, node string, incarnation int64) (int, error) {
	return s.closeOfDeadRuns(ctx, "conferences", `UPDATE conference SET end_reason = 'node-failure', ended_at =
		COALESCE((SELECT run.heartbeat_at FROM node_run AS run
			WHERE run.node = conference.node AND run.incarnation = conference.incarnation AND run.heartbeat_at > conference.started_at), started_at)
		WHERE node = $1 AND incarnation <> $2 AND ended_at = 0`, node, incarnation)
}

func (s *Store) CloseCallsOfDeadRuns(ctx context.Context, node string, incarnation int64) (int, error) {
	// A call does not say its run: it is the last one to start before the call, an
	// incarnation being its run's start.
	return s.closeOfDeadRuns(ctx, "calls", `UPDATE call SET cause = 'node-failure', ended_at =
		COALESCE((SELECT run.heartbeat_at FROM node_run AS run
			WHERE run.node = call.node AND run.incarnation <= call.started_at AND run.heartbeat_at > call.started_at
			ORDER BY run.incarnation DESC LIMIT 1), started_at)
		WHERE node = $1 AND started_at < $2 AND ended_at = 0`, node, incarnation)
}

func (s *Store) closeOfDeadRuns(ctx context.Context, what, update, node string, incarnation int64) (int, error) {
	var n int64
	err := s.transact(ctx, "close "+what+" of earlier runs of node "+node, func(q tx) (err error) {
		n, err = affected(q.ExecContext(ctx, update, node, incarnation))
		return err
	})
	return int(n), err
}
