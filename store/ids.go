package store

import "github.com/google/uuid"

// The typed ids. Each holds a UUIDv7 in its canonical text form, which sorts by
// the time it was made.
type (
	CustomerID     string // a tenant: groups accounts
	AccountID      string // pays for rooms and calls
	TariffID       string
	AccessNumberID string
	RoomID         string // the lasting record of a room
	ConferenceID   string // one use of a room, from first to last participant
	ParticipantID  string // one stay of one caller in one conference; also the id of its xDR and reservation
	CallID         string // one call leg that reached us (not SIP's Call-ID)
	RuleID         string // a call-handling rule
	EntryID        string // a ledger entry
	TokenID        string // an API token
	RecordingID    string
	SegmentID      string // a recording's segment
)

// newID returns a fresh UUIDv7. It panics only if the system has no randomness.
func newID() string { return uuid.Must(uuid.NewV7()).String() }

func NewCustomerID() CustomerID         { return CustomerID(newID()) }
func NewAccountID() AccountID           { return AccountID(newID()) }
func NewTariffID() TariffID             { return TariffID(newID()) }
func NewAccessNumberID() AccessNumberID { return AccessNumberID(newID()) }
func NewRoomID() RoomID                 { return RoomID(newID()) }
func NewConferenceID() ConferenceID     { return ConferenceID(newID()) }
func NewParticipantID() ParticipantID   { return ParticipantID(newID()) }
func NewCallID() CallID                 { return CallID(newID()) }
func NewRuleID() RuleID                 { return RuleID(newID()) }
func NewEntryID() EntryID               { return EntryID(newID()) }
func NewTokenID() TokenID               { return TokenID(newID()) }
func NewRecordingID() RecordingID       { return RecordingID(newID()) }
func NewSegmentID() SegmentID           { return SegmentID(newID()) }
