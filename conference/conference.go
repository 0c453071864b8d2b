package conference

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/conclave-voice/conclave/conference/mixer"
	"github.com/conclave-voice/conclave/conference/recording"
	"github.com/conclave-voice/conclave/conference/roster"
	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/outbox"
)

// errClosing: the conference ended between finding it and taking a seat.
var errClosing = errors.New("the conference is closing")

// Conference is a room in use on this node.
type Conference struct {
	host     *Host
	room     store.Room
	alone    bool // hosted on this node's own word: see Admission
	row      store.Conference
	announce announcer

	opened  chan struct{} // closed when the store knows of it, or openErr is set
	openErr error
	closed  chan struct{} // closed when the store knows of its end
	keys    map[string]store.Action

	mu       sync.Mutex
	roster   *roster.Roster
	mixer    *mixer.Mixer
	seats    map[store.ParticipantID]*Seat // reserved, and in
	heirs    map[store.ParticipantID]*Seat // reserved for participants who have a seat
	segment  *recording.Segment            // of the recording that goes on; nil: there is none
	seq      int64                         // of the last event
	finished bool
	why      string // it ends, if that is known before its last caller has gone
}

// newConference makes one that is not open yet.
func newConference(h *Host, a Admission) *Conference {
	room := a.Room
	return &Conference{
		host: h, room: room, alone: a.Alone,
		announce: announcer{library: h.config.Prompts.For("", string(room.CustomerID)), language: firstOf(room.Language, a.Language)},
		row: store.Conference{
			ID: store.NewConferenceID(), RoomID: room.ID, CustomerID: room.CustomerID, AccountID: room.AccountID,
			RoomName: room.Name, Kind: a.Kind, Focus: h.config.Place, Incarnation: h.config.Incarnation,
			Epoch: a.Epoch, StartedAt: h.config.Clock.Now().UTC(),
		},
		opened: make(chan struct{}), closed: make(chan struct{}), keys: keysOfRoom(room),
		seats: map[store.ParticipantID]*Seat{}, heirs: map[store.ParticipantID]*Seat{},
	}
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// ID, Room and Row tell which conference this is.
func (c *Conference) ID() store.ConferenceID { return c.row.ID }
func (c *Conference) Room() store.Room       { return c.room }
func (c *Conference) Row() store.Conference  { return c.row }

// open records the conference and starts its mixer.
func (c *Conference) open(ctx context.Context) {
	defer close(c.opened)
	if err := c.host.config.Store.OpenConference(ctx, c.row); err != nil {
		c.openErr = fmt.Errorf("open a conference of room %q: %w", c.room.Name, err)
		c.host.forget(c)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	mixing := c.host.config.Mixing
	if c.room.Music {
		mixing.Music = c.announce.music()
	}
	c.mixer = mixer.New(mixing)
	r, events := roster.Start(c.row.StartedAt, roster.SettingsOf(c.room))
	c.roster = r
	c.record(events)
	c.host.config.Engine.Add(c.mixer)
}

// seat reserves a place for one participant.
func (c *Conference) seat(a Admission) (*Seat, error) {
	if c.openErr != nil {
		return nil, c.openErr
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.finished || c.roster.Ended() {
		return nil, errClosing
	}
	if a.Standing == nil { // who returns had its place
		if err := c.roster.Admits(a.Role); err != nil {
			return nil, err
		}
		// Seats that are reserved but not entered yet count too.
		if m := c.room.MaxParticipants; m > 0 && len(c.seats) >= m {
			return nil, roster.ErrFull
		}
	}
	s := newSeat(c, a)
	switch {
	case c.seats[s.id] == nil:
		c.seats[s.id] = s
	case c.heirs[s.id] == nil:
		c.heirs[s.id] = s
	default:
		return nil, fmt.Errorf("participant %s: %w", s.id, ErrReturning)
	}
	return s, nil
}

// succeed lets a participant who returns have its seat: the one that it had before, if
// that is still there, is left without a sound, for nobody has come or gone. The lock is
// held.
func (c *Conference) succeed(s *Seat) (before *Seat) {
	if c.heirs[s.id] != s {
		return nil
	}
	delete(c.heirs, s.id)
	before = c.seats[s.id]
	c.seats[s.id] = s
	if before != nil && !before.leave(store.CauseMoved) {
		before.state = seatOut // it was reserved only
	}
	return before
}

// vacate gives up a seat that was reserved or entered; the last one ends the
// conference.
func (c *Conference) vacate(s *Seat) {
	c.mu.Lock()
	switch s {
	case c.seats[s.id]:
		delete(c.seats, s.id)
	case c.heirs[s.id]:
		delete(c.heirs, s.id)
	default:
		c.mu.Unlock()
		return
	}
	end := len(c.seats)+len(c.heirs) == 0 && !c.finished
	if end {
		c.finish("empty")
	}
	c.mu.Unlock()
	c.host.unreserve(c.room.AccountID)
}

// finish stops the mixer and writes the end. The lock is held.
func (c *Conference) finish(reason string) {
	c.finished = true
	reason = firstOf(c.why, reason)
	at := c.host.config.Clock.Now().UTC()
	// The engine waits for a running tick, which never takes this lock.
	c.host.config.Engine.Remove(c.mixer)
	c.stopSegment(store.RecordingMoved) // else it has been stopped
	c.host.outbox.Put(outbox.Write{
		What: "end of conference " + string(c.row.ID),
		Do: func(ctx context.Context) error {
			return c.host.config.Store.CloseConference(ctx, c.row.ID, at, reason)
		},
		Done: func() {
			if c.host.config.Closed != nil {
				c.host.config.Closed(c.row)
			}
			c.host.forget(c)
			close(c.closed)
		},
	})
}

// record numbers events and queues them for the store.
func (c *Conference) record(events []roster.Event) {
	if len(events) == 0 {
		return
	}
	list := rows(c.row.ID, c.seq+1, events)
	c.seq += int64(len(list))
	c.host.outbox.Put(outbox.Write{
		What: "events of conference " + string(c.row.ID),
		Do: func(ctx context.Context) error {
			return c.host.config.Store.AppendConferenceEvents(ctx, list)
		},
	})
	for _, e := range events {
		if e.Kind == roster.RoleChanged || e.Kind == roster.OwnerChanged {
			c.recordRole(e.Participant)
		}
	}
}

// recordRole keeps the participant's row true.
func (c *Conference) recordRole(id store.ParticipantID) {
	m := c.roster.Member(id)
	if m == nil {
		return
	}
	role, owner := m.Role, m.Owner
	c.host.outbox.Put(outbox.Write{
		What: "role of participant " + string(id),
		Do: func(ctx context.Context) error {
			return c.host.config.Store.SetParticipantRole(ctx, id, role, owner)
		},
	})
}

// settle carries out what events mean: the history, the mixer, the sounds, and
// who has to go. The lock is held; the seats returned are to be let go after it.
func (c *Conference) settle(events []roster.Event) []*Seat {
	c.record(events)
	var gone []*Seat
	ended := false
	for _, e := range events {
		c.sound(e)
		c.carryRecording(e)
		switch e.Kind {
		case roster.Left:
			if s := c.seats[e.Participant]; s != nil {
				s.leave(e.Cause)
				gone = append(gone, s)
			}
		case roster.Ended:
			ended = true
		}
	}
	if ended {
		cause := events[len(events)-1].Cause
		for _, s := range c.seats {
			if s.leave(cause) {
				gone = append(gone, s)
			}
		}
	}
	for id, s := range c.seats {
		if s.state == seatIn {
			s.port.SetMode(mode(c.roster.Mode(id)))
			c.tellRecorded(s)
			s.tellStanding()
		}
	}
	return gone
}

// command runs one decision of the roster and carries out what follows.
func (c *Conference) command(decide func(r *roster.Roster, now time.Time) ([]roster.Event, error)) error {
	<-c.opened // there is no roster before
	if c.openErr != nil {
		return c.openErr
	}
	c.mu.Lock()
	if c.finished {
		c.mu.Unlock()
		return roster.ErrEnded
	}
	events, err := decide(c.roster, c.host.config.Clock.Now().UTC())
	gone := c.settle(events)
	c.mu.Unlock()
	for _, s := range gone {
		c.vacate(s)
		s.tellReleased()
	}
	return err
}

// tick lets a scheduled end come, and a recording that is long go on in another segment.
func (c *Conference) tick() {
	select {
	case <-c.opened:
	default:
		return
	}
	if c.openErr != nil {
		return
	}
	_ = c.command(func(r *roster.Roster, now time.Time) ([]roster.Event, error) {
		events := r.Tick(now)
		if c.segment != nil && c.segment.Long() {
			events = append(events, r.NextSegment(now)...)
		}
		return events, nil
	})
}

// releaseAll lets everybody go and ends the conference, for a reason that is recorded.
func (c *Conference) releaseAll(cause store.ReleaseCause, reason string) {
	<-c.opened
	if c.openErr != nil {
		return
	}
	_ = c.command(func(r *roster.Roster, now time.Time) ([]roster.Event, error) {
		c.why = reason
		var events []roster.Event
		for _, m := range append([]*roster.Member(nil), r.Members()...) {
			events = append(events, r.Leave(now, m.ID, cause, roster.By{})...)
		}
		return events, nil
	})
	// Seats that were reserved and not entered do not keep it open.
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.finished {
		c.finish(reason)
	}
}
