package api

import (
	"context"
	"net/http"
	"time"

	"github.com/conclave-voice/conclave/api/v1"
	"github.com/conclave-voice/conclave/store"
)

func (s *server) participants() {
	register(s, endpoint{method: http.MethodGet, path: "/conferences/{conference}/participants", id: "list-participants", tag: "Participants",
		summary: "List participants", access: seer, errors: []int{http.StatusNotFound}}, s.listParticipants)
	register(s, endpoint{method: http.MethodGet, path: "/participants/{participant}", id: "get-participant", tag: "Participants",
		summary: "Show a participant", access: seer, errors: []int{http.StatusNotFound}}, s.getParticipant)
	register(s, endpoint{method: http.MethodPatch, path: "/participants/{participant}", id: "control-participant", tag: "Participants",
		summary: "Mute a participant or change its role", access: manager, errors: []int{http.StatusNotFound, http.StatusConflict}}, s.controlParticipant)
	register(s, endpoint{method: http.MethodDelete, path: "/participants/{participant}", id: "eject-participant", tag: "Participants",
		summary: "Eject a participant", access: manager, errors: []int{http.StatusNotFound, http.StatusConflict}}, s.ejectParticipant)
}

// InParticipant is a participant in a path.
type InParticipant struct {
	Participant string `path:"participant" maxLength:"64" doc:"Id"`
}

func (in InParticipant) id() store.ParticipantID { return store.ParticipantID(in.Participant) }

func participantView(p store.Participant) v1.Participant {
	return v1.Participant{ID: string(p.ID), ConferenceID: string(p.ConferenceID), RoomID: string(p.RoomID), CustomerID: string(p.CustomerID),
		AccountID: string(p.AccountID), CallID: string(p.CallID), Role: string(p.Role), Owner: p.Owner, Caller: p.Caller, Called: p.Called,
		Ingress: placeView(p.Ingress), Focus: placeView(p.Focus), JoinedAt: p.JoinedAt, LeftAt: p.LeftAt, Cause: string(p.Cause)}
}

func (s *server) listParticipants(ctx context.Context, in *struct {
	InConference
	Paging
	Left bool `query:"left" doc:"Those who have left too"`
}) (*reply[v1.Page[v1.Participant]], error) {
	scope := callerOf(ctx).scope
	c, err := s.Store.Conference(ctx, scope, in.id())
	if err != nil {
		return nil, err
	}
	rows, err := s.Store.ListParticipants(ctx, scope, c.ID, in.Left, in.page())
	if err != nil {
		return nil, err
	}
	return pageOf(in.page(), rows, func(p store.Participant) string { return string(p.ID) }, s.viewWithMedia(ctx, rows)), nil
}

func (s *server) getParticipant(ctx context.Context, in *InParticipant) (*reply[v1.Participant], error) {
	p, err := s.Store.Participant(ctx, callerOf(ctx).scope, in.id())
	if err != nil {
		return nil, err
	}
	return &reply[v1.Participant]{s.viewWithMedia(ctx, []store.Participant{p})(p)}, nil
}

// present finds a participant that may be commanded.
func (s *server) present(ctx context.Context, id store.ParticipantID) (store.Participant, error) {
	p, err := s.Store.Participant(ctx, callerOf(ctx).scope, id)
	if err == nil && !p.LeftAt.IsZero() {
		return p, problem(http.StatusConflict, "the participant left at %s; nothing was changed", p.LeftAt.Format(time.RFC3339))
	}
	return p, err
}

func (s *server) controlParticipant(ctx context.Context, in *struct {
	InParticipant
	Body v1.ParticipantEdit
}) (*empty, error) {
	p, err := s.present(ctx, in.id())
	if err != nil {
		return nil, err
	}
	by := callerOf(ctx).by()
	if v := in.Body.Role; v != nil {
		if err := s.Focus.SetRole(ctx, p.ConferenceID, p.ID, store.Role(*v), by); err != nil {
			return nil, err
		}
	}
	if v := in.Body.Muted; v != nil {
		if err := s.Focus.SetMuted(ctx, p.ConferenceID, p.ID, *v, by); err != nil {
			return nil, err
		}
	}
	return &empty{}, nil
}

func (s *server) ejectParticipant(ctx context.Context, in *InParticipant) (*empty, error) {
	p, err := s.present(ctx, in.id())
	if err != nil {
		return nil, err
	}
	return &empty{}, s.Focus.Eject(ctx, p.ConferenceID, p.ID, callerOf(ctx).by())
}
