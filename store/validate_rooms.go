package store

import (
	"fmt"
	"strings"
	"time"
)

// The length of access codes, in digits.
const minCode, maxCode = 4, 12

// maxGrace bounds the graces of a moderated room.
const maxGrace = 24 * time.Hour

// Validate says what is wrong with the room, or nil; the error is ErrInvalid.
func (r Room) Validate() error {
	return first(code("host code", r.HostCode), code("guest code", r.GuestCode), r.validateBesidesCodes())
}

// ValidateNew is Validate for a room whose empty codes will be random ones, of
// codeDigits digits.
func (r Room) ValidateNew(codeDigits int) error {
	if codeDigits < minCode || codeDigits > maxCode {
		return invalid("length of random codes", codeDigits, fmt.Sprintf("it must be %d to %d digits", minCode, maxCode))
	}
	if r.HostCode != "" {
		if err := code("host code", r.HostCode); err != nil {
			return err
		}
	}
	if r.GuestCode != "" {
		if err := code("guest code", r.GuestCode); err != nil {
			return err
		}
	}
	return r.validateBesidesCodes()
}

func (r Room) validateBesidesCodes() error {
	switch {
	case r.HostCode == r.GuestCode && r.HostCode != "":
		return invalid("guest code", "(the host's)", "the two codes must differ")
	case r.EndGrace < 0 || r.EndGrace > maxGrace:
		return invalid("end grace", r.EndGrace, "it must be 0 to 24h")
	case r.LostGrace < 0 || r.LostGrace > maxGrace:
		return invalid("lost grace", r.LostGrace, "it must be 0 to 24h")
	case r.MaxParticipants < 0:
		return invalid("participant limit", r.MaxParticipants, "it must be 0 (no limit) or more")
	case r.GuestRole != RoleSpeaker && r.GuestRole != RoleListenOnly && r.GuestRole != RoleModerator:
		return invalid("guest role", r.GuestRole, "write speaker, listen-only or moderator")
	}
	return first(
		identified("room id", r.ID),
		identified("customer of the room", r.CustomerID),
		identified("account of the room", r.AccountID),
		needed("room name", r.Name),
		needed("code space", r.CodeSpace),
		sound("entry sound", r.EntrySound),
		sound("exit sound", r.ExitSound),
		keys(r.Keys),
		r.Recording.validate())
}

func code(field, c string) error {
	if len(c) < minCode || len(c) > maxCode || strings.Trim(c, "0123456789") != "" {
		// The value stays out of the message: codes are secrets.
		return invalid(field, fmt.Sprint(len(c), " characters"), fmt.Sprintf("it must be %d to %d digits", minCode, maxCode))
	}
	return nil
}

func sound(field string, s EntrySound) error {
	switch s {
	case SoundNone, SoundTone, SoundName:
		return nil
	}
	return invalid(field, s, "write none, tone or name")
}

func keys(m map[string]Action) error {
	for key, action := range m {
		if key == "" || len(key) > 3 || strings.Trim(key, "0123456789*#") != "" {
			return invalid("key", key, "it must be 1 to 3 of 0-9, * and #")
		}
		switch action {
		case ActionMuteSelf, ActionCount, ActionHearLouder, ActionHearSofter, ActionSpeakLouder, ActionSpeakSofter,
			ActionRaiseHand, ActionLeave, ActionMuteAll, ActionLock, ActionEjectLast, ActionEnd, ActionRecord, ActionListKeys:
		default:
			return invalid("action of key "+key, action, "see the list of actions in the documentation of rooms")
		}
	}
	return nil
}
