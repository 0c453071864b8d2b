package callflow

import (
	"context"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/jonboulle/clockwork"

	"github.com/conclave-voice/conclave/billing"
	"github.com/conclave-voice/conclave/callflow/dialogue"
	"github.com/conclave-voice/conclave/callflow/screening"
	"github.com/conclave-voice/conclave/callflow/signaling"
	"github.com/conclave-voice/conclave/conference"
	"github.com/conclave-voice/conclave/media/codec"
	"github.com/conclave-voice/conclave/media/engine"
	"github.com/conclave-voice/conclave/media/prompt"
	"github.com/conclave-voice/conclave/media/session"
	"github.com/conclave-voice/conclave/sites"
	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/outbox"
)

// Catalogue is what decides about a call.
type Catalogue interface {
	ListCallRules(ctx context.Context) ([]store.CallRule, error)
	SIPUser(ctx context.Context, realm, username string) (store.SIPUser, error)
	RoomByCode(ctx context.Context, codeSpace, code string) (store.CodeMatch, error)
	Room(ctx context.Context, s store.Scope, id store.RoomID) (store.Room, error)
	Account(ctx context.Context, s store.Scope, id store.AccountID) (store.Account, error)
}

// Traces keeps what happened to each call, and where its caller is.
type Traces interface {
	PutCall(ctx context.Context, c store.Call) error
	AppendCallSteps(ctx context.Context, steps []store.CallStep) error
	MoveParticipant(ctx context.Context, id store.ParticipantID, to store.ConferenceID, focus store.Place, epoch uint64) error
}

// Locator says where a room's conference runs. The assignment over, if it is not zero, is
// one no longer, and is replaced.
type Locator interface {
	Locate(ctx context.Context, room store.Room, over sites.Assignment) (sites.Assignment, error)
	// Local is where those callers of this site talk who cannot hear the home of the room,
	// though it answers; it fails at the home itself.
	Local(ctx context.Context, room store.Room) (sites.Assignment, error)
	// Current is what this node knows of a room of its site, without asking.
	Current(room store.RoomID) (sites.Assignment, bool)
}

// Config is what an Engine needs. All fields but the limits must be set.
type Config struct {
	Place       store.Place
	Incarnation int64
	Catalogue   Catalogue
	Traces      Traces
	Billing     *billing.Service
	Locator     Locator
	Host        *conference.Host
	// Foci, Handovers and Dial are for conferences at other nodes; nil: there are none.
	Foci      Foci
	Handovers Handovers
	// ForwardMedia says which way the media of forwarded calls goes; empty: MediaRelay.
	ForwardMedia ForwardMedia
	Dial         func(context.Context, signaling.DialRequest, signaling.DialogHandler) (*signaling.Dialog, []byte, error)
	// Custody and Restore are for calls that another node of the site goes on with when
	// this one is gone, and the other way round; nil: nobody does.
	Custody    Custody
	Restore    func(context.Context, signaling.DialogState, signaling.DialogHandler) (*signaling.Dialog, error)
	Realm      string // of digest authentication
	Challenger *screening.Challenger
	Guard      *screening.Guard
	Registry   *codec.Registry
	Ports      *session.Ports
	Media      *engine.Engine
	Prompts    *prompt.Library
	Dialogue   dialogue.Config
	// MediaAddr is the address that callers are told to send RTP to.
	MediaAddr netip.Addr
	// Own says whether an address is one of this machine's; nil: none is.
	Own func(netip.Addr) bool
	// MaxCalls bounds the calls on this node, in whatever phase; 0: no limit.
	MaxCalls int
	// Busy says whether new callers are refused because audio would suffer; nil: never.
	Busy func() bool
	// MediaTimeout releases a caller whose RTP has stopped for so long without hold.
	MediaTimeout time.Duration
	Clock        clockwork.Clock
	Logger       hclog.Logger
}

// maxTraces is how many trace writes may wait for the store. When that many do,
// the control of calls waits too; audio does not.
const maxTraces = 4096

// busyPause is when a caller may try again who was refused because audio would suffer.
const busyPause = 10 * time.Second

// lookupTime bounds each question to the store on a call's way.
const lookupTime = 5 * time.Second

// Engine handles the calls of one node. It is a signaling.Handler.
type Engine struct {
	config Config
	traces *outbox.Outbox

	mu       sync.Mutex
	calls    map[store.CallID]*call
	stopping bool           // no call is taken over any more
	gone     sync.WaitGroup // calls that have not ended

	hosting hosting
	watches nodeWatches

	refused  atomic.Uint64 // forwarded calls without a valid proof
	relayed  atomic.Uint64 // RTP packets passed on
	returned atomic.Uint64 // calls whose media came back
	taken    takeovers
	graded   grades
}

// New makes an engine; call Run.
func New(c Config) *Engine {
	return &Engine{config: c, watches: nodeWatches{nodes: map[store.Place]*nodeWatch{}}, traces: outbox.New(maxTraces, c.Logger), calls: map[store.CallID]*call{},
		hosting: hosting{reserved: map[store.ParticipantID]*reserved{}, callers: map[store.ParticipantID]*call{}, legs: map[store.ParticipantID]*focusLeg{}, own: map[store.ParticipantID]*call{}}}
}

// Run writes traces until ctx is done, then releases the calls that are left,
// waits for them, and writes the rest. No INVITE may come in any more by then.
func (e *Engine) Run(ctx context.Context) error {
	writing, stopWriting := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWriting()
	written := make(chan error, 1)
	go func() { written <- e.traces.Run(writing) }()
	e.watch(ctx)
	e.cancelAll()
	e.supersede()
	for _, c := range e.lastOnes() {
		c.shutdown()
	}
	e.gone.Wait()
	stopWriting()
	return <-written
}

// ReleaseAll ends the calls that this node has taken, with a word of regret: no other node
// goes on with them. It does not wait for them.
func (e *Engine) ReleaseAll() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, c := range e.calls {
		c.expired.Store(true)
		c.shutdown()
	}
}

// Calls is how many calls there are, in whatever phase.
func (e *Engine) Calls() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.calls)
}

// lastOnes are the calls that are left when the node stops. None is taken over any more.
func (e *Engine) lastOnes() []*call {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stopping = true
	return e.all()
}

// all are the calls, forwarded ones among them. The lock is held.
func (e *Engine) all() []*call {
	list := slices.Collect(maps.Values(e.calls))
	e.hosting.mu.Lock()
	defer e.hosting.mu.Unlock()
	return append(list, slices.Collect(maps.Values(e.hosting.callers))...)
}

// begin counts a call in; false if the node has as many as it may.
func (e *Engine) begin(c *call) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.config.MaxCalls > 0 && len(e.calls) >= e.config.MaxCalls {
		return false
	}
	e.calls[c.row.ID] = c
	e.gone.Add(1)
	return true
}

func (e *Engine) end(c *call) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.calls, c.row.ID)
	e.gone.Done()
}

// ServeInvite handles a new call until it is answered; then the call goes on without the
// INVITE.
func (e *Engine) ServeInvite(ctx context.Context, in *signaling.Invite) {
	if proof := in.Header(handoverHeader); len(proof) > 0 {
		e.serveHandover(ctx, in, proof[0])
		return
	}
	c := newCall(e, in)
	if busy := e.config.Busy; busy != nil && busy() {
		defer c.finish()
		c.refuse(in, refusal{status: 503, cause: store.CauseLimit, step: "capacity", detail: "the audio of those who are there would suffer", retry: busyPause})
		return
	}
	if !e.begin(c) {
		defer c.finish()
		c.refuse(in, refusal{status: 503, cause: store.CauseLimit, step: "capacity", detail: "the node has as many calls as it may", retry: 30 * time.Second})
		return
	}
	over := func() { defer e.end(c); c.finish() }
	answered := false
	defer func() {
		if !answered {
			over()
		}
	}()
	if number, ok := c.admit(ctx, in); ok && c.answer(ctx, in, number) {
		answered = true
		c.begin(c.enterDialogue, over)
	}
}
