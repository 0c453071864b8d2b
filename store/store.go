package store

import (
	"context"
	"net/netip"
	"time"

	"github.com/conclave-voice/conclave/store/money"
)

// Store is all of it. Consumers declare the few methods that they use; this sum
// is what an implementation provides and what storetest runs against.
type Store interface {
	Catalogue
	Rooms
	Conferences
	Recordings
	Calls
	Accounts
	Usage
	Nodes

	// Deliver records all of a batch in one transaction, or nothing of it. In effect it is
	// as if each record's own method were called, kind by kind in the order of Batch's
	// fields, and as often repeated without harm. It takes a few round trips to the
	// database, however many records there are. Where one is refused it is the error of
	// that one; to find out which, tell them one by one.
	Deliver(ctx context.Context, b Batch) error

	// Migrate brings the schema to this program's version. An older program may
	// go on running on the newer schema. Several nodes may migrate at once.
	// Before it, every other method is ErrSchema.
	Migrate(ctx context.Context) error
	// Once runs seed in one transaction if no call named name has succeeded
	// before, and says whether it ran. It is for first-time data. seed may be
	// run again from its beginning, must use tx only, and must return the errors
	// of its writes: after one of them the transaction is spent.
	Once(ctx context.Context, name string, seed func(ctx context.Context, tx Store) error) (ran bool, err error)
	// Ping says whether the database answers.
	Ping(ctx context.Context) error
	Close() error
}

// Catalogue is what calls are decided by: numbers, rules, users, tariffs. It
// changes seldom and is read for each call.
type Catalogue interface {
	CreateCustomer(ctx context.Context, c Customer) error
	ListCustomers(ctx context.Context, s Scope, p Page) ([]Customer, error)

	// CreateAccessNumber adds a number. Its room, if it has one, must be there;
	// when that room is removed, the number asks for codes.
	CreateAccessNumber(ctx context.Context, n AccessNumber) error
	// ListAccessNumbers lists what the scope may use: its own and those of nobody.
	ListAccessNumbers(ctx context.Context, s Scope, p Page) ([]AccessNumber, error)
	// AccessNumberByNumber finds what was dialled.
	AccessNumberByNumber(ctx context.Context, number string) (AccessNumber, error)

	CreateCallRule(ctx context.Context, r CallRule) error
	// ListCallRules returns all rules by ascending position.
	ListCallRules(ctx context.Context) ([]CallRule, error)
	DeleteCallRule(ctx context.Context, id RuleID) error

	PutSIPUser(ctx context.Context, u SIPUser) error
	SIPUser(ctx context.Context, realm, username string) (SIPUser, error)

	CreateTariff(ctx context.Context, t Tariff) error
	ListTariffs(ctx context.Context, p Page) ([]Tariff, error)
	// PutRate sets the rate of its tariff, service and access number.
	PutRate(ctx context.Context, r Rate) error
	// ListRates returns the tariff's rates by service and access number.
	ListRates(ctx context.Context, t TariffID) ([]Rate, error)
	// RateFor finds the rate of a stay that came in by accessNumber: the
	// number's own, else the tariff's general one, else ErrNotFound.
	RateFor(ctx context.Context, t TariffID, s Service, accessNumber string) (Rate, error)

	CreateToken(ctx context.Context, t APIToken) error
	// TokenByHash finds a token by the hex SHA-256 of its secret. Expiry is the caller's to check.
	TokenByHash(ctx context.Context, hash string) (APIToken, error)
	ListTokens(ctx context.Context, p Page) ([]APIToken, error)
	DeleteToken(ctx context.Context, id TokenID) error
}

// Rooms keeps rooms and their codes.
type Rooms interface {
	// CreateRoom adds a room. An empty HostCode or GuestCode is filled with a
	// random unused code of codeDigits digits (4 to 12), or is ErrNoFreeCode. It
	// returns the room as kept, with Version 1. ErrConflict names a code of r
	// that is taken, and not by whom. The account must be the customer's.
	CreateRoom(ctx context.Context, r Room, codeDigits int) (Room, error)
	Room(ctx context.Context, s Scope, id RoomID) (Room, error)
	ListRooms(ctx context.Context, s Scope, p Page) ([]Room, error)
	// UpdateRoom replaces the room whose Version is r.Version, codes included,
	// and returns it with the next version; ErrVersion if it has another.
	// CustomerID, AccountID, CodeSpace and CreatedAt are not changed.
	UpdateRoom(ctx context.Context, s Scope, r Room) (Room, error)
	// DeleteRoom removes the room and frees its codes and numbers; its past conferences,
	// participants and xDRs stay. ErrInUse while a conference of it is open.
	DeleteRoom(ctx context.Context, s Scope, id RoomID) error
	// RoomByCode finds the room and role that a code leads to.
	RoomByCode(ctx context.Context, codeSpace, code string) (CodeMatch, error)
}

// Conferences keeps conferences, who is in them, and their history.
type Conferences interface {
	// OpenConference records a new conference; one that has ended already (EndedAt
	// is set) as it was, whatever its epoch. For a KindMain that has not: an epoch lower than
	// one the room has had is ErrStaleEpoch, for a repetition too; while one of
	// the same epoch is open it is ErrConflict; an open one of a lower epoch is
	// closed, with the reason EndSuperseded, and this one takes its place.
	OpenConference(ctx context.Context, c Conference) error
	// RoomEpoch is the highest epoch that the room's main conferences have had; 0: none.
	RoomEpoch(ctx context.Context, room RoomID) (uint64, error)
	// CloseConference ends it. Closing twice keeps the first end; but EndDrain and EndMoved
	// take the place of EndSuperseded, for they are why.
	CloseConference(ctx context.Context, id ConferenceID, at time.Time, reason string) error
	Conference(ctx context.Context, s Scope, id ConferenceID) (Conference, error)
	// ListConferences lists open ones, or with ended true all of them.
	ListConferences(ctx context.Context, s Scope, room RoomID, ended bool, p Page) ([]Conference, error)

	Participant(ctx context.Context, s Scope, id ParticipantID) (Participant, error)
	// MoveParticipant says that a stay goes on in another conference. It is
	// ErrNotFound if it has ended.
	MoveParticipant(ctx context.Context, id ParticipantID, to ConferenceID, focus Place, epoch uint64) error
	// ListParticipants lists who is in, or with left true also who was.
	ListParticipants(ctx context.Context, s Scope, conference ConferenceID, left bool, p Page) ([]Participant, error)

	// AppendConferenceEvents adds to the history, all or none. Events already
	// there (same conference and Seq) are left as they are.
	AppendConferenceEvents(ctx context.Context, events []ConferenceEvent) error
	// ConferenceEvents returns the history up to and including until (zero: all), by Seq.
	ConferenceEvents(ctx context.Context, s Scope, id ConferenceID, until time.Time) ([]ConferenceEvent, error)
}

// Recordings keeps what has been recorded, and which node has the files.
type Recordings interface {
	// PutRecording inserts the recording, or records its end. Of several ends the latest
	// counts: a part of a partition may have thought that it was the last.
	PutRecording(ctx context.Context, r Recording) error
	// PutSegment inserts the segment of a recording, or records its end, once.
	PutSegment(ctx context.Context, s RecordingSegment) error
	// Recording is one that has not been removed, with its segments by number.
	Recording(ctx context.Context, s Scope, id RecordingID) (Recording, []RecordingSegment, error)
	// ListRecordings lists those that have not been removed.
	ListRecordings(ctx context.Context, s Scope, f RecordingFilter, p Page) ([]Recording, error)
	// RemoveRecording has a recording removed: nobody sees it any more, and the nodes
	// that have its files remove them (RemovedSegments). ErrInUse while it goes on.
	RemoveRecording(ctx context.Context, s Scope, id RecordingID, at time.Time, by string) error
	// ExpireRecordings has those removed, by RemovedByRetention, that ended longer ago than
	// they are to be kept, and returns how many. Those of rooms that do not say how long are
	// kept for standard; 0: for ever. It deletes the rows of those that were removed and have
	// no segment left.
	ExpireRecordings(ctx context.Context, now time.Time, standard time.Duration) (int, error)
	// EndLostRecordings ends those that nobody has gone on with since a time, with their last
	// segment, and returns how many: the node that wrote it has died, or no caller came back.
	EndLostRecordings(ctx context.Context, since time.Time) (int, error)
	// OpenSegments are those that the node writes, or was writing when it died.
	OpenSegments(ctx context.Context, node string) ([]RecordingSegment, error)
	// RemovedSegments are those whose files the node has and is to remove; some of them,
	// if there are many.
	RemovedSegments(ctx context.Context, node string) ([]RecordingSegment, error)
	// ForgetSegment deletes the row of a segment whose files are gone. Deleting it again
	// changes nothing.
	ForgetSegment(ctx context.Context, id SegmentID) error
}

// Calls keeps the searchable trace of each call.
type Calls interface {
	// PutCall inserts the call or replaces what is known of it. A call that has
	// ended is not opened again.
	PutCall(ctx context.Context, c Call) error
	// AppendCallSteps adds steps, all or none; those already there (same call and Seq) stay as they are.
	AppendCallSteps(ctx context.Context, steps []CallStep) error
	Call(ctx context.Context, s Scope, id CallID) (Call, []CallStep, error)
	// ListCalls lists calls that started in [from, to), newest last; zero bounds are open.
	ListCalls(ctx context.Context, s Scope, from, to time.Time, p Page) ([]Call, error)
}

// Accounts keeps accounts and their ledgers.
type Accounts interface {
	// CreateAccount adds an account. A Balance other than zero becomes its first
	// ledger entry (EntryTopUp, reason "opening balance", by author); Reserved
	// begins at zero. The tariff must have the account's currency.
	CreateAccount(ctx context.Context, a Account, author string) error
	Account(ctx context.Context, s Scope, id AccountID) (Account, error)
	AccountByName(ctx context.Context, s Scope, name string) (Account, error)
	ListAccounts(ctx context.Context, s Scope, p Page) ([]Account, error)
	// SetAccountLimits changes credit limit, participant limit and block.
	SetAccountLimits(ctx context.Context, s Scope, id AccountID, creditLimit money.Amount, maxParticipants int, blocked bool) error
	// PostEntry adds a ledger entry and changes the balance, in one
	// transaction. Balance is filled in. Posting an id again changes nothing
	// and returns the first entry; ErrConflict if that is another account's.
	PostEntry(ctx context.Context, e LedgerEntry) (LedgerEntry, error)
	ListEntries(ctx context.Context, s Scope, id AccountID, p Page) ([]LedgerEntry, error)
	// OpenReservations is the sum of what the account's open stays have reserved:
	// what its Reserved must be. It reads every open stay; it is for audits.
	OpenReservations(ctx context.Context, id AccountID) (money.Amount, error)
}

// Usage is the life of a stay: begun with money reserved, kept up, settled once.
type Usage interface {
	// BeginStay records that a participant joined and reserves amount of its
	// account, in one transaction. ErrInsufficientFunds where
	// balance + credit limit - reserved does not cover it, and then nothing is
	// recorded. Beginning an id again changes nothing. An amount of zero
	// reserves nothing and always fits. ErrStaleEpoch if the conference has been
	// superseded or has moved to another node, ErrClosed if it has ended.
	BeginStay(ctx context.Context, p Participant, amount money.Amount) error
	// RecordStay records what a node promised while the store could not be asked: the
	// stay is recorded unless it has been, and what it has reserved is raised to
	// total, whether or not the account has so much, and whatever has become of
	// the conference. A lower total, and a stay that has ended, change nothing.
	RecordStay(ctx context.Context, p Participant, total money.Amount) error
	// TakeStay records that a stay's call goes on at another node, which meters and
	// settles it from now on: p.Ingress, in the run p.Incarnation, as the p.IngressTerm-th
	// to take it over. A stay that is not there yet is recorded, and total reserved, as
	// RecordStay does. One that has ended, or that a later node has taken, stays as it is.
	TakeStay(ctx context.Context, p Participant, total money.Amount) error
	// ExtendReservation raises what an open stay has reserved to total, so that
	// repeating it adds nothing; a lower total changes nothing.
	// ErrInsufficientFunds leaves it as it was; ErrClosed if the stay has ended.
	ExtendReservation(ctx context.Context, id ParticipantID, total money.Amount) error
	// SettleStay ends a stay, in one transaction: the participant's LeftAt and
	// Cause, its xDR, the ledger entry of its amount, the account's balance,
	// and the reservation given back. Exactly the first call for an id has an
	// effect; it returns true. A stay that was never begun is ErrNotFound. What
	// the xDR says of account, customer and room must be the stay's; its conference
	// may be a later one of the room, which the stay has gone on in. Where a later
	// node has taken the call over (TakeStay), that one settles, and this is false.
	SettleStay(ctx context.Context, x XDR) (settled bool, err error)
	// SetParticipantRole records a role or ownership changed in the conference.
	SetParticipantRole(ctx context.Context, id ParticipantID, r Role, owner bool) error

	XDR(ctx context.Context, s Scope, id ParticipantID) (XDR, error)
	// ListXDRs lists by id.
	ListXDRs(ctx context.Context, s Scope, f XDRFilter, p Page) ([]XDR, error)
}

// Nodes keeps the lives of nodes, from which stays are closed after a crash.
type Nodes interface {
	// StartRun records a new run of a node, with StartedAt as its first heartbeat.
	StartRun(ctx context.Context, r NodeRun) error
	// Heartbeat moves the run's HeartbeatAt forward, never back.
	Heartbeat(ctx context.Context, node string, incarnation int64, at time.Time) error
	// StopRun records an orderly end. Stopping twice keeps the first end.
	StopRun(ctx context.Context, node string, incarnation int64, at time.Time) error
	// OpenStaysOfDeadRuns returns the open participants whose ingress is a run of
	// node other than incarnation, each with the last heartbeat of its run and what it
	// has reserved.
	OpenStaysOfDeadRuns(ctx context.Context, node string, incarnation int64) ([]DeadStay, error)
	// CloseConferencesOfDeadRuns ends the open conferences of such runs, each at
	// its run's last heartbeat, with reason "node-failure", and returns how many.
	CloseConferencesOfDeadRuns(ctx context.Context, node string, incarnation int64) (int, error)
	// CloseCallsOfDeadRuns ends the open calls of a node that started before
	// the current run, each at the last heartbeat of the run that it began in,
	// with cause "node-failure", and returns how many.
	CloseCallsOfDeadRuns(ctx context.Context, node string, incarnation int64) (int, error)
}

// DeadStay is an open stay whose node has died.
type DeadStay struct {
	Participant Participant
	LastSeen    time.Time    // the later of JoinedAt and the run's last heartbeat
	Reserved    money.Amount // what the stay may cost at most
}

// MatchSource says whether the rule's source network takes in addr.
func (r CallRule) MatchSource(addr netip.Addr) bool {
	return !r.Source.IsValid() || r.Source.Contains(addr.Unmap())
}
