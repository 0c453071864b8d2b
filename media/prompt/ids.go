package prompt

// ID names a prompt. It is also the name of the file that holds it, without its
// extension: EnterCode is en/enter-code.wav.
type ID string

// The access-code dialogue.
const (
	Welcome      ID = "welcome"        // Welcome to the conference service.
	EnterCode    ID = "enter-code"     // Please enter your access code, followed by the pound key.
	WrongCode    ID = "wrong-code"     // That access code is not valid.
	TryAgain     ID = "try-again"      // Please try again.
	TooManyTries ID = "too-many-tries" // The access code was not valid. Please check it and call again. Goodbye.
	NoInput      ID = "no-input"       // No access code was entered. Goodbye.
	Goodbye      ID = "goodbye"        // Goodbye.
	SayName      ID = "say-name"       // After the tone, please say your name, then press pound.
)

// On the way into a conference.
const (
	Joining         ID = "joining"          // You are joining the conference.
	LocalConference ID = "local-conference" // The main conference cannot be reached at the moment. You are joining a local conference.
	Moved           ID = "moved"            // Please hold while you are reconnected.
	Reconnected     ID = "reconnected"      // You have been reconnected.
)

// Who is there. A count is spoken as ThereAre, Number, ParticipantsIn; a name is
// played before HasJoined and HasLeft.
const (
	FirstIn        ID = "first-in"        // You are the first participant.
	ThereAre       ID = "there-are"       // There are
	ParticipantsIn ID = "participants-in" // participants in the conference.
	OneOther       ID = "one-other"       // There is one other participant.
	HasJoined      ID = "has-joined"      // has joined the conference.
	HasLeft        ID = "has-left"        // has left the conference.
)

// Moderators, and the end of a conference.
const (
	WaitingModerator ID = "waiting-moderator"  // The conference will begin when the moderator arrives. Please hold.
	ModeratorArrived ID = "moderator-arrived"  // The moderator has arrived.
	ModeratorLeft    ID = "moderator-left"     // The moderator has left. The conference will end soon.
	ModeratorLost    ID = "moderator-lost"     // The moderator cannot be reached at the moment. The conference goes on.
	ModeratorNow     ID = "moderator-now"      // You are now a moderator.
	NotBegun         ID = "not-begun"          // This conference has not begun yet. Please call again later. Goodbye.
	EndingSoon       ID = "ending-soon"        // The conference will end in one minute.
	ConferenceEnded  ID = "conference-ended"   // The conference has ended. Goodbye.
	EndedByModerator ID = "ended-by-moderator" // The moderator has ended the conference. Goodbye.
)

// Muting, locking, raised hands.
const (
	Muted              ID = "muted"                // You are muted.
	Unmuted            ID = "unmuted"              // You are no longer muted.
	MutedByModerator   ID = "muted-by-moderator"   // The moderator has muted you.
	UnmutedByModerator ID = "unmuted-by-moderator" // The moderator has unmuted you.
	AllMuted           ID = "all-muted"            // All participants are muted.
	AllUnmuted         ID = "all-unmuted"          // Participants are no longer muted.
	ListenOnly         ID = "listen-only"          // You can listen to this conference, but not speak.
	Locked             ID = "locked"               // The conference is now locked.
	Unlocked           ID = "unlocked"             // The conference is now unlocked.
	HandRaised         ID = "hand-raised"          // Your hand is raised.
	HandLowered        ID = "hand-lowered"         // Your hand is lowered.
)

// Recording.
const (
	RecordingStarted ID = "recording-started" // This conference is now being recorded.
	RecordingStopped ID = "recording-stopped" // Recording has stopped.
	IsRecorded       ID = "is-recorded"       // This conference is being recorded.
)

// Why a caller cannot come in or stay (SPEC CF9: no refusal is silent).
const (
	IsLocked     ID = "is-locked"     // This conference is locked. Goodbye.
	RoomFull     ID = "room-full"     // This conference is full. Goodbye.
	AccountFull  ID = "account-full"  // The account of this conference has no free places. Goodbye.
	NodeFull     ID = "node-full"     // The conference service is busy. Please try again later. Goodbye.
	Ejected      ID = "ejected"       // You have been removed from the conference. Goodbye.
	NoFunds      ID = "no-funds"      // The account of this conference has insufficient funds. Goodbye.
	FundsLow     ID = "funds-low"     // This conference will end in one minute, because the account's funds are used up.
	FundsEnded   ID = "funds-ended"   // The funds of this account are used up. Goodbye.
	NotAllowed   ID = "not-allowed"   // This conference cannot be reached by this number. Goodbye.
	ServiceError ID = "service-error" // A technical problem has occurred. Please call again later. Goodbye.
)

// The menu of keys: each is followed by the key, since rooms may remap them (Keys).
const (
	UnknownKey      ID = "unknown-key"       // That key has no meaning here.
	KeyMuteSelf     ID = "key-mute-self"     // To mute or unmute yourself, press
	KeyCount        ID = "key-count"         // To hear how many participants there are, press
	KeyLeave        ID = "key-leave"         // To leave the conference, press
	KeyListenLouder ID = "key-listen-louder" // To hear others louder, press
	KeyListenSofter ID = "key-listen-softer" // To hear others more softly, press
	KeySpeakLouder  ID = "key-speak-louder"  // To speak louder, press
	KeySpeakSofter  ID = "key-speak-softer"  // To speak more softly, press
	KeyRaiseHand    ID = "key-raise-hand"    // To raise or lower your hand, press
	KeyMuteAll      ID = "key-mute-all"      // To mute or unmute all participants, press
	KeyLock         ID = "key-lock"          // To lock or unlock the conference, press
	KeyRecord       ID = "key-record"        // To start or stop recording, press
	KeyEjectLast    ID = "key-eject-last"    // To remove the last participant who joined, press
	KeyEnd          ID = "key-end"           // To end the conference for everyone, press
	KeyMenu         ID = "key-menu"          // To hear these choices again, press
	Star            ID = "star"              // star
	Pound           ID = "pound"             // pound
)

// Numbers, put together by Number.
const (
	Number0  ID = "number-0"    // zero
	Number1  ID = "number-1"    // one
	Number2  ID = "number-2"    // two
	Number3  ID = "number-3"    // three
	Number4  ID = "number-4"    // four
	Number5  ID = "number-5"    // five
	Number6  ID = "number-6"    // six
	Number7  ID = "number-7"    // seven
	Number8  ID = "number-8"    // eight
	Number9  ID = "number-9"    // nine
	Number10 ID = "number-10"   // ten
	Number11 ID = "number-11"   // eleven
	Number12 ID = "number-12"   // twelve
	Number13 ID = "number-13"   // thirteen
	Number14 ID = "number-14"   // fourteen
	Number15 ID = "number-15"   // fifteen
	Number16 ID = "number-16"   // sixteen
	Number17 ID = "number-17"   // seventeen
	Number18 ID = "number-18"   // eighteen
	Number19 ID = "number-19"   // nineteen
	Number20 ID = "number-20"   // twenty
	Number30 ID = "number-30"   // thirty
	Number40 ID = "number-40"   // forty
	Number50 ID = "number-50"   // fifty
	Number60 ID = "number-60"   // sixty
	Number70 ID = "number-70"   // seventy
	Number80 ID = "number-80"   // eighty
	Number90 ID = "number-90"   // ninety
	Hundred  ID = "number-100"  // hundred
	Thousand ID = "number-1000" // thousand
)

// Tones. They are synthesized by Load; a file of that name replaces one.
const (
	ToneJoin  ID = "tone-join"  // two notes up: somebody came in
	ToneLeave ID = "tone-leave" // two notes down: somebody left
	ToneBeep  ID = "tone-beep"  // one short note: speak now
)

// ownPrefix begins the ids of an operator's own prompts, such as the greeting of
// one access number: x-acme-welcome.
const ownPrefix = "x-"

// numberPrefix begins the ids of spoken numbers.
const numberPrefix = "number-"
