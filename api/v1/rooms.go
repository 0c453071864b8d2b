package v1

import "time"

// Room is the lasting record that access codes lead to.
type Room struct {
	ID               string            `json:"id"`
	CustomerID       string            `json:"customerId"`
	AccountID        string            `json:"accountId"`
	Name             string            `json:"name"`
	CodeSpace        string            `json:"codeSpace"`
	HostCode         string            `json:"hostCode" doc:"Callers with it are moderators"`
	GuestCode        string            `json:"guestCode"`
	HomeSite         string            `json:"homeSite"`
	Moderated        bool              `json:"moderated" doc:"Guests wait until a moderator is in"`
	EndGraceSeconds  int               `json:"endGraceSeconds" doc:"How long the conference goes on after the last moderator left a moderated room"`
	LostGraceSeconds int               `json:"lostGraceSeconds" doc:"Likewise after the last moderator could no longer be reached; 0: it goes on"`
	MaxParticipants  int               `json:"maxParticipants" doc:"0 is no limit of the room's own"`
	GuestRole        string            `json:"guestRole" enum:"speaker,listen-only,moderator"`
	EntrySound       string            `json:"entrySound" enum:"none,tone,name"`
	ExitSound        string            `json:"exitSound" enum:"none,tone,name"`
	AnnounceCount    bool              `json:"announceCount" doc:"Tell who joins how many are in"`
	Music            bool              `json:"music" doc:"While alone or waiting"`
	Keys             map[string]string `json:"keys,omitempty" doc:"What keys pressed in the conference do; left out: the default keys"`
	Language         string            `json:"language,omitempty" doc:"Left out: the access number's"`
	Recording        RoomRecording     `json:"recording"`
	Version          int64             `json:"version" doc:"Grows with every change; an edit names the version that it read"`
	CreatedAt        time.Time         `json:"createdAt"`
	UpdatedAt        time.Time         `json:"updatedAt"`
}

// RoomRecording is what a room says of recordings.
type RoomRecording struct {
	Mode          string `json:"mode" enum:"off,on-demand,always" doc:"on-demand: moderators by key, and the API; always: each conference, from its first participant on"`
	Format        string `json:"format" enum:"wav,ogg"`
	Tracks        bool   `json:"tracks" doc:"Each participant in a file of its own too"`
	Announce      bool   `json:"announce" doc:"The participants are told. Not to is against the law in many countries"`
	RetentionDays int    `json:"retentionDays" doc:"Days that recordings are kept after their end; 0: as long as the node's default says"`
}

// RoomRecordingEdit changes what is given.
type RoomRecordingEdit struct {
	Mode          *string `json:"mode,omitempty" enum:"off,on-demand,always" doc:"New room: on-demand"`
	Format        *string `json:"format,omitempty" enum:"wav,ogg" doc:"New room: wav"`
	Tracks        *bool   `json:"tracks,omitempty" doc:"New room: false"`
	Announce      *bool   `json:"announce,omitempty" doc:"New room: true"`
	RetentionDays *int    `json:"retentionDays,omitempty" minimum:"0" maximum:"36525" doc:"New room: 0, the node's default"`
}

// RoomSettings are what can be said of a room when it is made and later. What is left
// out keeps its value; for a new room, its default.
type RoomSettings struct {
	HostCode         *string            `json:"hostCode,omitempty" pattern:"^[0-9]{4,12}$" patternDescription:"4 to 12 digits" doc:"Unique in the code space. New room: random if left out"`
	GuestCode        *string            `json:"guestCode,omitempty" pattern:"^[0-9]{4,12}$" patternDescription:"4 to 12 digits" doc:"Likewise, and not the host code"`
	HomeSite         *string            `json:"homeSite,omitempty" maxLength:"255" doc:"New room: the server's site"`
	Moderated        *bool              `json:"moderated,omitempty" doc:"New room: false"`
	EndGraceSeconds  *int               `json:"endGraceSeconds,omitempty" minimum:"0" maximum:"86400" doc:"New room: 0"`
	LostGraceSeconds *int               `json:"lostGraceSeconds,omitempty" minimum:"0" maximum:"86400" doc:"New room: 0"`
	MaxParticipants  *int               `json:"maxParticipants,omitempty" minimum:"0" maximum:"1000000000" doc:"New room: 0, no limit"`
	GuestRole        *string            `json:"guestRole,omitempty" enum:"speaker,listen-only,moderator" doc:"New room: speaker"`
	EntrySound       *string            `json:"entrySound,omitempty" enum:"none,tone,name" doc:"New room: tone"`
	ExitSound        *string            `json:"exitSound,omitempty" enum:"none,tone,name" doc:"New room: tone"`
	AnnounceCount    *bool              `json:"announceCount,omitempty" doc:"New room: true"`
	Music            *bool              `json:"music,omitempty" doc:"New room: true"`
	Keys             *map[string]string `json:"keys,omitempty" doc:"All keys of the room; {} gives back the default ones. Actions: mute-self, count, hear-louder, hear-softer, speak-louder, speak-softer, raise-hand, leave, mute-all, lock, eject-last, end, record, list-keys"`
	Language         *string            `json:"language,omitempty" maxLength:"35" doc:"BCP 47"`
	Recording        *RoomRecordingEdit `json:"recording,omitempty" doc:"What is given of it"`
}

// NewRoom asks for a room.
type NewRoom struct {
	Account    string `json:"account" minLength:"1" maxLength:"255" doc:"Who pays: id or name"`
	Name       string `json:"name" minLength:"1" maxLength:"255"`
	CodeSpace  string `json:"codeSpace,omitempty" maxLength:"255" doc:"Which access numbers lead here. May be left out where there is only one"`
	CodeDigits int    `json:"codeDigits,omitempty" minimum:"4" maximum:"12" default:"6" doc:"Length of random codes"`
	RoomSettings
}

// RoomEdit changes what is given and leaves the rest.
type RoomEdit struct {
	Version *int64  `json:"version,omitempty" minimum:"1" doc:"The version that was read; or send it as If-Match"`
	Name    *string `json:"name,omitempty" minLength:"1" maxLength:"255"`
	RoomSettings
}
