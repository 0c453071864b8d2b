package api

import (
	"fmt"
	"time"

	"github.com/conclave-voice/conclave/api/v1"
	"github.com/conclave-voice/conclave/conference"
	"github.com/conclave-voice/conclave/conference/roster"
	"github.com/conclave-voice/conclave/store"
)

// matrixMembers bounds the conferences of which it is told by name who hears whom: the
// list grows with the square of the participants.
const matrixMembers = 100

// stateAt folds a conference's history up to an instant.
func stateAt(c store.Conference, rows []store.ConferenceEvent, at time.Time) (v1.ConferenceState, error) {
	state := v1.ConferenceState{Conference: conferenceView(c), At: at, Participants: []v1.Member{}}
	events, err := conference.History(rows)
	if err != nil {
		return state, fmt.Errorf("read the history of conference %s: %w", c.ID, err)
	}
	r := roster.Replay(events)
	state.Phase = phase(c, r, len(events), at)
	state.Locked, state.AllMuted, state.EndsAt = r.Locked(), r.AllMuted(), r.EndAt()
	state.RecordingID = string(r.Recording().ID)
	if r.Ended() {
		state.EndsAt = time.Time{}
	}
	for _, m := range r.Members() {
		state.Participants = append(state.Participants, memberView(r, m))
	}
	return state, nil
}

func phase(c store.Conference, r *roster.Roster, events int, at time.Time) string {
	switch {
	case r.Ended() || !c.EndedAt.IsZero() && !at.Before(c.EndedAt):
		return "ended"
	case events == 0:
		return "not-started"
	case !r.Open():
		return "waiting"
	}
	return "open"
}

func memberView(r *roster.Roster, m *roster.Member) v1.Member {
	mode := r.Mode(m.ID)
	view := v1.Member{ParticipantID: string(m.ID), Caller: m.Caller, Role: string(m.Role), Owner: m.Owner, Muted: m.Muted,
		MutedByModerator: m.MutedByModerator, OnHold: m.OnHold, HandRaised: m.HandRaised, JoinedAt: m.JoinedAt,
		Heard: mode.Speaks, Hearing: mode.Hears}
	if r.Len() > matrixMembers {
		return view
	}
	view.Hears = []string{}
	for _, other := range r.Members() {
		if r.Hears(m.ID, other.ID) {
			view.Hears = append(view.Hears, string(other.ID))
		}
	}
	return view
}
