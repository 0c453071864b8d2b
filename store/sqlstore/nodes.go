package sqlstore

import (
	"context"
	"time"

	"github.com/conclave-voice/conclave/store"
)

func (s *Store) StartRun(ctx context.Context, r store.NodeRun) error {
	return s.write(ctx, "record the start of node "+r.Node, func(q querier) error {
		_, err := insert(ctx, q, "node_run", "node, incarnation, site, started_at, heartbeat_at, stopped_at", "ON CONFLICT (node, incarnation) DO NOTHING",
			r.Node, r.Incarnation, r.Site, micros(r.StartedAt), micros(r.StartedAt), 0)
		return err
	})
}

func (s *Store) Heartbeat(ctx context.Context, node string, incarnation int64, at time.Time) error {
	return s.write(ctx, "heartbeat of node "+node, func(q querier) error {
		n, err := affected(q.ExecContext(ctx, "UPDATE node_run SET heartbeat_at = $1 WHERE node = $2 AND incarnation = $3 AND heartbeat_at < $1",
			micros(at), node, incarnation))
		if err != nil || n > 0 {
			return err
		}
		return known(ctx, q, node, incarnation)
	})
}

// known is ErrNotFound for a run that was never started.
func known(ctx context.Context, q querier, node string, incarnation int64) error {
	var n int64
	err := q.QueryRowContext(ctx, "SELECT COUNT(*) FROM node_run WHERE node = $1 AND incarnation = $2", node, incarnation).Scan(&n)
	if err == nil && n == 0 {
		return store.ErrNotFound
	}
	return err
}

func (s *Store) StopRun(ctx context.Context, node string, incarnation int64, at time.Time) error {
	return s.write(ctx, "record the end of node "+node, func(q querier) error {
		return one(q.ExecContext(ctx, "UPDATE node_run SET stopped_at = $1 WHERE node = $2 AND incarnation = $3", micros(at), node, incarnation))
	})
}

func (s *Store) OpenStaysOfDeadRuns(ctx context.Context, node string, incarnation int64) ([]store.DeadStay, error) {
	all, err := list(ctx, s.reader(), func(r scanner) (d store.DeadStay, err error) {
		d.Participant, err = scanParticipant(r, instant{&d.LastSeen})
		if d.LastSeen.Before(d.Participant.JoinedAt) {
			d.LastSeen = d.Participant.JoinedAt
		}
		return d, err
	}, "SELECT "+participantColumns+`, COALESCE((SELECT heartbeat_at FROM node_run
		WHERE node_run.node = participant.focus_node AND node_run.incarnation = participant.incarnation), 0)
		FROM participant WHERE focus_node = $1 AND incarnation <> $2 AND left_at = 0 ORDER BY id`, node, incarnation)
	return all, s.wrap("open stays of earlier runs of "+node, err)
}

func (s *Store) CloseConferencesOfDeadRuns(ctx context.Context, node string, incarnation int64) (int, error) {
	return s.closeOfDeadRuns(ctx, "conferences", `UPDATE conference SET end_reason = 'node-failure', ended_at = CASE
		WHEN started_at > COALESCE((SELECT heartbeat_at FROM node_run WHERE node_run.node = conference.node AND node_run.incarnation = conference.incarnation), 0)
		THEN started_at
		ELSE (SELECT heartbeat_at FROM node_run WHERE node_run.node = conference.node AND node_run.incarnation = conference.incarnation) END
		WHERE node = $1 AND incarnation <> $2 AND ended_at = 0`, node, incarnation)
}

func (s *Store) CloseCallsOfDeadRuns(ctx context.Context, node string, incarnation int64) (int, error) {
	// A call that began before the present run belongs to an earlier one: the
	// incarnation is the run's start.
	return s.closeOfDeadRuns(ctx, "calls", `UPDATE call SET cause = 'node-failure', ended_at = CASE
		WHEN started_at > COALESCE((SELECT MAX(heartbeat_at) FROM node_run WHERE node_run.node = call.node AND node_run.incarnation <> $2), 0)
		THEN started_at
		ELSE (SELECT MAX(heartbeat_at) FROM node_run WHERE node_run.node = call.node AND node_run.incarnation <> $2) END
		WHERE node = $1 AND started_at < $2 AND ended_at = 0`, node, incarnation)
}

func (s *Store) closeOfDeadRuns(ctx context.Context, what, update, node string, incarnation int64) (int, error) {
	var n int64
	err := s.write(ctx, "close "+what+" of earlier runs of "+node, func(q querier) (err error) {
		n, err = affected(q.ExecContext(ctx, update, node, incarnation))
		return err
	})
	return int(n), err
}
