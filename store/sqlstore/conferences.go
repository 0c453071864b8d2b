package sqlstore

import (
	"context"
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
	return s.write(ctx, "open conference "+string(c.ID), func(q querier) error {
		if _, err := conferenceByID(ctx, q, store.Scope{}, c.ID); err == nil {
			return nil // opened before: the call is a repetition
		}
		if c.Kind == store.KindMain {
			if err := fence(ctx, q, c); err != nil {
				return err
			}
		}
		_, err := insert(ctx, q, "conference", conferenceColumns, "", c.ID, c.RoomID, c.CustomerID, c.AccountID, c.RoomName,
			c.Kind, c.Focus.Site, c.Focus.Node, c.Incarnation, int64(c.Epoch), micros(c.StartedAt), micros(c.EndedAt), c.EndReason)
		return err
	})
}

// fence refuses an epoch that is behind, and closes the conference of an earlier
// one.
func fence(ctx context.Context, q querier, c store.Conference) error {
	// Only forward: the row is not touched by an older epoch.
	n, err := affected(q.ExecContext(ctx, `INSERT INTO room_epoch (room_id, epoch) VALUES ($1, $2)
		ON CONFLICT (room_id) DO UPDATE SET epoch = excluded.epoch WHERE room_epoch.epoch <= excluded.epoch`, c.RoomID, int64(c.Epoch)))
	if err != nil {
		return err
	}
	if n == 0 {
		return fmt.Errorf("%w: %d", store.ErrStaleEpoch, c.Epoch)
	}
	_, err = q.ExecContext(ctx, `UPDATE conference SET ended_at = $1, end_reason = 'superseded'
		WHERE room_id = $2 AND kind = 'main' AND ended_at = 0 AND epoch < $3`, micros(c.StartedAt), c.RoomID, int64(c.Epoch))
	return err
}

func (s *Store) CloseConference(ctx context.Context, id store.ConferenceID, at time.Time, reason string) error {
	return s.write(ctx, "close conference "+string(id), func(q querier) error {
		if _, err := conferenceByID(ctx, q, store.Scope{}, id); err != nil {
			return err
		}
		_, err := q.ExecContext(ctx, "UPDATE conference SET ended_at = $1, end_reason = $2 WHERE id = $3 AND ended_at = 0", micros(at), reason, id)
		return err
	})
}

func conferenceByID(ctx context.Context, q querier, sc store.Scope, id store.ConferenceID) (store.Conference, error) {
	var w where
	w.and("id = ?", id).scope(sc, "customer_id")
	return scanConference(q.QueryRowContext(ctx, "SELECT "+conferenceColumns+" FROM conference"+w.text(), w.args...))
}

func (s *Store) Conference(ctx context.Context, sc store.Scope, id store.ConferenceID) (store.Conference, error) {
	c, err := conferenceByID(ctx, s.reader(), sc, id)
	return c, s.wrap("conference "+string(id), err)
}

func (s *Store) ListConferences(ctx context.Context, sc store.Scope, room store.RoomID, ended bool, p store.Page) ([]store.Conference, error) {
	var w where
	w.scope(sc, "customer_id")
	if room != "" {
		w.and("room_id = ?", room)
	}
	if !ended {
		w.and("ended_at = ?", 0)
	}
	tail := w.page(p)
	all, err := list(ctx, s.reader(), scanConference, "SELECT "+conferenceColumns+" FROM conference"+tail, w.args...)
	return all, s.wrap("list conferences", err)
}

const participantColumns = `id, conference_id, room_id, customer_id, account_id, call_id, role, owner, caller, called,
	ingress_site, ingress_node, focus_site, focus_node, incarnation, epoch, joined_at, left_at, cause,
	rate_tariff_id, rate_access_number, rate_per_minute, rate_first_s, rate_next_s, currency`

// scanParticipant reads the columns above, and then those that extra is for.
func scanParticipant(r scanner, extra ...any) (p store.Participant, err error) {
	p.Rate.Service = store.ServiceConferencing
	err = r.Scan(append([]any{&p.ID, &p.ConferenceID, &p.RoomID, &p.CustomerID, &p.AccountID, &p.CallID, &p.Role, &p.Owner, &p.Caller, &p.Called,
		&p.Ingress.Site, &p.Ingress.Node, &p.Focus.Site, &p.Focus.Node, &p.Incarnation, &p.Epoch, instant{&p.JoinedAt}, instant{&p.LeftAt}, &p.Cause,
		&p.Rate.TariffID, &p.Rate.AccessNumber, &p.Rate.PerMinute, span{&p.Rate.First, time.Second}, span{&p.Rate.Next, time.Second}, &p.Currency}, extra...)...)
	return p, err
}

func plainParticipant(r scanner) (store.Participant, error) { return scanParticipant(r) }

func (s *Store) Participant(ctx context.Context, sc store.Scope, id store.ParticipantID) (store.Participant, error) {
	var w where
	w.and("id = ?", id).scope(sc, "customer_id")
	p, err := scanParticipant(s.reader().QueryRowContext(ctx, "SELECT "+participantColumns+" FROM participant"+w.text(), w.args...))
	return p, s.wrap("participant "+string(id), err)
}

func (s *Store) ListParticipants(ctx context.Context, sc store.Scope, conference store.ConferenceID, left bool, p store.Page) ([]store.Participant, error) {
	var w where
	w.scope(sc, "customer_id")
	if conference != "" {
		w.and("conference_id = ?", conference)
	}
	if !left {
		w.and("left_at = ?", 0)
	}
	tail := w.page(p)
	all, err := list(ctx, s.reader(), plainParticipant, "SELECT "+participantColumns+" FROM participant"+tail, w.args...)
	return all, s.wrap("list participants", err)
}

func (s *Store) AppendConferenceEvents(ctx context.Context, events []store.ConferenceEvent) error {
	return s.write(ctx, "record conference events", func(q querier) error {
		for _, e := range events {
			if _, err := insert(ctx, q, "conference_event", "conference_id, seq, at, kind, participant_id, actor, detail",
				"ON CONFLICT (conference_id, seq) DO NOTHING",
				e.ConferenceID, e.Seq, micros(e.At), e.Kind, e.ParticipantID, e.By, string(e.Detail)); err != nil {
				return err
			}
		}
		return nil
	})
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
	all, err := list(ctx, s.reader(), func(r scanner) (e store.ConferenceEvent, err error) {
		var detail string
		err = r.Scan(&e.ConferenceID, &e.Seq, instant{&e.At}, &e.Kind, &e.ParticipantID, &e.By, &detail)
		e.Detail = object(detail)
		return e, err
	}, "SELECT conference_id, seq, at, kind, participant_id, actor, detail FROM conference_event"+w.text()+" ORDER BY seq", w.args...)
	return all, s.wrap("history of conference "+string(id), err)
}

// object is a JSON object as it is kept: empty text for none.
func object(text string) []byte {
	if text == "" {
		return nil
	}
	return []byte(text)
}

func (s *Store) SetParticipantRole(ctx context.Context, id store.ParticipantID, r store.Role, owner bool) error {
	return s.write(ctx, "role of participant "+string(id), func(q querier) error {
		return one(q.ExecContext(ctx, "UPDATE participant SET role = $1, owner = $2 WHERE id = $3", r, flag(owner), id))
	})
}
