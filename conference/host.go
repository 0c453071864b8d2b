package conference

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/jonboulle/clockwork"
	"golang.org/x/sync/errgroup"

	"github.com/conclave-voice/conclave/conference/mixer"
	"github.com/conclave-voice/conclave/conference/roster"
	"github.com/conclave-voice/conclave/media/engine"
	"github.com/conclave-voice/conclave/media/prompt"
	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/outbox"
)

// Refusals besides those of package roster.
var (
	ErrAccountFull = errors.New("the account's conferences are full")
	ErrNodeFull    = errors.New("the node is full")
	ErrNoSuch      = errors.New("no such conference on this node")
	ErrReturning   = errors.New("a seat is reserved already for the participant to return to")
)

// Engine ticks mixers.
type Engine interface {
	Add(engine.Ticker)
	Remove(engine.Ticker)
}

// Store is what conferences keep.
type Store interface {
	OpenConference(ctx context.Context, c store.Conference) error
	CloseConference(ctx context.Context, id store.ConferenceID, at time.Time, reason string) error
	AppendConferenceEvents(ctx context.Context, events []store.ConferenceEvent) error
	SetParticipantRole(ctx context.Context, id store.ParticipantID, r store.Role, owner bool) error
	PutRecording(ctx context.Context, r store.Recording) error
	PutSegment(ctx context.Context, s store.RecordingSegment) error
}

// Config is what a Host needs.
type Config struct {
	Place           store.Place
	Incarnation     int64 // of this run of the node
	MaxParticipants int   // on this node; 0: no limit
	Engine          Engine
	Store           Store
	Prompts         *prompt.Library
	Mixing          mixer.Config // of every conference; its Music is each room's own
	Recorder        Recorder     // nil: nothing is recorded
	// Busy says whether new participants are refused because audio would suffer; nil: never.
	Busy func() bool
	// Closed is told of each conference whose end has been recorded; may be nil.
	Closed func(store.Conference)
	Clock  clockwork.Clock
	Logger hclog.Logger
}

// Host holds the conferences of one node. Make one with NewHost; call Run.
type Host struct {
	config     Config
	outbox     *outbox.Outbox
	recordings sync.WaitGroup // segments that are being written

	mu       sync.Mutex
	rooms    map[use]*Conference
	over     map[use]uint64          // epochs that have ended here
	seats    int                     // on this node
	accounts map[store.AccountID]int // seats by account
}

// NewHost makes a host without conferences.
func NewHost(c Config) *Host {
	return &Host{
		config: c, outbox: outbox.New(maxUnwritten, c.Logger),
		rooms: map[use]*Conference{}, over: map[use]uint64{}, accounts: map[store.AccountID]int{},
	}
}

// housekeeping is how often scheduled ends are looked at.
const housekeeping = time.Second

// Run records what happens and lets scheduled ends come, until ctx is done; then
// it ends all conferences and writes what is left to write.
func (h *Host) Run(ctx context.Context) error {
	writing, stopWriting := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWriting()
	var g errgroup.Group
	g.Go(func() error { return h.outbox.Run(writing) })
	tick := h.config.Clock.NewTicker(housekeeping)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			for _, c := range h.Conferences() {
				c.releaseAll(store.CauseShutdown, string(store.CauseShutdown))
			}
			h.awaitRecordings()
			stopWriting()
			return g.Wait()
		case <-tick.Chan():
			for _, c := range h.Conferences() {
				c.tick()
			}
		}
	}
}

// Admission is who wants in, and where.
type Admission struct {
	Room        store.Room
	Role        store.Role
	Participant store.ParticipantID
	Caller      string
	Language    string
	Kind        store.ConferenceKind
	Epoch       uint64
	// Run is the incarnation of this node's run that the room was given to; 0: not said.
	Run uint64 `json:",omitempty"`
	// Alone: the epoch is this node's own (sites.Assignment).
	Alone bool `json:",omitempty"`
	// Standing is what the participant had in the conference that this one takes the
	// place of; nil: it is new. A participant who returns to a conference in which it still
	// has a seat, by another call, leaves that one when it enters, without a sound.
	Standing *roster.Standing
	// AccountLimit is how many the room's account may have in conferences; 0: no limit.
	AccountLimit int
}

// Admit reserves a seat, opening the conference if there is none. The seat counts
// toward all limits at once, but nobody hears or sees it before Enter. The errors
// are the refusals of this package and of roster, or the store's.
func (h *Host) Admit(ctx context.Context, a Admission) (*Seat, error) {
	for {
		c, created, err := h.reserve(a)
		if err != nil {
			return nil, err
		}
		if created {
			c.open(ctx)
		}
		select {
		case <-c.opened:
		case <-ctx.Done():
			h.unreserve(a.Room.AccountID)
			return nil, fmt.Errorf("wait for the conference to open: %w", ctx.Err())
		}
		older := c.row.Epoch < a.Epoch
		if older {
			c.releaseAll(store.CauseMoved, string(store.CauseMoved))
		}
		seat, err := c.seat(a)
		if !errors.Is(err, errClosing) {
			if err != nil {
				h.unreserve(a.Room.AccountID)
			}
			return seat, err
		}
		// It ended this moment: its end is written before the next one begins,
		// for a room has at most one open conference in the store.
		h.unreserve(a.Room.AccountID)
		select {
		case <-c.closed:
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for the room's last conference to close: %w", ctx.Err())
		}
		if !older {
			return nil, ErrEpochOver
		}
	}
}

// reserve checks and counts node and account limits and finds or makes the
// conference.
func (h *Host) reserve(a Admission) (c *Conference, created bool, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if a.Run != 0 && a.Run != uint64(h.config.Incarnation) {
		return nil, false, ErrEpochOver // with the run that it was given to
	}
	// Who returns had a place, and has lost its node.
	if busy := h.config.Busy; busy != nil && a.Standing == nil && busy() {
		return nil, false, ErrNodeFull
	}
	if m := h.config.MaxParticipants; m > 0 && h.seats >= m {
		return nil, false, ErrNodeFull
	}
	if a.AccountLimit > 0 && h.accounts[a.Room.AccountID] >= a.AccountLimit {
		return nil, false, ErrAccountFull
	}
	of := use{a.Room.ID, a.Kind, a.Alone}
	c = h.rooms[of]
	if c != nil && c.row.Epoch > a.Epoch || h.isOver(of, a.Epoch) {
		return nil, false, ErrEpochOver
	}
	if c == nil {
		c, created = newConference(h, a), true
		h.rooms[of] = c
	}
	h.seats++
	h.accounts[a.Room.AccountID]++
	return c, created, nil
}

func (h *Host) unreserve(account store.AccountID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.seats--
	if h.accounts[account]--; h.accounts[account] == 0 {
		delete(h.accounts, account)
	}
}

// Conferences are those that this node hosts now.
func (h *Host) Conferences() []*Conference {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := make([]*Conference, 0, len(h.rooms))
	for _, c := range h.rooms {
		list = append(list, c)
	}
	return list
}

// Conference finds one that this node hosts, or ErrNoSuch.
func (h *Host) Conference(id store.ConferenceID) (*Conference, error) {
	for _, c := range h.Conferences() {
		if c.row.ID == id {
			return c, nil
		}
	}
	return nil, ErrNoSuch
}

// Load is how full the node is.
type Load struct{ Conferences, Seats int }

// Load is a snapshot.
func (h *Host) Load() Load {
	h.mu.Lock()
	defer h.mu.Unlock()
	return Load{Conferences: len(h.rooms), Seats: h.seats}
}

// By is who gives a command to a conference: see roster.By.
type By = roster.By

// mode translates what the rules give a member into what the mixer does.
func mode(m roster.Mode) mixer.Mode {
	return mixer.Mode{Speaks: m.Speaks, Hears: m.Hears, Music: m.Music}
}
