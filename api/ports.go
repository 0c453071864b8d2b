package api

import (
	"context"
	"io"
	"time"

	"github.com/conclave-voice/conclave/api/v1"
	"github.com/conclave-voice/conclave/conference"
	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/journal"
	"github.com/conclave-voice/conclave/store/money"
)

// Store is what the API reads and writes. See package store for the contracts.
type Store interface {
	store.Catalogue
	store.Rooms
	Conferences
	Accounts
	Calls
	Records
	Recordings
}

// Conferences are read only: the focus writes them.
type Conferences interface {
	Conference(ctx context.Context, s store.Scope, id store.ConferenceID) (store.Conference, error)
	ListConferences(ctx context.Context, s store.Scope, room store.RoomID, ended bool, p store.Page) ([]store.Conference, error)
	Participant(ctx context.Context, s store.Scope, id store.ParticipantID) (store.Participant, error)
	ListParticipants(ctx context.Context, s store.Scope, conference store.ConferenceID, left bool, p store.Page) ([]store.Participant, error)
	ConferenceEvents(ctx context.Context, s store.Scope, id store.ConferenceID, until time.Time) ([]store.ConferenceEvent, error)
}

// Accounts are read, made and limited here; their money is the Ledger's.
type Accounts interface {
	CreateAccount(ctx context.Context, a store.Account, author string) error
	Account(ctx context.Context, s store.Scope, id store.AccountID) (store.Account, error)
	AccountByName(ctx context.Context, s store.Scope, name string) (store.Account, error)
	ListAccounts(ctx context.Context, s store.Scope, p store.Page) ([]store.Account, error)
	SetAccountLimits(ctx context.Context, s store.Scope, id store.AccountID, creditLimit money.Amount, maxParticipants int, blocked bool) error
	ListEntries(ctx context.Context, s store.Scope, id store.AccountID, p store.Page) ([]store.LedgerEntry, error)
}

// Calls are traces of calls.
type Calls interface {
	Call(ctx context.Context, s store.Scope, id store.CallID) (store.Call, []store.CallStep, error)
	ListCalls(ctx context.Context, s store.Scope, from, to time.Time, p store.Page) ([]store.Call, error)
}

// Records are usage records.
type Records interface {
	XDR(ctx context.Context, s store.Scope, id store.ParticipantID) (store.XDR, error)
	ListXDRs(ctx context.Context, s store.Scope, f store.XDRFilter, p store.Page) ([]store.XDR, error)
}

// Recordings are read, and removed.
type Recordings interface {
	Recording(ctx context.Context, s store.Scope, id store.RecordingID) (store.Recording, []store.RecordingSegment, error)
	ListRecordings(ctx context.Context, s store.Scope, f store.RecordingFilter, p store.Page) ([]store.Recording, error)
	RemoveRecording(ctx context.Context, s store.Scope, id store.RecordingID, at time.Time, by string) error
}

// Files opens files of recordings, at whatever node they are: the mix of a segment, or a
// participant's track. store.ErrNotFound if there is none, rpc.ErrUnreachable if its node
// cannot be asked.
type Files interface {
	Open(ctx context.Context, s store.RecordingSegment, f store.RecordingFormat, track store.ParticipantID) (io.ReadSeekCloser, error)
}

// Ledger makes ledger entries: billing.Ledger. Giving the id of an earlier entry again
// returns that entry.
type Ledger interface {
	TopUp(ctx context.Context, id store.EntryID, account store.AccountID, amount money.Amount, reason, author string) (store.LedgerEntry, error)
	Adjust(ctx context.Context, id store.EntryID, account store.AccountID, amount money.Amount, reason, author string) (store.LedgerEntry, error)
}

// Cluster is what the node knows of the others, and what may be told to them. A node or
// site that is not known is store.ErrNotFound.
type Cluster interface {
	Nodes() []v1.Node
	Sites() []v1.Site
	// Site asks all nodes about a site. Its error is store.ErrNotFound.
	Site(ctx context.Context, site string) (v1.SiteDetail, error)
	// Drain takes a node out of use, or into it again.
	Drain(ctx context.Context, node string, draining bool) error
	// DrainSite takes all nodes of a site out of use, or into it again.
	DrainSite(ctx context.Context, site string, d v1.SiteDraining) error
	// RotateKeys gives all nodes new keys, and says how many have them; without those that
	// are off only if that is said. ErrNotNow: some are off, or there is no cluster.
	RotateKeys(ctx context.Context, without bool) (nodes int, err error)
	// Force says whether a site is to be used: auto, up or down.
	Force(ctx context.Context, site, mode string) error
}

// Journal is what this node has yet to tell the store, and what that has refused. Errors
// are store.ErrNotFound for a dead letter that is not there, and store.ErrInvalid.
type Journal interface {
	Stats() journal.Stats
	DeadLetters(most int) ([]journal.DeadLetter, error)
	Requeue(ids []string, by string) (int, error)
	Discard(ids []string, why, by string) (int, error)
}

// Focus gives commands to conferences that go on, wherever they are hosted. The caller
// has checked that the conference may be commanded. The errors are those of package
// roster, or conference.ErrNoSuch where the conference is not (any longer) hosted.
type Focus interface {
	SetMuted(ctx context.Context, id store.ConferenceID, p store.ParticipantID, muted bool, by conference.By) error
	SetAllMuted(ctx context.Context, id store.ConferenceID, muted bool, by conference.By) error
	SetLocked(ctx context.Context, id store.ConferenceID, locked bool, by conference.By) error
	SetRole(ctx context.Context, id store.ConferenceID, p store.ParticipantID, role store.Role, by conference.By) error
	Eject(ctx context.Context, id store.ConferenceID, p store.ParticipantID, by conference.By) error
	End(ctx context.Context, id store.ConferenceID, by conference.By) error
	// Speakers are those whose voice is heard now.
	Speakers(ctx context.Context, id store.ConferenceID) ([]conference.Speaker, error)
	StartRecording(ctx context.Context, id store.ConferenceID, o conference.RecordingOptions, by conference.By) error
	StopRecording(ctx context.Context, id store.ConferenceID, by conference.By) error
}
