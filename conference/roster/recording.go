package roster

import (
	"time"

	"github.com/conclave-voice/conclave/store"
)

// Recording is the recording that goes on: as much of it as the next node needs to go on
// with it. The zero value is none.
type Recording struct {
	ID         store.RecordingID     `json:"id"`
	Conference store.ConferenceID    `json:"conference"` // in which it began
	Segment    int                   `json:"segment"`    // the present one, from 1 on
	Format     store.RecordingFormat `json:"format"`
	Tracks     bool                  `json:"tracks,omitempty"`
	Silent     bool                  `json:"silent,omitempty"` // nobody is told
	Since      int64                 `json:"since"`            // µs since 1970
	By         string                `json:"by,omitempty"`     // who began it
}

// On says whether there is one.
func (r Recording) On() bool { return r.ID != "" }

// Recording is the one that goes on; the zero Recording if there is none.
func (r *Roster) Recording() Recording { return r.recording }

// StartRecording begins the recording rec, of which Segment, Since and By are filled in. If one
// goes on nothing is changed. Moderators may, and the API, where the room's settings say
// so; else ErrForbidden or ErrNoRecording.
func (r *Roster) StartRecording(now time.Time, rec Recording, by By) ([]Event, error) {
	return r.moderate(now, by, func(s *step) error {
		if r.settings.Record == store.RecordOff {
			return ErrNoRecording
		}
		s.startRecording(rec)
		return nil
	})
}

// RecordAlways begins the recording of a room that is always recorded, unless there has
// been one: who stopped it, or the disk, had a reason.
func (r *Roster) RecordAlways(now time.Time, rec Recording) []Event {
	if r.ended || r.settings.Record != store.RecordAlways || r.recorded != "" {
		return nil
	}
	s := r.step(now, By{})
	s.startRecording(rec)
	return s.events
}

func (s *step) startRecording(rec Recording) {
	if s.r.recording.On() {
		return
	}
	rec.Segment, rec.Since, rec.By = 1, s.now.UnixMicro(), s.by.String()
	s.emit(Event{Kind: RecordingStarted, Recording: &rec})
}

// StopRecording ends it; if none goes on nothing is changed. Where the room is always
// recorded only the API may.
func (r *Roster) StopRecording(now time.Time, by By) ([]Event, error) {
	return r.moderate(now, by, func(s *step) error {
		if !r.recording.On() {
			return nil
		}
		if r.settings.Record == store.RecordAlways && by.API == "" {
			return ErrForbidden
		}
		s.stopRecording(RecordingStopped, store.RecordingStopped)
		return nil
	})
}

func (s *step) stopRecording(kind Kind, why store.RecordingEnd) {
	rec := s.r.recording
	s.emit(Event{Kind: kind, Recording: &rec, Reason: why})
}

// RecordingLost notes that a recording could not be gone on with. That of another segment
// than the present one is no news.
func (r *Roster) RecordingLost(now time.Time, id store.RecordingID, segment int, why store.RecordingEnd) []Event {
	if r.ended || r.recording.ID != id || r.recording.Segment != segment {
		return nil
	}
	s := r.step(now, By{})
	s.stopRecording(RecordingFailed, why)
	return s.events
}

// NextSegment goes on with the recording in another segment.
func (r *Roster) NextSegment(now time.Time) []Event {
	if r.ended || !r.recording.On() {
		return nil
	}
	s := r.step(now, By{})
	s.nextSegment(r.recording)
	return s.events
}

// nextSegment goes on with a recording: here, or in the place of a conference that was lost.
func (s *step) nextSegment(rec Recording) {
	rec.Segment++
	s.emit(Event{Kind: RecordingResumed, Recording: &rec})
}
