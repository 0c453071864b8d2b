package roster

import (
	"time"

	"github.com/conclave-voice/conclave/store"
)

// Standing is what a participant has in a conference, to have it again where the
// conference goes on when its node is lost: nobody is heard whom a mute, a role or a
// lock has silenced (SPEC MS16).
type Standing struct {
	Role             store.Role `json:"role"`
	Owner            bool       `json:"owner,omitempty"`
	Muted            bool       `json:"muted,omitempty"`
	MutedByModerator bool       `json:"mutedByModerator,omitempty"`
	HandRaised       bool       `json:"handRaised,omitempty"`
	// Of the conference.
	Locked    bool      `json:"locked,omitempty"`
	AllMuted  bool      `json:"allMuted,omitempty"`
	Open      bool      `json:"open,omitempty"`
	Recording Recording `json:"recording,omitzero"`
}

// Standing is that of a member; false if it is not in.
func (r *Roster) Standing(id store.ParticipantID) (Standing, bool) {
	m := r.Member(id)
	if m == nil {
		return Standing{}, false
	}
	return Standing{Role: m.Role, Owner: m.Owner, Muted: m.Muted, MutedByModerator: m.MutedByModerator, HandRaised: m.HandRaised,
		Locked: r.locked, AllMuted: r.allMuted, Open: r.open, Recording: r.recording}, true
}

// Return lets a participant in who was in the conference that this one takes the place
// of. It had its place there: a lock and the limit of participants do not keep it out.
// What the conference was, it is again with the first who returns.
func (r *Roster) Return(now time.Time, id store.ParticipantID, caller string, st Standing) ([]Event, error) {
	if r.ended {
		return nil, ErrEnded
	}
	if r.Member(id) != nil {
		return nil, nil
	}
	s := r.step(now, By{Participant: id})
	if st.Locked && !r.locked || st.AllMuted && !r.allMuted || st.Open && !r.open {
		s.emit(Event{Kind: Restored, Standing: &Standing{Locked: st.Locked || r.locked, AllMuted: st.AllMuted || r.allMuted, Open: st.Open || r.open}})
	}
	st.Owner = st.Owner && r.owner() == nil
	had := st
	had.Recording = Recording{} // RecordingResumed tells of it
	s.emit(Event{Kind: Returned, Participant: id, Caller: caller, Standing: &had})
	if st.Role == store.RoleModerator {
		s.moderatorIn()
	}
	if rec := st.Recording; rec.On() && !r.recording.On() && r.recorded < rec.ID { // ids grow with time
		s.nextSegment(rec)
	}
	return s.events, nil
}
