package roster

import (
	"slices"
	"time"

	"github.com/conclave-voice/conclave/store"
)

// Member is one who is in.
type Member struct {
	ID               store.ParticipantID
	Caller           string
	Role             store.Role
	Owner            bool
	Muted            bool // by itself
	MutedByModerator bool
	OnHold           bool
	HandRaised       bool
	JoinedAt         time.Time
}

// Moderates says whether the member is a moderator.
func (m *Member) Moderates() bool { return m.Role == store.RoleModerator }

// Settings are what a room decides of its conferences.
type Settings struct {
	Moderated       bool             `json:"moderated,omitempty"`
	EndGrace        time.Duration    `json:"endGrace,omitempty"`        // ns; see store.Room
	LostGrace       time.Duration    `json:"lostGrace,omitempty"`       // ns
	MaxParticipants int              `json:"maxParticipants,omitempty"` // 0: no limit
	Music           bool             `json:"music,omitempty"`
	Record          store.RecordMode `json:"record,omitempty"`
}

// SettingsOf are those of a room.
func SettingsOf(r store.Room) Settings {
	return Settings{Moderated: r.Moderated, EndGrace: r.EndGrace, LostGrace: r.LostGrace,
		MaxParticipants: r.MaxParticipants, Music: r.Music, Record: r.Recording.Mode}
}

// Roster is the state of one conference. Make one with Start or Replay.
type Roster struct {
	settings  Settings
	members   []*Member // by time of joining
	locked    bool
	allMuted  bool
	open      bool      // not moderated, or a moderator has been in
	endAt     time.Time // zero: no end is scheduled
	endCause  store.ReleaseCause
	ended     bool
	recording Recording         // zero: none goes on
	recorded  store.RecordingID // the last one that has ended here
}

// Start begins an empty conference.
func Start(now time.Time, s Settings) (*Roster, []Event) {
	r := &Roster{}
	first := r.step(now, By{})
	first.emit(Event{Kind: Started, Settings: &s})
	return r, first.events
}

// Replay applies recorded events, from the first.
func Replay(events []Event) *Roster {
	r := &Roster{}
	for _, e := range events {
		r.apply(e)
	}
	return r
}

// Members are those who are in, by time of joining. The slice and what it points
// to belong to the roster and change with it.
func (r *Roster) Members() []*Member { return r.members }

// Member finds one who is in; nil if there is none.
func (r *Roster) Member(id store.ParticipantID) *Member {
	for _, m := range r.members {
		if m.ID == id {
			return m
		}
	}
	return nil
}

// Len is how many are in.
func (r *Roster) Len() int { return len(r.members) }

// Locked, AllMuted, Open and Ended tell the conference's own state.
func (r *Roster) Locked() bool   { return r.locked }
func (r *Roster) AllMuted() bool { return r.allMuted }
func (r *Roster) Open() bool     { return r.open }
func (r *Roster) Ended() bool    { return r.ended }

// EndAt is when the conference ends if nothing changes; zero if no end is scheduled.
func (r *Roster) EndAt() time.Time { return r.endAt }

// Moderators counts them.
func (r *Roster) Moderators() int {
	n := 0
	for _, m := range r.members {
		if m.Moderates() {
			n++
		}
	}
	return n
}

// apply changes the state by one event. An event about somebody who is not in
// changes nothing.
func (r *Roster) apply(e Event) {
	switch e.Kind {
	case Started:
		if e.Settings != nil {
			r.settings = *e.Settings
		}
		r.open = !r.settings.Moderated
	case Joined:
		r.members = append(r.members, &Member{ID: e.Participant, Caller: e.Caller, Role: e.Role,
			Owner: e.Owner, MutedByModerator: e.MutedByModerator, JoinedAt: e.At})
	case Returned:
		if st := e.Standing; st != nil {
			r.members = append(r.members, &Member{ID: e.Participant, Caller: e.Caller, Role: st.Role, Owner: st.Owner,
				Muted: st.Muted, MutedByModerator: st.MutedByModerator, HandRaised: st.HandRaised, JoinedAt: e.At})
		}
	case Restored:
		if st := e.Standing; st != nil {
			r.locked, r.allMuted, r.open = st.Locked, st.AllMuted, st.Open
		}
	case Left:
		r.members = slices.DeleteFunc(r.members, func(m *Member) bool { return m.ID == e.Participant })
	case OwnerChanged:
		for _, m := range r.members {
			m.Owner = m.ID == e.Participant
		}
	case AllMuted, AllUnmuted:
		r.allMuted = e.Kind == AllMuted
		for _, m := range r.members {
			if !m.Moderates() {
				m.MutedByModerator = r.allMuted
			}
		}
	case Locked, Unlocked:
		r.locked = e.Kind == Locked
	case Opened:
		r.open = true
	case EndScheduled:
		r.endAt, r.endCause = e.Until, e.Cause
	case EndCancelled:
		r.endAt = time.Time{}
	case Ended:
		r.ended = true
	case RecordingStarted, RecordingResumed:
		if e.Recording != nil {
			r.recording = *e.Recording
		}
	case RecordingStopped, RecordingFailed:
		r.recorded, r.recording = r.recording.ID, Recording{}
	default:
		if m := r.Member(e.Participant); m != nil {
			m.apply(e)
		}
	}
}

// apply changes one member by an event that is about it alone.
func (m *Member) apply(e Event) {
	switch e.Kind {
	case RoleChanged:
		m.Role = e.Role
	case Muted, Unmuted:
		m.Muted = e.Kind == Muted
	case ModMuted, ModUnmuted:
		m.MutedByModerator = e.Kind == ModMuted
	case Held, Resumed:
		m.OnHold = e.Kind == Held
	case HandRaised, HandLowered:
		m.HandRaised = e.Kind == HandRaised
	}
}
