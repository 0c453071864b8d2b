package v1

import "time"

// Recording is a recording of a conference.
type Recording struct {
	ID            string    `json:"id"`
	CustomerID    string    `json:"customerId"`
	RoomID        string    `json:"roomId"`
	RoomName      string    `json:"roomName" doc:"As it was then"`
	ConferenceID  string    `json:"conferenceId" doc:"In which it began; it may go on in others"`
	Format        string    `json:"format" enum:"wav,ogg"`
	Tracks        bool      `json:"tracks" doc:"Each participant has a file of its own too"`
	Announced     bool      `json:"announced" doc:"The participants were told"`
	RetentionDays int       `json:"retentionDays" doc:"Days that it is kept after its end; 0: as long as the node's default says"`
	StartedAt     time.Time `json:"startedAt"`
	StartedBy     string    `json:"startedBy,omitempty" doc:"A participant's id, or api:TOKEN-NAME; left out: the room is always recorded"`
	StoppedAt     time.Time `json:"stoppedAt,omitzero" doc:"Left out while it goes on"`
	StoppedBy     string    `json:"stoppedBy,omitempty"`
	Reason        string    `json:"reason,omitempty" doc:"Why it ended: stopped, ended (with the conference), disk-full, too-slow, error, node-failure"`
}

// RecordingDetail is a recording with its segments.
type RecordingDetail struct {
	Recording
	Segments []RecordingSegment `json:"segments" doc:"By number. A recording goes on with the next segment when its conference is moved to another node"`
}

// RecordingSegment is one part of a recording, without a break.
type RecordingSegment struct {
	ID            string    `json:"id"`
	Number        int       `json:"number" doc:"From 1 on, by time; two sites that could not reach one another may both have gone on"`
	ConferenceID  string    `json:"conferenceId"`
	Node          Place     `json:"node" doc:"Which has the files; they can be downloaded at every node"`
	StartedAt     time.Time `json:"startedAt"`
	EndedAt       time.Time `json:"endedAt,omitzero" doc:"Left out while it is written"`
	LengthSeconds float64   `json:"lengthSeconds" doc:"Of the audio. While it is written: 0"`
	Octets        int64     `json:"octets" doc:"Of all its files"`
	Gaps          int       `json:"gaps" doc:"How often audio was lost because the disk was slow: there is silence instead"`
	GapSeconds    float64   `json:"gapSeconds"`
	Tracks        []string  `json:"tracks,omitempty" doc:"Ids of the participants who have a file of their own"`
	Reason        string    `json:"reason,omitempty" doc:"Why it ended; besides those of recordings: moved, full (the next segment goes on)"`
	Detail        string    `json:"detail,omitempty" doc:"The error, if there was one"`
}

// NewRecording asks for a recording of a conference.
type NewRecording struct {
	Format string `json:"format,omitempty" enum:"wav,ogg" doc:"Left out: as the room's settings say"`
	Tracks *bool  `json:"tracks,omitempty" doc:"Each participant in a file of its own too. Left out: as the room's settings say"`
}
