package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/conclave-voice/conclave/store"
)

const conferenceColumns = `id, room_id, customer_id, account_id, room_name, kind, site, node, incarnation, epoch,
	started_at, ended_at, end_reason`

func scanConference(r scanner) (c store.Conference, err error) {
	err = r.Scan(&c.ID, &c.RoomID, &c.CustomerID, &c.AccountID, &c.RoomName, &c.Kind, &c.Focus.Site, &c.Focus.Node,
		&c.Incarnation, &c.Epoch, instant{&c.StartedAt}, instant{&c.EndedAt}, &c.EndReason)
	return c, err
}

func (s *Store) OpenConference(ctx context.Context, c store.Conference) error {
	if err := c.Validate(); err != nil {
		return fmt.Errorf("open conference: %w", err)
	}
	return s.transact(ctx, "open conference "+string(c.ID), func(q tx) error {
		if c.Kind == store.KindMain && c.EndedAt.IsZero() {
			if err := fence(ctx, q, c); err != nil {
				return err
			}
		}
		known, err := count(ctx, q, "SELECT COUNT(*) FROM conference WHERE id = $1", c.ID)
		if err != nil || known > 0 {
			return err // opened before: the call is a repetition
		}
		_, err = insert(ctx, q, "conference", conferenceColumns, "", c.ID, c.RoomID, c.CustomerID, c.AccountID, c.RoomName,
			c.Kind, c.Focus.Site, c.Focus.Node, c.Incarnation, int64(c.Epoch), micros(c.StartedAt), micros(c.EndedAt), c.EndReason)
		if s.dialect.classify(err) == uniqueViolation {
			return fmt.Errorf("%w: the room has an open conference of epoch %d; end it, or come with a higher epoch", store.ErrConflict, c.Epoch)
		}
		return err
	})
}

// fence refuses an epoch that is behind, and closes the conference of an earlier
// one.
func fence(ctx context.Context, q querier, c store.Conference) error {
	// Only forward: the row is not touched by an older epoch.
	n, err := insert(ctx, q, "room_epoch", "room_id, epoch",
		"ON CONFLICT (room_id) DO UPDATE SET epoch = excluded.epoch WHERE room_epoch.epoch <= excluded.epoch", c.RoomID, int64(c.Epoch))
	if err != nil {
		return err
	}
	if n == 0 {
		return fmt.Errorf("%w: epoch %d; the room has had a higher one", store.ErrStaleEpoch, c.Epoch)
	}
	_, err = q.ExecContext(ctx, `UPDATE conference SET ended_at = $1, end_reason = $2
		WHERE room_id = $3 AND kind = 'main' AND ended_at = 0 AND epoch < $4`, micros(c.StartedAt), store.EndSuperseded, c.RoomID, int64(c.Epoch))
	return err
}

func (s *Store) RoomEpoch(ctx context.Context, room store.RoomID) (uint64, error) {
	var epoch uint64
	err := s.query(ctx, "epoch of room "+string(room), func(q querier) error {
		err := q.QueryRowContext(ctx, "SELECT epoch FROM room_epoch WHERE room_id = $1", room).Scan(&epoch)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	return epoch, err
}

func (s *Store) CloseConference(ctx context.Context, id store.ConferenceID, at time.Time, reason string) error {
	return s.transact(ctx, "close conference "+string(id), func(q tx) error {
		n, err := affected(q.ExecContext(ctx, "UPDATE conference SET ended_at = $1, end_reason = $2 WHERE id = $3 AND ended_at = 0", micros(at), reason, id))
		if err != nil || n > 0 {
			return err
		}
		if reason == store.EndDrain || reason == store.EndMoved { // its successor was faster, and knows less
			n, err = affected(q.ExecContext(ctx, "UPDATE conference SET end_reason = $1 WHERE id = $2 AND end_reason = $3", reason, id, store.EndSuperseded))
			if err != nil || n > 0 {
				return err
			}
		}
		known, err := count(ctx, q, "SELECT COUNT(*) FROM conference WHERE id = $1", id)
		if err == nil && known == 0 {
			return store.ErrNotFound
		}
		return err
	})
}

func (s *Store) Conference(ctx context.Context, sc store.Scope, id store.ConferenceID) (store.Conference, error) {
	var w where
	w.and("id = ?", id).scope(sc, "customer_id")
	return find(ctx, s, "conference "+string(id), scanConference, "SELECT "+conferenceColumns+" FROM conference"+w.text(), w.args...)
}

func (s *Store) ListConferences(ctx context.Context, sc store.Scope, room store.RoomID, ended bool, p store.Page) ([]store.Conference, error) {
	var w where
	w.scope(sc, "customer_id")
	named(&w, "room_id", room)
	if !ended {
		w.and("ended_at = ?", 0)
	}
	return list(ctx, s, "list conferences", scanConference, conferenceColumns, "conference", w, p)
}

const eventColumns = "conference_id, seq, at, kind, participant_id, actor, detail"

func scanEvent(r scanner) (e store.ConferenceEvent, err error) {
	var detail string
	err = r.Scan(&e.ConferenceID, &e.Seq, instant{&e.At}, &e.Kind, &e.ParticipantID, &e.By, &detail)
	e.Detail = object(detail)
	return e, err
}

func (s *Store) AppendConferenceEvents(ctx context.Context, events []store.ConferenceEvent) error {
	for _, e := range events {
		if err := e.Validate(); err != nil {
			return fmt.Errorf("record conference events: %w", err)
		}
	}
	return s.transact(ctx, "record conference events", func(q tx) error { return insertEvents(ctx, q, events) })
}

func insertEvents(ctx context.Context, q tx, events []store.ConferenceEvent) error {
	var all [][]any
	for _, e := range events {
		all = append(all, []any{e.ConferenceID, e.Seq, micros(e.At), e.Kind, e.ParticipantID, e.By, string(e.Detail)})
	}
	return insertAll(ctx, q, "conference_event", eventColumns, "ON CONFLICT (conference_id, seq) DO NOTHING", all)
}

func (s *Store) ConferenceEvents(ctx context.Context, sc store.Scope, id store.ConferenceID, until time.Time) ([]store.ConferenceEvent, error) {
	if _, err := s.Conference(ctx, sc, id); err != nil {
		return nil, err
	}
	var w where
	w.and("conference_id = ?", id)
	if !until.IsZero() {
		w.and("at <= ?", micros(until))
	}
	return all(ctx, s, "history of conference "+string(id), scanEvent, "SELECT "+eventColumns+" FROM conference_event"+w.text()+" ORDER BY seq", w.args...)
}
