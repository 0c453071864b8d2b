package v1

import (
	"encoding/json"
	"time"
)

// Place is where something runs.
type Place struct {
	Site string `json:"site"`
	Node string `json:"node"`
}

// Conference is one use of a room, from its first participant to its last.
type Conference struct {
	ID         string    `json:"id"`
	RoomID     string    `json:"roomId"`
	RoomName   string    `json:"roomName" doc:"As it was when the conference began"`
	CustomerID string    `json:"customerId"`
	AccountID  string    `json:"accountId"`
	Kind       string    `json:"kind" enum:"main,local" doc:"local: run by a site that cannot reach the home site"`
	Focus      Place     `json:"focus" doc:"The node that hosts it"`
	Epoch      uint64    `json:"epoch"`
	StartedAt  time.Time `json:"startedAt"`
	EndedAt    time.Time `json:"endedAt,omitzero"`
	EndReason  string    `json:"endReason,omitempty"`
}

// ConferenceState is a conference at one instant, as its history tells it.
type ConferenceState struct {
	Conference
	At           time.Time `json:"at" doc:"The instant that is told of"`
	Phase        string    `json:"phase" enum:"not-started,waiting,open,ended" doc:"waiting: a moderated room without a moderator so far"`
	Locked       bool      `json:"locked" doc:"Only moderators may join"`
	AllMuted     bool      `json:"allMuted" doc:"Everyone but moderators, those who come later too"`
	EndsAt       time.Time `json:"endsAt,omitzero" doc:"When it ends unless a moderator comes back"`
	RecordingID  string    `json:"recordingId,omitempty" doc:"Left out: it is not recorded"`
	Participants []Member  `json:"participants" nullable:"false" doc:"Who is in, by time of joining"`
}

// Member is one who is in.
type Member struct {
	ParticipantID    string    `json:"participantId"`
	Caller           string    `json:"caller"`
	Role             string    `json:"role" enum:"moderator,speaker,listen-only"`
	Owner            bool      `json:"owner"`
	Muted            bool      `json:"muted" doc:"By itself"`
	MutedByModerator bool      `json:"mutedByModerator"`
	OnHold           bool      `json:"onHold"`
	HandRaised       bool      `json:"handRaised"`
	JoinedAt         time.Time `json:"joinedAt"`
	Heard            bool      `json:"heard" doc:"Those who are hearing hear this one speak"`
	Hearing          bool      `json:"hearing"`
	Talking          bool      `json:"talking" doc:"Its voice is heard now. Never so for an instant of the past"`
	Level            float64   `json:"level,omitempty" doc:"dBFS of its voice of late, while it is talking; 0 is the loudest that there is"`
	Hears            []string  `json:"hears,omitempty" nullable:"false" doc:"The participants whom this one hears when they speak. Left out where it would be empty, and in conferences of more than 100"`
}

// ConferenceEvent is one entry of a conference's history.
type ConferenceEvent struct {
	Seq           int64           `json:"seq"`
	At            time.Time       `json:"at"`
	Kind          string          `json:"kind"`
	ParticipantID string          `json:"participantId,omitempty"`
	By            string          `json:"by,omitempty" doc:"A participant's id, api:NAME, or left out for the rules"`
	Detail        json.RawMessage `json:"detail,omitempty"`
}

// Participant is one stay of one caller in one conference.
type Participant struct {
	ID           string    `json:"id"`
	ConferenceID string    `json:"conferenceId"`
	RoomID       string    `json:"roomId"`
	CustomerID   string    `json:"customerId"`
	AccountID    string    `json:"accountId" doc:"Who pays"`
	CallID       string    `json:"callId"`
	Role         string    `json:"role" enum:"moderator,speaker,listen-only"`
	Owner        bool      `json:"owner"`
	Caller       string    `json:"caller"`
	Called       string    `json:"called"`
	Ingress      Place     `json:"ingress" doc:"Where the caller's SIP dialog lives"`
	Focus        Place     `json:"focus" doc:"Where the stay is mixed"`
	JoinedAt     time.Time `json:"joinedAt"`
	LeftAt       time.Time `json:"leftAt,omitzero"`
	Cause        string    `json:"cause,omitempty" doc:"Why the stay ended"`
	// Media is of one who is in. What is known of one who has left is in its usage record.
	Media *ParticipantMedia `json:"media,omitempty" doc:"How the media is now. Left out for one who has left, or whose node does not answer"`
}

// ConferenceEdit changes what is given and leaves the rest.
type ConferenceEdit struct {
	Locked   *bool `json:"locked,omitempty" doc:"Only moderators may join"`
	AllMuted *bool `json:"allMuted,omitempty" doc:"Everyone but moderators, those who come later too"`
}

// ParticipantEdit changes what is given and leaves the rest.
type ParticipantEdit struct {
	Muted *bool   `json:"muted,omitempty" doc:"true: muted by a moderator. false: by nobody, itself included"`
	Role  *string `json:"role,omitempty" enum:"moderator,speaker,listen-only"`
}
