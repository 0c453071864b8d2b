package conference

import (
	"errors"
	"slices"
	"time"

	"github.com/conclave-voice/conclave/conference/mixer"
	"github.com/conclave-voice/conclave/conference/roster"
	"github.com/conclave-voice/conclave/media/prompt"
	"github.com/conclave-voice/conclave/store"
)

// Key takes a digit that the participant pressed: '0' to '9', '*', '#'.
func (s *Seat) Key(digit byte) {
	err := s.conference.command(func(r *roster.Roster, now time.Time) ([]roster.Event, error) {
		if s.state != seatIn {
			return nil, nil
		}
		action, known := s.keys.press(now, digit)
		if action != store.ActionUnassigned {
			s.stopListing()
		}
		if !known {
			s.say(prompt.UnknownKey)
			return nil, nil
		}
		return s.act(r, now, action)
	})
	if errors.Is(err, roster.ErrHardMuted) {
		s.Say(prompt.MutedByModerator)
	} else if errors.Is(err, roster.ErrForbidden) || errors.Is(err, roster.ErrNoRecording) {
		s.Say(prompt.UnknownKey)
	}
}

// act does what a key stands for.
func (s *Seat) act(r *roster.Roster, now time.Time, action store.Action) ([]roster.Event, error) {
	by := By{Participant: s.id}
	me := r.Member(s.id)
	switch action {
	case store.ActionMuteSelf:
		return r.SetMuted(now, s.id, !me.Muted && !me.MutedByModerator, by)
	case store.ActionCount:
		s.play(s.conference.announce.count(r.Len()))
	case store.ActionHearLouder:
		s.turn(&s.hear, +1)
	case store.ActionHearSofter:
		s.turn(&s.hear, -1)
	case store.ActionSpeakLouder:
		s.turn(&s.speak, +1)
	case store.ActionSpeakSofter:
		s.turn(&s.speak, -1)
	case store.ActionRaiseHand:
		return r.SetHand(now, s.id, !me.HandRaised), nil
	case store.ActionLeave:
		return r.Leave(now, s.id, store.CauseLeft, by), nil
	case store.ActionMuteAll:
		return r.SetAllMuted(now, !r.AllMuted(), by)
	case store.ActionLock:
		return r.SetLocked(now, !r.Locked(), by)
	case store.ActionEjectLast:
		if id, ok := r.LastGuest(); ok {
			return r.Eject(now, id, by)
		}
	case store.ActionEnd:
		return r.End(now, by)
	case store.ActionRecord:
		return s.toggleRecording(r, now, by)
	case store.ActionListKeys:
		s.play(s.conference.announce.keys(s.keys.keys, me.Moderates()))
		s.listing = true
	}
	return nil, nil
}

// turn changes one of the participant's volumes by a step.
func (s *Seat) turn(volume *int, by int) {
	*volume = min(max(*volume+by, mixer.MinVolume), mixer.MaxVolume)
	s.port.SetVolumes(s.hear, s.speak)
	s.say(prompt.ToneBeep)
}

// menu is the order in which the keys are told, and the sentence of each.
var menu = []struct {
	action    store.Action
	prompt    prompt.ID
	moderator bool
}{
	{store.ActionMuteSelf, prompt.KeyMuteSelf, false},
	{store.ActionCount, prompt.KeyCount, false},
	{store.ActionHearLouder, prompt.KeyListenLouder, false},
	{store.ActionHearSofter, prompt.KeyListenSofter, false},
	{store.ActionSpeakLouder, prompt.KeySpeakLouder, false},
	{store.ActionSpeakSofter, prompt.KeySpeakSofter, false},
	{store.ActionRaiseHand, prompt.KeyRaiseHand, false},
	{store.ActionLeave, prompt.KeyLeave, false},
	{store.ActionMuteAll, prompt.KeyMuteAll, true},
	{store.ActionLock, prompt.KeyLock, true},
	{store.ActionRecord, prompt.KeyRecord, true},
	{store.ActionEjectLast, prompt.KeyEjectLast, true},
	{store.ActionEnd, prompt.KeyEnd, true},
}

// keys tells what the room's keys do.
func (a announcer) keys(keys map[string]store.Action, moderator bool) []mixer.Sound {
	var list []mixer.Sound
	for _, item := range menu {
		if item.moderator && !moderator {
			continue
		}
		for _, key := range keysOf(keys, item.action) {
			list = append(list, a.say(append([]prompt.ID{item.prompt}, a.library.Keys(key)...)...)...)
		}
	}
	return list
}

// keysOf are the keys that do one action, in a constant order.
func keysOf(keys map[string]store.Action, action store.Action) []string {
	var list []string
	for key, a := range keys {
		if a == action {
			list = append(list, key)
		}
	}
	slices.Sort(list)
	return list
}
