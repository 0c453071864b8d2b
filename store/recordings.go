package store

import (
	"fmt"
	"time"
)

// RecordMode is who may have a room's conferences recorded.
type RecordMode string

const (
	RecordOff      RecordMode = ""          // nobody
	RecordOnDemand RecordMode = "on-demand" // moderators by key, and the API
	RecordAlways   RecordMode = "always"    // each conference, from its first participant on; the API may stop it
)

// RecordingFormat is what the files of a recording are.
type RecordingFormat string

const (
	FormatWAV RecordingFormat = "wav" // PCM, 16 bits, mono
	FormatOgg RecordingFormat = "ogg" // Opus in Ogg (RFC 7845)
)

// RecordingSettings are what a room says of recordings. The zero value: there are none.
type RecordingSettings struct {
	Mode   RecordMode
	Format RecordingFormat // empty: FormatWAV
	Tracks bool            // each participant in a file of its own too
	// Silent: nobody is told that the conference is recorded. In many countries that is
	// against the law.
	Silent    bool
	Retention int // days that recordings are kept after their end; 0: as long as the node's default says
}

// Recording is a recording of a room's conference. It goes on where the conference does,
// in segments, each of which is written by one node.
type Recording struct {
	ID           RecordingID
	CustomerID   CustomerID
	RoomID       RoomID
	ConferenceID ConferenceID // in which it began
	RoomName     string       // as it was then
	Format       RecordingFormat
	Tracks       bool
	Announced    bool // the participants were told
	Retention    int  // days; see RecordingSettings
	StartedAt    time.Time
	StartedBy    string    // a participant's id, "api:TOKEN-NAME", or empty: the room's settings
	StoppedAt    time.Time // zero: it goes on
	StoppedBy    string    // likewise
	Reason       RecordingEnd
	RemovedAt    time.Time // zero: it is kept. Its files, and then its rows, are removed soon after
	RemovedBy    string    // "api:TOKEN-NAME", or RemovedByRetention
}

// RemovedByRetention is in Recording.RemovedBy where the time to keep it was over.
const RemovedByRetention = "retention"

// RecordingEnd is why a recording, or one of its segments, ended.
type RecordingEnd string

const (
	RecordingStopped     RecordingEnd = "stopped"      // by key or API
	RecordingEnded       RecordingEnd = "ended"        // with the conference
	RecordingMoved       RecordingEnd = "moved"        // the conference goes on elsewhere: the next segment too
	RecordingFull        RecordingEnd = "full"         // the file has its greatest length: the next segment goes on
	RecordingDiskFull    RecordingEnd = "disk-full"    //
	RecordingTooSlow     RecordingEnd = "too-slow"     // the disk took nothing for too long
	RecordingFailed      RecordingEnd = "error"        // the files could not be written
	RecordingNodeFailure RecordingEnd = "node-failure" // the node died; the files are whole until then
)

// RecordingSegment is one part of a recording, written by one node without a break.
type RecordingSegment struct {
	ID           SegmentID
	RecordingID  RecordingID
	Number       int // 1, 2, 3 … by time; two that went on in a partition may have the same
	ConferenceID ConferenceID
	Place        Place  // whose disk has the files
	Incarnation  int64  // of the node's run
	Path         string // of the folder with them, below the node's folder for recordings
	StartedAt    time.Time
	EndedAt      time.Time     // zero: it is being written
	Length       time.Duration // of the audio, gaps included
	Octets       int64         // of all files
	Gaps         int           // how often audio was lost, for the disk was slow: silence in the files
	GapTime      time.Duration // how much
	Tracks       []ParticipantID
	Reason       RecordingEnd // why it ended
	Detail       string       // the error, where it failed
}

// RecordingFilter selects recordings; zero fields select all.
type RecordingFilter struct {
	RoomID       RoomID
	ConferenceID ConferenceID // in which it began, or went on
}

// maxRetention is what a room may ask for, in days: a hundred years.
const maxRetention = 36525

func (s RecordingSettings) validate() error {
	switch {
	case s.Mode != RecordOff && s.Mode != RecordOnDemand && s.Mode != RecordAlways:
		return invalid("recording", s.Mode, "write off, on-demand or always")
	case s.Format != "" && s.Format != FormatWAV && s.Format != FormatOgg:
		return invalid("format of recordings", s.Format, "write wav or ogg")
	case s.Retention < 0 || s.Retention > maxRetention:
		return invalid("retention of recordings", s.Retention, fmt.Sprintf("it must be 0 (the node's default) to %d days", maxRetention))
	}
	return nil
}

func (r Recording) Validate() error {
	if r.Format != FormatWAV && r.Format != FormatOgg {
		return invalid("format of the recording", r.Format, "write wav or ogg")
	}
	if r.StartedAt.IsZero() {
		return invalid("start of the recording", r.StartedAt, "it must be set")
	}
	return first(
		identified("recording id", r.ID),
		identified("customer of the recording", r.CustomerID),
		identified("room of the recording", r.RoomID),
		identified("conference of the recording", r.ConferenceID))
}

func (s RecordingSegment) Validate() error {
	switch {
	case s.Number < 1:
		return invalid("number of the segment", s.Number, "it counts from 1")
	case s.StartedAt.IsZero():
		return invalid("start of the segment", s.StartedAt, "it must be set")
	case s.Length < 0 || s.Octets < 0 || s.Gaps < 0 || s.GapTime < 0:
		return invalid("figures of the segment", s.ID, "they must be 0 or more")
	}
	return first(
		identified("segment id", s.ID),
		identified("recording of the segment", s.RecordingID),
		needed("node of the segment", s.Place.Node),
		needed("path of the segment", s.Path))
}
