package roster

import (
	"errors"
	"time"

	"github.com/conclave-voice/conclave/store"
)

// Refusals. They are told to the caller, never silent (SPEC CF9).
var (
	ErrLocked      = errors.New("the conference is locked")
	ErrFull        = errors.New("the conference is full")
	ErrEnded       = errors.New("the conference has ended")
	ErrNotIn       = errors.New("no such participant in the conference")
	ErrForbidden   = errors.New("only a moderator may do this")
	ErrHardMuted   = errors.New("muted by a moderator")
	ErrNoRecording = errors.New("the room's settings let nobody record its conferences")
)

// By is who gives a command.
type By struct {
	Participant store.ParticipantID // who pressed a key
	API         string              // or the name of the API user
}

func (b By) String() string {
	if b.API != "" {
		return "api:" + b.API
	}
	return string(b.Participant)
}

// step collects the events of one command, applying each as it comes.
type step struct {
	r      *Roster
	now    time.Time
	by     By
	events []Event
}

func (r *Roster) step(now time.Time, by By) *step { return &step{r: r, now: now, by: by} }

func (s *step) emit(e Event) {
	e.At, e.By = s.now, s.by.String()
	s.r.apply(e)
	s.events = append(s.events, e)
}

// Admits says whether one more may come in. Moderators pass a lock: a lock keeps
// strangers out, not those who hold its key.
func (r *Roster) Admits(role store.Role) error {
	switch {
	case r.ended:
		return ErrEnded
	case r.locked && role != store.RoleModerator:
		return ErrLocked
	case r.settings.MaxParticipants > 0 && len(r.members) >= r.settings.MaxParticipants:
		return ErrFull
	}
	return nil
}

// Join lets a participant in.
func (r *Roster) Join(now time.Time, id store.ParticipantID, role store.Role, caller string) ([]Event, error) {
	if err := r.Admits(role); err != nil {
		return nil, err
	}
	if r.Member(id) != nil {
		return nil, nil
	}
	s := r.step(now, By{Participant: id})
	moderates := role == store.RoleModerator
	s.emit(Event{Kind: Joined, Participant: id, Role: role, Caller: caller,
		Owner: moderates && r.owner() == nil, MutedByModerator: r.allMuted && !moderates})
	if moderates {
		s.moderatorIn()
	}
	return s.events, nil
}

// moderatorIn follows from there being a moderator, maybe again.
func (s *step) moderatorIn() {
	if !s.r.open {
		s.emit(Event{Kind: Opened})
	}
	if !s.r.endAt.IsZero() {
		s.emit(Event{Kind: EndCancelled})
	}
}

// Leave takes a participant out. Leaving twice changes nothing.
func (r *Roster) Leave(now time.Time, id store.ParticipantID, cause store.ReleaseCause, by By) []Event {
	m := r.Member(id)
	if m == nil || r.ended {
		return nil
	}
	s := r.step(now, by)
	s.emit(Event{Kind: Left, Participant: id, Cause: cause})
	switch {
	case len(r.members) == 0:
		s.end(cause)
	case m.Moderates():
		s.moderatorOut(m.Owner, Lost(cause))
	}
	return s.events
}

// Lost says whether a participant who left so did not want to go.
func Lost(cause store.ReleaseCause) bool {
	switch cause {
	case store.CauseLost, store.CauseMediaTimeout, store.CauseNodeFailure, store.CauseError:
		return true
	}
	return false
}

// moderatorOut follows from one moderator less.
func (s *step) moderatorOut(wasOwner, wasLost bool) {
	r := s.r
	if wasOwner {
		s.passOwnership()
	}
	if !r.settings.Moderated || r.Moderators() > 0 {
		return
	}
	grace := r.settings.EndGrace
	if wasLost {
		if grace = r.settings.LostGrace; grace == 0 {
			return // a partition never ends a conference by itself (SPEC CF5)
		}
	}
	if grace == 0 {
		s.end(store.CauseEnded)
		return
	}
	s.emit(Event{Kind: EndScheduled, Until: s.now.Add(grace), Cause: store.CauseEnded})
}

// passOwnership gives the ownership to the moderator who has been in longest.
func (s *step) passOwnership() {
	for _, m := range s.r.members {
		if m.Moderates() {
			s.emit(Event{Kind: OwnerChanged, Participant: m.ID})
			return
		}
	}
}

func (r *Roster) owner() *Member {
	for _, m := range r.members {
		if m.Owner {
			return m
		}
	}
	return nil
}

// end ends the conference, and its recording if that does not go on elsewhere.
func (s *step) end(cause store.ReleaseCause) {
	if s.r.recording.On() && cause != store.CauseMoved {
		s.stopRecording(RecordingStopped, store.RecordingEnded)
	}
	s.emit(Event{Kind: Ended, Cause: cause})
}

// Tick lets time pass: a scheduled end comes.
func (r *Roster) Tick(now time.Time) []Event {
	if r.ended || r.endAt.IsZero() || now.Before(r.endAt) {
		return nil
	}
	s := r.step(now, By{})
	s.end(r.endCause)
	return s.events
}

// End ends the conference at once.
func (r *Roster) End(now time.Time, by By) ([]Event, error) {
	return r.moderate(now, by, func(s *step) error {
		s.end(store.CauseEnded)
		return nil
	})
}

// SetLocked locks or unlocks.
func (r *Roster) SetLocked(now time.Time, locked bool, by By) ([]Event, error) {
	return r.moderate(now, by, func(s *step) error {
		if r.locked != locked {
			s.emit(Event{Kind: pick(locked, Locked, Unlocked)})
		}
		return nil
	})
}

// SetAllMuted mutes or unmutes everyone but moderators.
func (r *Roster) SetAllMuted(now time.Time, muted bool, by By) ([]Event, error) {
	return r.moderate(now, by, func(s *step) error {
		if r.allMuted != muted {
			s.emit(Event{Kind: pick(muted, AllMuted, AllUnmuted)})
		}
		return nil
	})
}

// SetMuted mutes or unmutes one participant: by itself, or by a moderator, whose
// word outweighs the participant's own. Unmuting oneself while muted by a
// moderator is ErrHardMuted.
func (r *Roster) SetMuted(now time.Time, id store.ParticipantID, muted bool, by By) ([]Event, error) {
	m := r.Member(id)
	if m == nil {
		return nil, ErrNotIn
	}
	if by.API == "" && by.Participant == id {
		if !muted && m.MutedByModerator {
			return nil, ErrHardMuted
		}
		return r.toggle(now, by, id, m.Muted, muted, Muted, Unmuted), nil
	}
	return r.moderate(now, by, func(s *step) error {
		if m.MutedByModerator != muted {
			s.emit(Event{Kind: pick(muted, ModMuted, ModUnmuted), Participant: id})
		}
		if !muted && m.Muted {
			s.emit(Event{Kind: Unmuted, Participant: id})
		}
		return nil
	})
}

// SetHold notes that a participant's phone holds or resumes the call.
func (r *Roster) SetHold(now time.Time, id store.ParticipantID, held bool) []Event {
	if m := r.Member(id); m != nil {
		return r.toggle(now, By{Participant: id}, id, m.OnHold, held, Held, Resumed)
	}
	return nil
}

// SetHand raises or lowers a participant's hand.
func (r *Roster) SetHand(now time.Time, id store.ParticipantID, raised bool) []Event {
	if m := r.Member(id); m != nil {
		return r.toggle(now, By{Participant: id}, id, m.HandRaised, raised, HandRaised, HandLowered)
	}
	return nil
}

// SetRole makes a participant a moderator, speaker or listener.
func (r *Roster) SetRole(now time.Time, id store.ParticipantID, role store.Role, by By) ([]Event, error) {
	m := r.Member(id)
	if m == nil {
		return nil, ErrNotIn
	}
	return r.moderate(now, by, func(s *step) error {
		if m.Role == role {
			return nil
		}
		was, owned := m.Moderates(), m.Owner
		s.emit(Event{Kind: RoleChanged, Participant: id, Role: role})
		switch {
		case m.Moderates():
			if r.owner() == nil {
				s.emit(Event{Kind: OwnerChanged, Participant: id})
			}
			if m.MutedByModerator && r.allMuted {
				s.emit(Event{Kind: ModUnmuted, Participant: id})
			}
			s.moderatorIn()
		case was:
			if owned {
				s.emit(Event{Kind: OwnerChanged}) // nobody, until passed on
			}
			s.moderatorOut(owned, false)
		}
		return nil
	})
}

// Eject takes a participant out against its will.
func (r *Roster) Eject(now time.Time, id store.ParticipantID, by By) ([]Event, error) {
	if r.Member(id) == nil {
		return nil, ErrNotIn
	}
	if err := r.mayModerate(by); err != nil {
		return nil, err
	}
	return r.Leave(now, id, store.CauseEjected, by), nil
}

// LastGuest is the one who joined last among those who are not moderators.
func (r *Roster) LastGuest() (store.ParticipantID, bool) {
	for i := len(r.members) - 1; i >= 0; i-- {
		if !r.members[i].Moderates() {
			return r.members[i].ID, true
		}
	}
	return "", false
}

func (r *Roster) mayModerate(by By) error {
	if r.ended {
		return ErrEnded
	}
	if by.API != "" {
		return nil
	}
	if m := r.Member(by.Participant); m == nil || !m.Moderates() {
		return ErrForbidden
	}
	return nil
}

// moderate does what only moderators and the API may do.
func (r *Roster) moderate(now time.Time, by By, do func(*step) error) ([]Event, error) {
	if err := r.mayModerate(by); err != nil {
		return nil, err
	}
	s := r.step(now, by)
	err := do(s)
	return s.events, err
}

// toggle emits on or off if is differs from want.
func (r *Roster) toggle(now time.Time, by By, id store.ParticipantID, is, want bool, on, off Kind) []Event {
	if is == want || r.ended {
		return nil
	}
	s := r.step(now, by)
	s.emit(Event{Kind: pick(want, on, off), Participant: id})
	return s.events
}

func pick(yes bool, on, off Kind) Kind {
	if yes {
		return on
	}
	return off
}
