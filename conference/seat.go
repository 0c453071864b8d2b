package conference

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/conclave-voice/conclave/conference/mixer"
	"github.com/conclave-voice/conclave/conference/roster"
	"github.com/conclave-voice/conclave/media/prompt"
	"github.com/conclave-voice/conclave/store"
)

type seatState uint8

const (
	seatReserved seatState = iota
	seatIn
	seatOut
)

// Seat is one participant's place in a conference. Its methods are safe for
// concurrent use.
type Seat struct {
	conference *Conference
	id         store.ParticipantID
	role       store.Role
	caller     string
	keys       keypad
	released   chan Release
	notify     atomic.Pointer[func()] // nil: nobody wants it
	before     *roster.Standing       // in a conference that was lost
	standing   chan roster.Standing   // of size 1: the latest

	// Guarded by the conference's lock.
	state  seatState
	told   roster.Standing // what went into standing last
	port   *mixer.Port
	name   mixer.Sound // how the caller is announced; nil: not by name
	cause  store.ReleaseCause
	leftAt time.Time
	hear   int // volume in steps
	speak  int
	// toldRecorded: the participant has heard that the conference is recorded.
	toldRecorded bool
	// listing: the list of keys may still be playing. It is long, and gives way to
	// whatever else there is to say.
	listing bool
}

// Release is how a conference lets a participant go.
type Release struct {
	Cause   store.ReleaseCause
	At      time.Time
	Prompts []prompt.ID // what the caller is to be told; nil after its own hang-up
}

func newSeat(c *Conference, a Admission) *Seat {
	return &Seat{
		toldRecorded: a.Standing != nil && a.Standing.Recording.On(), // where it was before
		conference:   c, id: a.Participant, role: a.Role, caller: a.Caller,
		keys: newKeypad(c.keys), released: make(chan Release, 1), before: a.Standing, standing: make(chan roster.Standing, 1),
	}
}

// Conference is where the seat is.
func (s *Seat) Conference() *Conference { return s.conference }

// Enter joins the caller: from now on it is in. port must be in no mixer; name is
// how the caller is announced, or nil. The error is a refusal of the roster (the
// conference was locked or ended since Admit); then the port is not touched.
func (s *Seat) Enter(port *mixer.Port, name mixer.Sound) error {
	c := s.conference
	entered := false
	var before *Seat
	err := c.command(func(r *roster.Roster, now time.Time) ([]roster.Event, error) {
		if s.state != seatReserved {
			return nil, roster.ErrEnded
		}
		events, err := s.enter(r, now)
		if err != nil {
			return nil, err
		}
		before = c.succeed(s)
		s.state, s.port, s.name = seatIn, port, name
		if c.segment != nil {
			c.segment.Track(port, s.id)
		}
		c.mixer.Add(port)
		entered = true
		return events, nil
	})
	if !entered {
		c.vacate(s)
		if err != nil {
			return fmt.Errorf("enter the conference: %w", err)
		}
	}
	if before != nil {
		c.host.unreserve(c.room.AccountID)
		before.tellReleased()
	}
	return err
}

func (s *Seat) enter(r *roster.Roster, now time.Time) ([]roster.Event, error) {
	if s.before != nil {
		return r.Return(now, s.id, s.caller, *s.before)
	}
	events, err := r.Join(now, s.id, s.role, s.caller)
	if err == nil && s.conference.host.config.Recorder != nil {
		events = append(events, r.RecordAlways(now, s.conference.newRecording())...)
	}
	return events, err
}

// Standing delivers what the participant has in the conference, whenever it changes:
// the latest, not each.
func (s *Seat) Standing() <-chan roster.Standing { return s.standing }

// Notify has f called whenever Standing or Released has something, from now on. It must
// not wait, nor ask the seat for anything: the conference is locked.
func (s *Seat) Notify(f func()) { s.notify.Store(&f) }

func (s *Seat) wake() {
	if f := s.notify.Load(); f != nil {
		(*f)()
	}
}

// tellStanding puts the latest standing where the call finds it. The conference's lock
// is held.
func (s *Seat) tellStanding() {
	st, in := s.conference.roster.Standing(s.id)
	if !in || st == s.told {
		return
	}
	s.told = st
	select {
	case <-s.standing: // nobody has taken the one before
	default:
	}
	s.standing <- st
	s.wake()
}

// Cancel gives back a seat that was not entered.
func (s *Seat) Cancel() { s.conference.vacate(s) }

// Leave takes the participant out, by its own doing or because it was lost.
// Released still tells the end, without prompts. Leaving twice is harmless.
func (s *Seat) Leave(cause store.ReleaseCause) {
	_ = s.conference.command(func(r *roster.Roster, now time.Time) ([]roster.Event, error) {
		return r.Leave(now, s.id, cause, roster.By{Participant: s.id}), nil
	})
}

// Released delivers the end of the stay, once. The port has then been taken out
// of the conference.
func (s *Seat) Released() <-chan Release { return s.released }

// Hold notes that the caller's phone holds the call, or has resumed it.
func (s *Seat) Hold(held bool) {
	_ = s.conference.command(func(r *roster.Roster, now time.Time) ([]roster.Event, error) {
		return r.SetHold(now, s.id, held), nil
	})
}

// Say plays prompts to this participant alone.
func (s *Seat) Say(prompts ...prompt.ID) {
	c := s.conference
	c.mu.Lock()
	defer c.mu.Unlock()
	s.say(prompts...)
}

// say is Say with the lock held.
func (s *Seat) say(prompts ...prompt.ID) { s.play(s.conference.announce.say(prompts...)) }

// play plays sounds to this participant alone. The lock is held.
func (s *Seat) play(sounds []mixer.Sound) {
	if s.state == seatIn {
		s.stopListing()
		s.port.Play(0, sounds...)
	}
}

// stopListing ends the list of keys. The lock is held.
func (s *Seat) stopListing() {
	if s.listing {
		s.port.Stop()
		s.listing = false
	}
}

// leave takes the seat's port out of the mixer. It says whether the seat was in.
func (s *Seat) leave(cause store.ReleaseCause) bool {
	if s.state != seatIn {
		return false
	}
	s.state, s.cause, s.leftAt = seatOut, cause, s.conference.host.config.Clock.Now().UTC()
	s.conference.mixer.Remove(s.port)
	s.port.SetMode(mixer.Mode{})
	s.port.Stop()
	return true
}

// tellReleased wakes the call.
func (s *Seat) tellReleased() {
	s.released <- Release{Cause: s.cause, At: s.leftAt, Prompts: Farewell(s.cause)}
	s.wake()
}
