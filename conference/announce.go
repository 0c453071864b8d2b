package conference

import (
	"github.com/conclave-voice/conclave/conference/mixer"
	"github.com/conclave-voice/conclave/conference/roster"
	"github.com/conclave-voice/conclave/media/prompt"
	"github.com/conclave-voice/conclave/store"
)

// announcer speaks one language.
type announcer struct {
	library  *prompt.Library
	language string
}

// say finds the sounds of prompts.
func (a announcer) say(ids ...prompt.ID) []mixer.Sound {
	list := make([]mixer.Sound, len(ids))
	for i, id := range ids {
		list[i] = a.library.Recording(a.language, id)
	}
	return list
}

func (a announcer) music() mixer.Sound { return a.library.MusicRecording() }

// count tells how many are in, the one who is told included.
func (a announcer) count(n int) []mixer.Sound {
	switch n {
	case 1:
		return a.say(prompt.FirstIn)
	case 2:
		return a.say(prompt.OneOther)
	}
	ids := append([]prompt.ID{prompt.ThereAre}, a.library.Number(a.language, n)...)
	return a.say(append(ids, prompt.ParticipantsIn)...)
}

// Farewell is what one who has to go is told.
func Farewell(cause store.ReleaseCause) []prompt.ID {
	switch cause {
	case store.CauseEjected:
		return []prompt.ID{prompt.Ejected}
	case store.CauseEnded:
		return []prompt.ID{prompt.ConferenceEnded}
	case store.CauseFunds:
		return []prompt.ID{prompt.FundsEnded}
	case store.CauseLeft:
		return []prompt.ID{prompt.Goodbye}
	case store.CauseShutdown:
		return []prompt.ID{prompt.ServiceError}
	}
	return nil
}

// sound makes an event heard by those whom it concerns. The lock is held, and the
// event has been applied.
func (c *Conference) sound(e roster.Event) {
	switch e.Kind {
	case roster.Joined:
		c.soundJoined(c.seats[e.Participant])
	case roster.Left:
		c.soundLeft(c.seats[e.Participant], e)
	case roster.Opened, roster.EndCancelled:
		c.tell(func(m *roster.Member) bool { return !m.Moderates() }, prompt.ModeratorArrived)
	case roster.EndScheduled:
		c.mixer.Announce(c.announce.say(prompt.ModeratorLeft)...)
	case roster.RecordingStarted, roster.RecordingStopped, roster.RecordingFailed:
		c.soundRecording(e)
	case roster.AllMuted:
		c.mixer.Announce(c.announce.say(prompt.AllMuted)...)
	case roster.AllUnmuted:
		c.mixer.Announce(c.announce.say(prompt.AllUnmuted)...)
	case roster.Locked:
		c.mixer.Announce(c.announce.say(prompt.Locked)...)
	case roster.Unlocked:
		c.mixer.Announce(c.announce.say(prompt.Unlocked)...)
	default:
		if id, ok := personal(e); ok {
			if s := c.seats[e.Participant]; s != nil {
				s.say(id)
			}
		}
	}
}

// personal is what the participant whom an event is about is told.
func personal(e roster.Event) (prompt.ID, bool) {
	switch e.Kind {
	case roster.Muted:
		return prompt.Muted, true
	case roster.Unmuted:
		return prompt.Unmuted, true
	case roster.ModMuted:
		return prompt.MutedByModerator, true
	case roster.ModUnmuted:
		return prompt.UnmutedByModerator, true
	case roster.HandRaised:
		return prompt.HandRaised, true
	case roster.HandLowered:
		return prompt.HandLowered, true
	case roster.RoleChanged:
		switch e.Role {
		case store.RoleModerator:
			return prompt.ModeratorNow, true
		case store.RoleListenOnly:
			return prompt.ListenOnly, true
		}
	}
	return "", false
}

// soundJoined welcomes one and tells the others.
func (c *Conference) soundJoined(s *Seat) {
	if s == nil {
		return
	}
	c.mixer.Announce(c.passing(c.room.EntrySound, s, prompt.ToneJoin, prompt.HasJoined)...)
	switch {
	case !c.roster.Open() && s.role != store.RoleModerator:
		s.say(prompt.WaitingModerator)
	case c.roster.Len() == 1:
		s.say(prompt.FirstIn)
	case c.room.AnnounceCount:
		s.play(c.announce.count(c.roster.Len()))
	}
	if s.role == store.RoleListenOnly {
		s.say(prompt.ListenOnly)
	}
	if m := c.roster.Member(s.id); m != nil && m.MutedByModerator {
		s.say(prompt.MutedByModerator)
	}
}

// soundLeft tells the others.
func (c *Conference) soundLeft(s *Seat, e roster.Event) {
	if s == nil || s.state != seatIn {
		return
	}
	c.mixer.Announce(c.passing(c.room.ExitSound, s, prompt.ToneLeave, prompt.HasLeft)...)
	if s.role == store.RoleModerator && c.room.Moderated && c.roster.Moderators() == 0 && lostWithout(c.room, e.Cause) {
		c.mixer.Announce(c.announce.say(prompt.ModeratorLost)...)
	}
}

// lostWithout says whether the conference goes on without the moderator, who was
// lost.
func lostWithout(r store.Room, cause store.ReleaseCause) bool {
	return r.LostGrace == 0 && roster.Lost(cause)
}

// passing is how somebody's coming or going is heard. One without a recorded name
// is announced by the tone.
func (c *Conference) passing(how store.EntrySound, s *Seat, tone, sentence prompt.ID) []mixer.Sound {
	switch {
	case how == store.SoundNone:
		return nil
	case how == store.SoundName && s.name != nil:
		return append([]mixer.Sound{s.name}, c.announce.say(sentence)...)
	default:
		return c.announce.say(tone)
	}
}

// tell plays prompts to some of the participants.
func (c *Conference) tell(whom func(*roster.Member) bool, prompts ...prompt.ID) {
	for _, m := range c.roster.Members() {
		if s := c.seats[m.ID]; s != nil && whom(m) {
			s.say(prompts...)
		}
	}
}
