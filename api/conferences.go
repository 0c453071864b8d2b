package api

import (
	"context"
	"math"
	"net/http"
	"time"

	"github.com/conclave-voice/conclave/api/v1"
	"github.com/conclave-voice/conclave/store"
)

func (s *server) conferences() {
	register(s, endpoint{method: http.MethodGet, path: "/conferences", id: "list-conferences", tag: "Conferences",
		summary: "List conferences", access: seer}, s.listConferences)
	register(s, endpoint{method: http.MethodGet, path: "/conferences/{conference}", id: "get-conference", tag: "Conferences",
		summary: "Show a conference, now or at any instant of its past",
		doc:     "Tells who was in, in which role, and who could hear whom.",
		access:  seer, errors: []int{http.StatusNotFound}}, s.getConference)
	register(s, endpoint{method: http.MethodGet, path: "/conferences/{conference}/events", id: "list-conference-events", tag: "Conferences",
		summary: "Tell a conference's history", access: seer, errors: []int{http.StatusNotFound}}, s.listEvents)
	register(s, endpoint{method: http.MethodPatch, path: "/conferences/{conference}", id: "control-conference", tag: "Conferences",
		summary: "Lock a conference or mute all in it", access: manager, errors: []int{http.StatusNotFound, http.StatusConflict}}, s.controlConference)
	register(s, endpoint{method: http.MethodPost, path: "/conferences/{conference}/end", id: "end-conference", tag: "Conferences",
		summary: "End a conference", access: manager, status: http.StatusNoContent, errors: []int{http.StatusNotFound, http.StatusConflict}}, s.endConference)
}

// InConference is a conference in a path.
type InConference struct {
	Conference string `path:"conference" maxLength:"64" doc:"Id"`
}

func (in InConference) id() store.ConferenceID { return store.ConferenceID(in.Conference) }

func placeView(p store.Place) v1.Place { return v1.Place{Site: p.Site, Node: p.Node} }

func conferenceView(c store.Conference) v1.Conference {
	return v1.Conference{ID: string(c.ID), RoomID: string(c.RoomID), RoomName: c.RoomName, CustomerID: string(c.CustomerID),
		AccountID: string(c.AccountID), Kind: string(c.Kind), Focus: placeView(c.Focus), Epoch: c.Epoch,
		StartedAt: c.StartedAt, EndedAt: c.EndedAt, EndReason: c.EndReason}
}

func (s *server) listConferences(ctx context.Context, in *struct {
	Tenant
	Paging
	Room  string `query:"room" maxLength:"64" doc:"Only this room's: its id"`
	Ended bool   `query:"ended" doc:"Those that have ended too"`
}) (*reply[v1.Page[v1.Conference]], error) {
	scope, err := in.scope(callerOf(ctx))
	if err != nil {
		return nil, err
	}
	rows, err := s.Store.ListConferences(ctx, scope, store.RoomID(in.Room), in.Ended, in.page())
	if err != nil {
		return nil, err
	}
	return pageOf(in.page(), rows, func(c store.Conference) string { return string(c.ID) }, conferenceView), nil
}

func (s *server) getConference(ctx context.Context, in *struct {
	InConference
	At time.Time `query:"at" doc:"An instant; left out: now" example:"2026-03-01T10:15:00Z"`
}) (*reply[v1.ConferenceState], error) {
	scope := callerOf(ctx).scope
	c, err := s.Store.Conference(ctx, scope, in.id())
	if err != nil {
		return nil, err
	}
	at := in.At.UTC()
	if in.At.IsZero() {
		at = s.now()
	}
	events, err := s.Store.ConferenceEvents(ctx, scope, c.ID, in.At)
	if err != nil {
		return nil, err
	}
	state, err := stateAt(c, events, at)
	if err != nil {
		return nil, err
	}
	if in.At.IsZero() && c.EndedAt.IsZero() {
		s.tellSpeakers(ctx, &state)
	}
	return &reply[v1.ConferenceState]{state}, nil
}

// speakersPatience is how long the view of a conference waits for the node that hosts it
// to say who speaks; without that it is complete but for this.
const speakersPatience = time.Second

// tellSpeakers adds who speaks now.
func (s *server) tellSpeakers(ctx context.Context, state *v1.ConferenceState) {
	ctx, cancel := context.WithTimeout(ctx, speakersPatience)
	defer cancel()
	speakers, err := s.Focus.Speakers(ctx, store.ConferenceID(state.ID))
	if err != nil {
		s.Logger.Debug("who speaks is not known", "conference", state.ID, "error", err)
		return
	}
	for _, speaker := range speakers {
		for i := range state.Participants {
			if m := &state.Participants[i]; m.ParticipantID == string(speaker.Participant) {
				m.Talking, m.Level = speaker.Talking, math.Round(speaker.Level*10)/10
			}
		}
	}
}

func (s *server) listEvents(ctx context.Context, in *InConference) (*reply[v1.Page[v1.ConferenceEvent]], error) {
	scope := callerOf(ctx).scope
	c, err := s.Store.Conference(ctx, scope, in.id())
	if err != nil {
		return nil, err
	}
	rows, err := s.Store.ConferenceEvents(ctx, scope, c.ID, time.Time{})
	if err != nil {
		return nil, err
	}
	return whole(rows, func(e store.ConferenceEvent) v1.ConferenceEvent {
		return v1.ConferenceEvent{Seq: e.Seq, At: e.At, Kind: e.Kind, ParticipantID: string(e.ParticipantID), By: e.By, Detail: e.Detail}
	}), nil
}

// running finds a conference that may be commanded.
func (s *server) running(ctx context.Context, id store.ConferenceID) (store.Conference, error) {
	c, err := s.Store.Conference(ctx, callerOf(ctx).scope, id)
	if err == nil && !c.EndedAt.IsZero() {
		return c, problem(http.StatusConflict, "the conference ended at %s; nothing was changed", c.EndedAt.Format(time.RFC3339))
	}
	return c, err
}

func (s *server) controlConference(ctx context.Context, in *struct {
	InConference
	Body v1.ConferenceEdit
}) (*empty, error) {
	c, err := s.running(ctx, in.id())
	if err != nil {
		return nil, err
	}
	by := callerOf(ctx).by()
	if v := in.Body.Locked; v != nil {
		if err := s.Focus.SetLocked(ctx, c.ID, *v, by); err != nil {
			return nil, err
		}
	}
	if v := in.Body.AllMuted; v != nil {
		if err := s.Focus.SetAllMuted(ctx, c.ID, *v, by); err != nil {
			return nil, err
		}
	}
	return &empty{}, nil
}

func (s *server) endConference(ctx context.Context, in *InConference) (*empty, error) {
	c, err := s.running(ctx, in.id())
	if err != nil {
		return nil, err
	}
	return &empty{}, s.Focus.End(ctx, c.ID, callerOf(ctx).by())
}
