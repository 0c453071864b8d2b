package recording

import (
	"fmt"
	"path"
	"sync"
	"sync/atomic"
	"time"

	"github.com/conclave-voice/conclave/conference/mixer"
	"github.com/conclave-voice/conclave/media/engine"
	"github.com/conclave-voice/conclave/store"
)

// wakeEvery is after how many frames the writer is woken: 200 ms, so that a write is worth
// its while.
const wakeEvery = 10

// Segment is one part of a recording. It is a mixer.Tap. Its other methods are safe for
// concurrent use.
type Segment struct {
	recorder *Recorder
	spec     Spec
	ring     *ring
	wake     chan struct{} // of size 1: there is something in the ring
	stopped  chan struct{} // closed when it is to end
	once     sync.Once     // Spec.Ended is told
	row      store.RecordingSegment

	ticks atomic.Uint64 // that there were
	lost  atomic.Uint64 // of them, those just now of which nothing fitted
	full  bool          // owned by the tick: a voice of this tick did not fit

	mu     sync.Mutex
	reason store.RecordingEnd // why it was stopped
	ports  map[*mixer.Port]store.ParticipantID

	// What the writer has done, for row.
	octets, gaps, gapTicks atomic.Int64
}

var _ mixer.Tap = (*Segment)(nil)

func newSegment(r *Recorder, spec Spec) *Segment {
	c := r.config
	return &Segment{
		recorder: r, spec: spec, ring: newRing(spec.Recording.Tracks), wake: make(chan struct{}, 1), stopped: make(chan struct{}),
		ports: map[*mixer.Port]store.ParticipantID{},
		row: store.RecordingSegment{ID: store.NewSegmentID(), RecordingID: spec.Recording.ID, Number: spec.Number, ConferenceID: spec.Conference,
			Place: c.Place, Incarnation: c.Incarnation, StartedAt: c.Clock.Now().UTC(),
			Path: path.Join(string(spec.Conference), fmt.Sprintf("%s-%03d", spec.Recording.ID, spec.Number))},
	}
}

// Row is the segment as it began.
func (s *Segment) Row() store.RecordingSegment { return s.row }

// Frame takes the mix of one tick.
func (s *Segment) Frame(rate int, mix []int16) {
	tick := s.ticks.Load()
	// A tick fits whole or not at all, so that there are gaps in all files or in none.
	if s.full || !s.ring.put(head{tick: tick, rate: rate}, mix) {
		s.lost.Add(1)
	} else {
		s.lost.Store(0)
	}
	s.full = false
	s.ticks.Store(tick + 1)
	if tick%wakeEvery == 0 {
		select {
		case s.wake <- struct{}{}:
		default: // it has not looked since the last time, and will
		}
	}
}

// Voice takes one port's voice of the tick that the next Frame ends.
func (s *Segment) Voice(p *mixer.Port, rate int, pcm []int16) {
	if !s.spec.Recording.Tracks || s.full {
		return
	}
	s.full = !s.ring.put(head{port: p, tick: s.ticks.Load(), rate: rate}, pcm)
}

// Track says whose voice a port has, before the port speaks. Ports of one participant go
// into one track.
func (s *Segment) Track(p *mixer.Port, id store.ParticipantID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ports[p] = id
}

func (s *Segment) participant(p *mixer.Port) (store.ParticipantID, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, ok := s.ports[p]
	return id, ok
}

// Stop ends the segment with what it has been given until now; take it out of the mixer
// before. It does not wait; Spec.Ended tells when the files are whole. Only the first
// reason counts.
func (s *Segment) Stop(why store.RecordingEnd) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reason == "" {
		s.reason = why
		close(s.stopped)
	}
}

// Long says whether it has MaxLength: another segment is to go on.
func (s *Segment) Long() bool { return s.length() >= MaxLength }

func (s *Segment) length() time.Duration { return time.Duration(s.ticks.Load()) * engine.FrameTime }

// watch ends the segment if the disk has taken nothing for too long. Its writer may hang
// in a write for ever: so the end is told here.
func (s *Segment) watch() {
	if time.Duration(s.lost.Load())*engine.FrameTime < GiveUp {
		return
	}
	s.Stop(store.RecordingTooSlow)
	s.mu.Lock()
	why := s.reason
	s.mu.Unlock()
	s.end(why, nil, fmt.Errorf("the disk has taken nothing for %v", GiveUp))
}

// run is the writer's goroutine.
func (s *Segment) run() {
	defer s.recorder.gone(s)
	w := newWriter(s)
	err := w.run()
	s.mu.Lock()
	why := s.reason
	s.mu.Unlock()
	if err != nil && why != store.RecordingTooSlow {
		why = endOf(err)
	}
	w.finish(why, err)
	s.end(why, w.trackIDs(), err)
}

// end tells of the end, once.
func (s *Segment) end(why store.RecordingEnd, tracks []store.ParticipantID, err error) {
	s.once.Do(func() {
		row := s.now(why, err)
		row.Tracks = tracks
		switch why {
		case store.RecordingDiskFull, store.RecordingTooSlow, store.RecordingFailed:
			s.recorder.failures.Add(1)
			s.recorder.config.Logger.Error("a recording has ended by itself; the conference goes on", "recording", row.RecordingID, "segment", row.Number,
				"reason", why, "error", err)
		}
		if s.spec.Ended != nil {
			s.spec.Ended(row)
		}
	})
}

// now is the row of the segment as it ends.
func (s *Segment) now(why store.RecordingEnd, err error) store.RecordingSegment {
	row := s.row
	row.EndedAt, row.Reason, row.Length = s.recorder.config.Clock.Now().UTC(), why, s.length()
	row.Octets, row.Gaps, row.GapTime = s.octets.Load(), int(s.gaps.Load()), time.Duration(s.gapTicks.Load())*engine.FrameTime
	if err != nil {
		row.Detail = err.Error()
	}
	return row
}
