package store

import "time"

// Role is what a participant may do in a conference.
type Role string

const (
	RoleModerator  Role = "moderator"
	RoleSpeaker    Role = "speaker"
	RoleListenOnly Role = "listen-only"
)

// EntrySound is what is heard when somebody joins or leaves.
type EntrySound string

const (
	SoundNone EntrySound = "none"
	SoundTone EntrySound = "tone"
	SoundName EntrySound = "name" // the caller's recorded name
)

// Action is something that a key pressed in a conference does.
type Action string

const (
	ActionMuteSelf    Action = "mute-self"    // toggles
	ActionCount       Action = "count"        // tells the caller how many are in
	ActionHearLouder  Action = "hear-louder"  // what I hear
	ActionHearSofter  Action = "hear-softer"  //
	ActionSpeakLouder Action = "speak-louder" // what I say
	ActionSpeakSofter Action = "speak-softer" //
	ActionRaiseHand   Action = "raise-hand"   // toggles
	ActionLeave       Action = "leave"        //
	ActionMuteAll     Action = "mute-all"     // moderators: toggles all who are not moderators
	ActionLock        Action = "lock"         // moderators: toggles
	ActionEjectLast   Action = "eject-last"   // moderators
	ActionEnd         Action = "end"          // moderators: ends the conference
	ActionRecord      Action = "record"       // moderators: toggles, where the room lets them
	ActionListKeys    Action = "list-keys"    // tells what the keys do
	ActionUnassigned  Action = ""             // nothing
)

// DefaultKeys are the keys of a room that maps none itself. They keep to what
// users of other systems know (*6 mute, *7 lock, ## end).
func DefaultKeys() map[string]Action {
	return map[string]Action{
		"*6": ActionMuteSelf, "*2": ActionCount, "*3": ActionRaiseHand,
		"*4": ActionHearSofter, "*1": ActionHearLouder, "*8": ActionSpeakSofter, "*9": ActionSpeakLouder,
		"*0": ActionListKeys,
		"*5": ActionMuteAll, "*7": ActionLock, "*#": ActionEjectLast, "##": ActionEnd, "**": ActionRecord,
	}
}

// Room is the lasting record that codes lead to.
type Room struct {
	ID         RoomID
	CustomerID CustomerID // of the account; kept here so that every scoped query is one lookup
	AccountID  AccountID
	Name       string
	CodeSpace  string // which access numbers lead here; see AccessNumber.CodeSpace
	HostCode   string // 4-12 digits, unique in the code space
	GuestCode  string // likewise, and not HostCode
	HomeSite   string // the site where the conference runs when all is well

	Moderated bool // guests wait with music until a moderator is in
	// EndGrace is how long the conference goes on after the last moderator left
	// a moderated room; LostGrace, after the last moderator could no longer be
	// reached (which is not leaving). Both 0 to 24 h.
	EndGrace, LostGrace time.Duration
	MaxParticipants     int // 0: no limit of the room's own
	GuestRole           Role
	EntrySound          EntrySound
	ExitSound           EntrySound
	AnnounceCount       bool              // tell who joins how many are in
	Music               bool              // while alone or waiting
	Keys                map[string]Action // nil: DefaultKeys
	Language            string            // empty: the access number's
	Recording           RecordingSettings

	Version   int64 // grows by one with every change; updates name the version they read
	CreatedAt time.Time
	UpdatedAt time.Time
}

// CodeMatch is what an access code leads to.
type CodeMatch struct {
	Room Room
	Role Role // RoleModerator for the host code, else the room's GuestRole
}

// Why a conference ended at its node while its room's goes on at another, in
// Conference.EndReason.
const (
	EndSuperseded = "superseded" // one of a higher epoch has taken its place
	EndDrain      = "drain"      // the node, or its site, was taken out of use
	EndMoved      = "moved"      // its room was given to another node
)
