package roster

import (
	"time"

	"github.com/conclave-voice/conclave/store"
)

// Kind says what happened.
type Kind string

const (
	Started      Kind = "started"       // Settings; always the first
	Joined       Kind = "joined"        // Role, Owner, Caller, MutedByModerator
	Returned     Kind = "returned"      // Caller, Standing: from a conference that this one takes the place of
	Restored     Kind = "restored"      // Standing: what the conference is, as it was there
	Left         Kind = "left"          // Cause
	RoleChanged  Kind = "role"          // Role
	OwnerChanged Kind = "owner"         // Participant is the owner now
	Muted        Kind = "muted"         // by itself
	Unmuted      Kind = "unmuted"       //
	ModMuted     Kind = "mod-muted"     // by a moderator or the API
	ModUnmuted   Kind = "mod-unmuted"   //
	AllMuted     Kind = "all-muted"     // everyone but moderators
	AllUnmuted   Kind = "all-unmuted"   //
	Held         Kind = "held"          // the participant's phone holds the call
	Resumed      Kind = "resumed"       //
	HandRaised   Kind = "hand-raised"   //
	HandLowered  Kind = "hand-lowered"  //
	Locked       Kind = "locked"        // no one else may join
	Unlocked     Kind = "unlocked"      //
	Opened       Kind = "opened"        // the first moderator of a moderated room is in
	EndScheduled Kind = "end-scheduled" // the last moderator is gone; ends At Until
	EndCancelled Kind = "end-cancelled" // a moderator is back
	Ended        Kind = "ended"         // Cause; nothing comes after it

	RecordingStarted Kind = "recording-started" // Recording
	RecordingResumed Kind = "recording-resumed" // Recording: it goes on with this segment
	RecordingStopped Kind = "recording-stopped" // Recording, Reason
	RecordingFailed  Kind = "recording-failed"  // Recording, Reason; the conference goes on
)

// Event is one entry of a conference's history.
type Event struct {
	Kind        Kind                `json:"-"`
	At          time.Time           `json:"-"`
	Participant store.ParticipantID `json:"-"` // empty where it is about the conference
	By          string              `json:"-"` // a participant's id, "api:NAME", or empty: the rules

	Role             store.Role         `json:"role,omitempty"`
	Owner            bool               `json:"owner,omitempty"`
	Caller           string             `json:"caller,omitempty"`
	MutedByModerator bool               `json:"mutedByModerator,omitempty"`
	Cause            store.ReleaseCause `json:"cause,omitempty"`
	Until            time.Time          `json:"until,omitzero"`
	Settings         *Settings          `json:"settings,omitempty"`
	Standing         *Standing          `json:"standing,omitempty"`
	Recording        *Recording         `json:"recording,omitempty"`
	Reason           store.RecordingEnd `json:"reason,omitempty"`
}
