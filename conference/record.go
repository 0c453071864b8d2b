package conference

import (
	"context"
	"errors"
	"maps"
	"time"

	"github.com/conclave-voice/conclave/conference/recording"
	"github.com/conclave-voice/conclave/conference/roster"
	"github.com/conclave-voice/conclave/media/prompt"
	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/outbox"
)

// ErrNoRecorder: this node writes no recordings.
var ErrNoRecorder = errors.New("this node writes no recordings")

// Recorder writes recordings; a recording.Recorder.
type Recorder interface {
	// Check says whether a format can be written.
	Check(f store.RecordingFormat) error
	Start(recording.Spec) *recording.Segment
}

// RecordingOptions are what may be said of one recording. What is not said is as the
// room's settings are.
type RecordingOptions struct {
	Format store.RecordingFormat `json:",omitempty"`
	Tracks *bool                 `json:",omitempty"`
}

// StartRecording has the conference recorded; if it is already, nothing changes. The
// errors are those of the roster, ErrNoRecorder, and recording.ErrNoOpus.
func (c *Conference) StartRecording(o RecordingOptions, by By) error {
	rec := c.newRecording()
	if o.Format != "" {
		rec.Format = o.Format
	}
	if o.Tracks != nil {
		rec.Tracks = *o.Tracks
	}
	if c.host.config.Recorder == nil {
		return ErrNoRecorder
	}
	if err := c.host.config.Recorder.Check(rec.Format); err != nil {
		return err
	}
	return c.command(func(r *roster.Roster, now time.Time) ([]roster.Event, error) {
		return r.StartRecording(now, rec, by)
	})
}

// StopRecording ends the recording; if there is none, nothing changes.
func (c *Conference) StopRecording(by By) error {
	return c.command(func(r *roster.Roster, now time.Time) ([]roster.Event, error) {
		return r.StopRecording(now, by)
	})
}

// newRecording is one as the room's settings say.
func (c *Conference) newRecording() roster.Recording {
	s := c.room.Recording
	rec := roster.Recording{ID: store.NewRecordingID(), Conference: c.row.ID, Format: s.Format, Tracks: s.Tracks, Silent: s.Silent}
	if rec.Format == "" {
		rec.Format = store.FormatWAV
	}
	return rec
}

// toggleRecording is what the key does.
func (s *Seat) toggleRecording(r *roster.Roster, now time.Time, by By) ([]roster.Event, error) {
	if r.Recording().On() {
		return r.StopRecording(now, by)
	}
	if s.conference.host.config.Recorder == nil {
		return nil, roster.ErrNoRecording
	}
	return r.StartRecording(now, s.conference.newRecording(), by)
}

// keysOfRoom are its keys: without that for recording where moderators cannot use it.
func keysOfRoom(r store.Room) map[string]store.Action {
	keys := r.Keys
	if keys == nil {
		keys = store.DefaultKeys()
	}
	if r.Recording.Mode == store.RecordOnDemand {
		return keys
	}
	keys = maps.Clone(keys)
	maps.DeleteFunc(keys, func(_ string, a store.Action) bool { return a == store.ActionRecord })
	return keys
}

// carryRecording carries out what an event means for the recording. The lock is held.
func (c *Conference) carryRecording(e roster.Event) {
	switch e.Kind {
	case roster.RecordingStarted, roster.RecordingResumed:
		if c.host.config.Recorder != nil {
			c.beginSegment(*e.Recording)
		}
	case roster.RecordingStopped, roster.RecordingFailed:
		c.stopSegment(e.Reason)
		row := c.recordingRow(*e.Recording)
		row.StoppedAt, row.StoppedBy, row.Reason = e.At, e.By, e.Reason
		c.host.putRecording(row)
	}
}

// recordingRow is what the store keeps of a recording.
func (c *Conference) recordingRow(rec roster.Recording) store.Recording {
	return store.Recording{ID: rec.ID, CustomerID: c.room.CustomerID, RoomID: c.room.ID, ConferenceID: rec.Conference, RoomName: c.room.Name,
		Format: rec.Format, Tracks: rec.Tracks, Announced: !rec.Silent, Retention: c.room.Recording.Retention,
		StartedAt: time.UnixMicro(rec.Since).UTC(), StartedBy: rec.By}
}

// beginSegment writes from now on into a new segment; one that is being written ends. The
// lock is held.
func (c *Conference) beginSegment(rec roster.Recording) {
	h, row := c.host, c.recordingRow(rec)
	h.putRecording(row)
	h.recordings.Add(1)
	before := c.segment
	c.segment = h.config.Recorder.Start(recording.Spec{Recording: row, Number: rec.Segment, Conference: c.row.ID,
		Ended: func(s store.RecordingSegment) {
			defer h.recordings.Done()
			c.segmentEnded(rec, s)
		}})
	for _, s := range c.seats {
		if s.state == seatIn {
			c.segment.Track(s.port, s.id)
		}
	}
	h.putSegment(c.segment.Row())
	c.mixer.SetTap(c.segment)
	if before != nil {
		before.Stop(store.RecordingFull)
	}
}

// stopSegment ends the one that is being written, if there is one. The lock is held.
func (c *Conference) stopSegment(why store.RecordingEnd) {
	if c.segment == nil {
		return
	}
	c.mixer.SetTap(nil)
	c.segment.Stop(why)
	c.segment = nil
}

// segmentEnded writes down what has become of a segment. If it ended by itself, the
// participants are told.
func (c *Conference) segmentEnded(rec roster.Recording, s store.RecordingSegment) {
	c.host.putSegment(s)
	switch s.Reason {
	case store.RecordingDiskFull, store.RecordingTooSlow, store.RecordingFailed:
		_ = c.command(func(r *roster.Roster, now time.Time) ([]roster.Event, error) { // ended: nobody is left to tell
			return r.RecordingLost(now, rec.ID, rec.Segment, s.Reason), nil
		})
	}
}

func (h *Host) putRecording(r store.Recording) {
	h.outbox.Put(outbox.Write{What: "recording " + string(r.ID),
		Do: func(ctx context.Context) error { return h.config.Store.PutRecording(ctx, r) }})
}

func (h *Host) putSegment(s store.RecordingSegment) {
	h.outbox.Put(outbox.Write{What: "segment of recording " + string(s.RecordingID),
		Do: func(ctx context.Context) error { return h.config.Store.PutSegment(ctx, s) }})
}

// recordingsTime is how long a host that stops waits for files to be finished: what has
// become of them is written by it.
const recordingsTime = 5 * time.Second

// awaitRecordings waits until no segment is being written, or for too long.
func (h *Host) awaitRecordings() {
	done := make(chan struct{})
	go func() { // ends with the last segment; with the program, if the disk hangs
		h.recordings.Wait()
		close(done)
	}()
	timer := time.NewTimer(recordingsTime) // real time: it is a real disk
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
		h.config.Logger.Error("recordings are still being written when the node stops; its next run finishes them")
	}
}

// soundRecording lets the participants hear that a recording begins or ends. The lock is
// held.
func (c *Conference) soundRecording(e roster.Event) {
	if e.Recording.Silent {
		return
	}
	switch e.Kind {
	case roster.RecordingStarted:
		c.mixer.Announce(c.announce.say(prompt.RecordingStarted)...)
		for id, s := range c.seats {
			s.toldRecorded = c.roster.Mode(id).Hears
		}
	case roster.RecordingStopped, roster.RecordingFailed:
		if e.Reason != store.RecordingEnded {
			c.mixer.Announce(c.announce.say(prompt.RecordingStopped)...)
		}
		for _, s := range c.seats {
			s.toldRecorded = false
		}
	}
}

// tellRecorded tells those who have not been told yet that they are recorded: who comes
// later, has waited for the moderator, or was on hold. The lock is held.
func (c *Conference) tellRecorded(s *Seat) {
	rec := c.roster.Recording()
	if !rec.On() || rec.Silent || s.toldRecorded || !c.roster.Mode(s.id).Hears {
		return
	}
	s.toldRecorded = true
	s.say(prompt.IsRecorded)
}
