package conference

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/conclave-voice/conclave/conference/mixer"
	"github.com/conclave-voice/conclave/store"
)

// Speaker is a participant whose voice is heard, or has just ended. It is no part of the
// history: there are too many.
type Speaker struct {
	Participant store.ParticipantID
	Talking     bool
	Level       float64 // dBFS of the voice of late, without what is below 200 Hz
}

// Speakers are those whose voice is heard now.
func (c *Conference) Speakers() []Speaker {
	select {
	case <-c.opened:
	default:
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mixer == nil {
		return nil
	}
	var list []Speaker
	for _, talk := range c.mixer.Talking() {
		if s, in := c.speaker(talk); in {
			list = append(list, s)
		}
	}
	return list
}

// speaker finds whose voice it is; it may have left. The lock is held.
func (c *Conference) speaker(t mixer.Talk) (Speaker, bool) {
	for id, s := range c.seats {
		if s.port == t.Port {
			return Speaker{Participant: id, Talking: t.Talking, Level: float64(t.Level)}, true
		}
	}
	return Speaker{}, false
}

// maxTalks is how many changes may wait for one who watches; see SpeakerWatch.Dropped.
const maxTalks = 64

// SpeakerWatch tells of one conference who begins and ends to speak. Close it.
type SpeakerWatch struct {
	conference *Conference
	changes    chan mixer.Talk
	dropped    atomic.Uint64
	stop       func()
}

// WatchSpeakers begins a watch. The error is that of a conference that could not open.
func (c *Conference) WatchSpeakers() (*SpeakerWatch, error) {
	<-c.opened
	if c.openErr != nil {
		return nil, c.openErr
	}
	w := &SpeakerWatch{conference: c, changes: make(chan mixer.Talk, maxTalks)}
	w.stop = c.mixer.Watch(w.changes, func() { w.dropped.Add(1) })
	return w, nil
}

// Next waits for the next change. Who has left does not end to speak: the conference's
// events tell of it. The error is that of ctx.
func (w *SpeakerWatch) Next(ctx context.Context) (Speaker, error) {
	for {
		select {
		case <-ctx.Done():
			return Speaker{}, fmt.Errorf("wait for a speaker: %w", ctx.Err())
		case talk := <-w.changes:
			w.conference.mu.Lock()
			s, in := w.conference.speaker(talk)
			w.conference.mu.Unlock()
			if in {
				return s, nil
			}
		}
	}
}

// Dropped is how many changes were lost because nobody took them in time; Speakers tells
// what is true now.
func (w *SpeakerWatch) Dropped() uint64 { return w.dropped.Load() }

// Close ends the watch.
func (w *SpeakerWatch) Close() { w.stop() }
