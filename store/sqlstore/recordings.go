package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/conclave-voice/conclave/store"
)

const recordingColumns = `id, customer_id, room_id, conference_id, room_name, format, tracks, announced, retention,
	started_at, started_by, stopped_at, stopped_by, reason, removed_at, removed_by`

func scanRecording(r scanner) (m store.Recording, err error) {
	err = r.Scan(&m.ID, &m.CustomerID, &m.RoomID, &m.ConferenceID, &m.RoomName, &m.Format, &m.Tracks, &m.Announced, &m.Retention,
		instant{&m.StartedAt}, &m.StartedBy, instant{&m.StoppedAt}, &m.StoppedBy, &m.Reason, instant{&m.RemovedAt}, &m.RemovedBy)
	return m, err
}

func (s *Store) PutRecording(ctx context.Context, r store.Recording) error {
	if err := r.Validate(); err != nil {
		return fmt.Errorf("record a recording: %w", err)
	}
	return s.transact(ctx, "recording "+string(r.ID), func(q tx) error {
		_, err := insert(ctx, q, "recording", recordingColumns, `ON CONFLICT (id) DO UPDATE
			SET stopped_at = excluded.stopped_at, stopped_by = excluded.stopped_by, reason = excluded.reason
			WHERE recording.stopped_at < excluded.stopped_at`,
			r.ID, r.CustomerID, r.RoomID, r.ConferenceID, r.RoomName, r.Format, flag(r.Tracks), flag(r.Announced), r.Retention,
			micros(r.StartedAt), r.StartedBy, micros(r.StoppedAt), r.StoppedBy, r.Reason, micros(r.RemovedAt), r.RemovedBy)
		return err
	})
}

// keptRecording are the conditions of a recording that has not been removed.
func keptRecording(sc store.Scope, id store.RecordingID) *where {
	return new(where).and("id = ?", id).and("removed_at = ?", 0).scope(sc, "customer_id")
}

func (s *Store) Recording(ctx context.Context, sc store.Scope, id store.RecordingID) (store.Recording, []store.RecordingSegment, error) {
	w := keptRecording(sc, id)
	r, err := find(ctx, s, "recording "+string(id), scanRecording, "SELECT "+recordingColumns+" FROM recording"+w.text(), w.args...)
	if err != nil {
		return r, nil, err
	}
	segments, err := all(ctx, s, "segments of recording "+string(id), scanSegment,
		"SELECT "+segmentColumns+" FROM recording_segment WHERE recording_id = $1 ORDER BY number, id", id)
	return r, segments, err
}

func (s *Store) ListRecordings(ctx context.Context, sc store.Scope, f store.RecordingFilter, p store.Page) ([]store.Recording, error) {
	var w where
	w.and("removed_at = ?", 0).scope(sc, "customer_id")
	named(&w, "room_id", f.RoomID)
	if f.ConferenceID != "" {
		w.and("id IN (SELECT recording_id FROM recording_segment WHERE conference_id = ?)", f.ConferenceID)
	}
	return list(ctx, s, "list recordings", scanRecording, recordingColumns, "recording", w, p)
}

func (s *Store) RemoveRecording(ctx context.Context, sc store.Scope, id store.RecordingID, at time.Time, by string) error {
	return s.transact(ctx, "remove recording "+string(id), func(q tx) error {
		w := keptRecording(sc, id)
		r, err := scanRecording(q.QueryRowContext(ctx, "SELECT "+recordingColumns+" FROM recording"+w.text(), w.args...))
		if err != nil {
			if errors.Is(err, sql.ErrNoRows) {
				err = store.ErrNotFound
			}
			return q.gone(err)
		}
		if r.StoppedAt.IsZero() {
			return fmt.Errorf("%w: it goes on; stop it first", store.ErrInUse)
		}
		return one(q.ExecContext(ctx, "UPDATE recording SET removed_at = $1, removed_by = $2 WHERE id = $3", micros(at), by, id))
	})
}

func (s *Store) ExpireRecordings(ctx context.Context, now time.Time, standard time.Duration) (expired int, err error) {
	const expire = "UPDATE recording SET removed_at = $1, removed_by = $2 WHERE removed_at = 0 AND stopped_at <> 0 AND "
	err = s.transact(ctx, "remove recordings whose time is over", func(q tx) error {
		n, err := affected(q.ExecContext(ctx, expire+"retention > 0 AND stopped_at + retention * 86400000000 <= $1", micros(now), store.RemovedByRetention))
		if err != nil {
			return err
		}
		expired = int(n)
		if standard > 0 {
			n, err := affected(q.ExecContext(ctx, expire+"retention = 0 AND stopped_at <= $3", micros(now), store.RemovedByRetention, micros(now.Add(-standard))))
			if err != nil {
				return err
			}
			expired += int(n)
		}
		_, err = q.ExecContext(ctx, `DELETE FROM recording WHERE removed_at <> 0
			AND NOT EXISTS (SELECT 1 FROM recording_segment s WHERE s.recording_id = recording.id)`)
		return err
	})
	return expired, err
}

func (s *Store) EndLostRecordings(ctx context.Context, since time.Time) (ended int, err error) {
	err = s.transact(ctx, "end recordings that nobody goes on with", func(q tx) error {
		// A node that lives writes its open segments.
		n, err := affected(q.ExecContext(ctx, `UPDATE recording SET reason = $1, stopped_at = COALESCE(
				(SELECT MAX(CASE WHEN s.ended_at > s.started_at THEN s.ended_at ELSE s.started_at END)
				 FROM recording_segment s WHERE s.recording_id = recording.id), started_at)
			WHERE stopped_at = 0 AND started_at < $2 AND NOT EXISTS (
				SELECT 1 FROM recording_segment s WHERE s.recording_id = recording.id AND (s.started_at >= $2 OR s.ended_at >= $2
					OR s.ended_at = 0 AND EXISTS (SELECT 1 FROM node_run n
						WHERE n.node = s.node AND n.incarnation = s.incarnation AND n.heartbeat_at >= $2)))`,
			store.RecordingNodeFailure, micros(since)))
		ended = int(n)
		return err
	})
	return ended, err
}

const segmentColumns = `id, recording_id, number, conference_id, site, node, incarnation, path, started_at, ended_at,
	length_us, octets, gaps, gap_us, tracks, reason, detail`

func scanSegment(r scanner) (m store.RecordingSegment, err error) {
	var tracks string
	err = r.Scan(&m.ID, &m.RecordingID, &m.Number, &m.ConferenceID, &m.Place.Site, &m.Place.Node, &m.Incarnation, &m.Path,
		instant{&m.StartedAt}, instant{&m.EndedAt}, span{&m.Length, time.Microsecond}, &m.Octets, &m.Gaps, span{&m.GapTime, time.Microsecond},
		&tracks, &m.Reason, &m.Detail)
	if err == nil && tracks != "" {
		err = json.Unmarshal([]byte(tracks), &m.Tracks)
	}
	return m, err
}

func (s *Store) PutSegment(ctx context.Context, g store.RecordingSegment) error {
	if err := g.Validate(); err != nil {
		return fmt.Errorf("record a segment of a recording: %w", err)
	}
	tracks := ""
	if len(g.Tracks) > 0 {
		b, err := json.Marshal(g.Tracks)
		if err != nil {
			return fmt.Errorf("record a segment of a recording: %w", err)
		}
		tracks = string(b)
	}
	return s.transact(ctx, fmt.Sprintf("segment %d of recording %s", g.Number, g.RecordingID), func(q tx) error {
		_, err := insert(ctx, q, "recording_segment", segmentColumns, `ON CONFLICT (id) DO UPDATE
			SET ended_at = excluded.ended_at, length_us = excluded.length_us, octets = excluded.octets, gaps = excluded.gaps,
				gap_us = excluded.gap_us, tracks = excluded.tracks, reason = excluded.reason, detail = excluded.detail
			WHERE recording_segment.ended_at = 0`,
			g.ID, g.RecordingID, g.Number, g.ConferenceID, g.Place.Site, g.Place.Node, g.Incarnation, g.Path, micros(g.StartedAt), micros(g.EndedAt),
			g.Length.Microseconds(), g.Octets, g.Gaps, g.GapTime.Microseconds(), tracks, g.Reason, g.Detail)
		return err
	})
}

func (s *Store) OpenSegments(ctx context.Context, node string) ([]store.RecordingSegment, error) {
	return all(ctx, s, "open segments of recordings", scanSegment,
		"SELECT "+segmentColumns+" FROM recording_segment WHERE ended_at = 0 AND node = $1 ORDER BY id", node)
}

// mostRemoved are the segments that a node is told of at once.
const mostRemoved = 1000

func (s *Store) RemovedSegments(ctx context.Context, node string) ([]store.RecordingSegment, error) {
	return all(ctx, s, "segments of removed recordings", scanSegment, "SELECT "+segmentColumns+` FROM recording_segment
		WHERE node = $1 AND recording_id IN (SELECT id FROM recording WHERE removed_at <> 0) ORDER BY id LIMIT $2`, node, mostRemoved)
}

func (s *Store) ForgetSegment(ctx context.Context, id store.SegmentID) error {
	return s.transact(ctx, "forget segment "+string(id), func(q tx) error {
		_, err := q.ExecContext(ctx, "DELETE FROM recording_segment WHERE id = $1", id)
		return err
	})
}
