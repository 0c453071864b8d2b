package store

import (
	"encoding/json"
	"time"

	"github.com/conclave-voice/conclave/store/money"
)

// Place is where something runs.
type Place struct {
	Site string
	Node string
}

// NodeRun is one life of a node's process. A stay whose node died is closed at
// the last heartbeat of the run that hosted it.
type NodeRun struct {
	Place
	Incarnation int64 // start time in µs since 1970; higher than that of any earlier run of the node
	StartedAt   time.Time
	HeartbeatAt time.Time
	StoppedAt   time.Time // zero: running, or died
}

// ConferenceKind tells a room's one main conference from local ones.
type ConferenceKind string

const (
	KindMain  ConferenceKind = "main"  // at most one open per room
	KindLocal ConferenceKind = "local" // run by a site that cannot reach the home site
)

// Conference is one use of a room, from its first participant to its last.
type Conference struct {
	ID          ConferenceID
	RoomID      RoomID
	CustomerID  CustomerID
	AccountID   AccountID
	RoomName    string // as it was when the conference began
	Kind        ConferenceKind
	Focus       Place
	Incarnation int64 // of the focus node's run
	Epoch       uint64
	StartedAt   time.Time
	EndedAt     time.Time
	EndReason   string
}

// Participant is one stay of one caller in one conference. While LeftAt is zero
// the stay is open and charged.
type Participant struct {
	ID           ParticipantID
	ConferenceID ConferenceID
	RoomID       RoomID
	CustomerID   CustomerID
	AccountID    AccountID // who pays
	CallID       CallID
	Role         Role
	Owner        bool
	Caller       string // the number or user that called
	Called       string // the access number
	Ingress      Place  // where the caller's SIP dialog lives
	IngressTerm  uint64 // how often the call has been taken over by another node
	Focus        Place  // where the stay is mixed
	Incarnation  int64  // of the ingress node's run
	Epoch        uint64
	JoinedAt     time.Time
	LeftAt       time.Time
	Cause        ReleaseCause
	Rate         Rate // as it was when the stay was authorized; later changes do not touch it
	Currency     string
}

// ReleaseCause is why a call or stay ended.
type ReleaseCause string

const (
	CauseHangup       ReleaseCause = "hangup"        // the caller hung up
	CauseLeft         ReleaseCause = "left"          // the caller pressed the key to leave
	CauseEjected      ReleaseCause = "ejected"       // by a moderator or the API
	CauseEnded        ReleaseCause = "ended"         // the conference was ended, or its last moderator left
	CauseFunds        ReleaseCause = "no-funds"      // the money was used up
	CauseLost         ReleaseCause = "lost"          // the caller could no longer be reached
	CauseNodeFailure  ReleaseCause = "node-failure"  // found open after the node had died
	CauseShutdown     ReleaseCause = "shutdown"      // the node was stopped
	CauseMoved        ReleaseCause = "moved"         // the room's conference goes on at another node
	CauseRefused      ReleaseCause = "refused"       // not admitted
	CauseCancelled    ReleaseCause = "cancelled"     // the caller gave up before the answer
	CauseBadCode      ReleaseCause = "bad-code"      // three wrong access codes
	CauseNoInput      ReleaseCause = "no-input"      // no access code in time
	CauseLimit        ReleaseCause = "limit"         // room, account or node full, or the room locked
	CauseMediaTimeout ReleaseCause = "media-timeout" // no RTP for too long
	CauseError        ReleaseCause = "error"
)

// ConferenceEvent is one entry of a conference's history. The events of a
// conference, in order, give back who was in, in which role and mode, at every
// instant (conference/roster folds them).
type ConferenceEvent struct {
	ConferenceID  ConferenceID
	Seq           int64 // 1, 2, 3 … without gaps within the conference
	At            time.Time
	Kind          string
	ParticipantID ParticipantID   // empty where the event is about the conference
	By            string          // who caused it: a participant id, "api:TOKEN-NAME", or empty
	Detail        json.RawMessage // an object; nil for none
}

// Call is one call leg that reached this system, whatever became of it.
type Call struct {
	ID         CallID
	SIPCallID  string
	CustomerID CustomerID // of the room joined; empty until known
	Direction  string     // "in" or "out"
	From, To   string     // the user parts of From and the Request-URI
	Source     string     // address and port
	Transport  string
	Node       Place
	StartedAt  time.Time
	AnsweredAt time.Time
	EndedAt    time.Time
	SIPStatus  int // of the final response to the INVITE; 0 until there is one
	Cause      ReleaseCause
}

// CallStep is one step of a call's trace: what was done, when, and its outcome.
// Secrets and access codes are never in Detail.
type CallStep struct {
	CallID  CallID
	Seq     int64 // 1, 2, 3 … within the call
	At      time.Time
	Step    string // "invite", "rule", "digest", "number", "answer", "code", "authorize", "join", …
	Outcome string // "ok", "refused", "wrong", …
	Detail  string
}

// XDR is one rated usage record: one participant's stay. Its id is the
// participant's, so that a stay has at most one.
type XDR struct {
	ID           ParticipantID
	ConferenceID ConferenceID
	RoomID       RoomID
	RoomName     string
	CustomerID   CustomerID
	AccountID    AccountID
	CallID       CallID
	Service      Service
	Caller       string
	Called       string
	Ingress      Place
	IngressTerm  uint64 // of the participant, to tell the last node that had its call; not kept
	Focus        Place
	Epoch        uint64
	StartedAt    time.Time
	EndedAt      time.Time
	Duration     time.Duration // whole seconds, as charged from
	Billed       time.Duration // Duration rounded up to started intervals
	Rate         Rate
	Amount       money.Amount
	Currency     string
	Cause        ReleaseCause
	Inbound      Score           // of what was heard of the caller
	Outbound     Score           // of what the caller heard
	Quality      json.RawMessage // an object: what the media said of the stay; nil if nothing
	RecordedAt   time.Time
}

// Score is how good one direction of a stay's media was. The zero value: that is not known.
type Score struct {
	MOS      int // mean opinion score by the E-model (ITU-T G.107), the mean of the stay, in hundredths: 100 to 450
	WorstMOS int // of its worst interval of some 5 s
	Loss     int // share of the packets that were not heard, in ten-thousandths
}

// EntryKind is why a ledger entry was made.
type EntryKind string

const (
	EntryUsage      EntryKind = "usage"      // an xDR's amount
	EntryTopUp      EntryKind = "top-up"     //
	EntryAdjustment EntryKind = "adjustment" // by an operator, with a reason
)

// LedgerEntry is one change of an account's balance. Entries are never changed
// or removed.
type LedgerEntry struct {
	ID        EntryID
	AccountID AccountID
	At        time.Time
	Kind      EntryKind
	Amount    money.Amount // negative takes money away
	Balance   money.Amount // after this entry
	XDR       ParticipantID
	Reason    string
	Author    string
}

// XDRFilter selects usage records; zero fields select all.
type XDRFilter struct {
	AccountID AccountID
	RoomID    RoomID
	From, To  time.Time // EndedAt in [From, To)
}
