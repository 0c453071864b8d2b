package sqlstore

import (
	"context"
	"time"

	"github.com/conclave-voice/conclave/store"
)

const participantColumns = `id, conference_id, room_id, customer_id, account_id, call_id, role, owner, caller, called,
	ingress_site, ingress_node, focus_site, focus_node, incarnation, epoch, joined_at, left_at, cause,
	rate_tariff_id, rate_access_number, rate_per_minute, rate_first_s, rate_next_s, currency, ingress_term`

// scanParticipant reads the columns above, and then those that extra is for.
func scanParticipant(r scanner, extra ...any) (p store.Participant, err error) {
	p.Rate.Service = store.ServiceConferencing
	err = r.Scan(append([]any{&p.ID, &p.ConferenceID, &p.RoomID, &p.CustomerID, &p.AccountID, &p.CallID, &p.Role, &p.Owner, &p.Caller, &p.Called,
		&p.Ingress.Site, &p.Ingress.Node, &p.Focus.Site, &p.Focus.Node, &p.Incarnation, &p.Epoch, instant{&p.JoinedAt}, instant{&p.LeftAt}, &p.Cause,
		&p.Rate.TariffID, &p.Rate.AccessNumber, &p.Rate.PerMinute, span{&p.Rate.First, time.Second}, span{&p.Rate.Next, time.Second}, &p.Currency, &p.IngressTerm}, extra...)...)
	return p, err
}

func scanPlainParticipant(r scanner) (store.Participant, error) { return scanParticipant(r) }

func (s *Store) Participant(ctx context.Context, sc store.Scope, id store.ParticipantID) (store.Participant, error) {
	var w where
	w.and("id = ?", id).scope(sc, "customer_id")
	return find(ctx, s, "participant "+string(id), scanPlainParticipant, "SELECT "+participantColumns+" FROM participant"+w.text(), w.args...)
}

func (s *Store) ListParticipants(ctx context.Context, sc store.Scope, conference store.ConferenceID, left bool, p store.Page) ([]store.Participant, error) {
	var w where
	w.scope(sc, "customer_id")
	named(&w, "conference_id", conference)
	if !left {
		w.and("left_at = ?", 0)
	}
	return list(ctx, s, "list participants", scanPlainParticipant, participantColumns, "participant", w, p)
}

func (s *Store) MoveParticipant(ctx context.Context, id store.ParticipantID, to store.ConferenceID, focus store.Place, epoch uint64) error {
	return s.transact(ctx, "move participant "+string(id), func(q tx) error {
		return one(q.ExecContext(ctx, "UPDATE participant SET conference_id = $1, focus_site = $2, focus_node = $3, epoch = $4 WHERE id = $5 AND left_at = 0",
			to, focus.Site, focus.Node, int64(epoch), id))
	})
}

func (s *Store) SetParticipantRole(ctx context.Context, id store.ParticipantID, r store.Role, owner bool) error {
	return s.transact(ctx, "role of participant "+string(id), func(q tx) error {
		return one(q.ExecContext(ctx, "UPDATE participant SET role = $1, owner = $2 WHERE id = $3", r, flag(owner), id))
	})
}
