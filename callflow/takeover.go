package callflow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/conclave-voice/conclave/billing"
	"github.com/conclave-voice/conclave/callflow/signaling"
	"github.com/conclave-voice/conclave/conference/roster"
	"github.com/conclave-voice/conclave/media/session"
	"github.com/conclave-voice/conclave/sites"
	"github.com/conclave-voice/conclave/store"
)

// How a call survives the node that took it (SPEC MS10; DESIGN "Choosing the focus",
// take-over). What another node needs to go on with the call is kept in the site from the
// answer on. When the node is gone, or stops, another one calls the caller's telephone in
// the same dialog, from its own address, and takes the caller back into the conference as
// the same participant, with the same stay and standing. A node that has lost a call so,
// and comes back, ends it without a word: neither the caller nor the stay are its own.

// Custody keeps what the site needs to go on with this node's calls; a custody.Custody.
type Custody interface {
	// Keep keeps the state of a call, in place of what was kept before. It does not wait.
	Keep(call store.CallID, state []byte)
	// Release forgets a call that has ended. It does not wait.
	Release(call store.CallID)
	// Give gives a call to another node of the site, and returns when that has the caller;
	// false: there is none.
	Give(ctx context.Context, call store.CallID) bool
	// Mine says whether a call is still this node's, as far as the site can be asked.
	Mine(ctx context.Context, call store.CallID) bool
}

const (
	// reachTime bounds how long a caller is called who is taken over.
	reachTime = 10 * time.Second
	// giveTime bounds how long a node that stops waits for another to take a call.
	giveTime = 10 * time.Second
	// mineTime bounds the question whose a call is.
	mineTime = 2 * time.Second
)

// keptCall is a call as data.
type keptCall struct {
	Call     store.Call
	Steps    int64 // of its trace
	Number   store.AccessNumber
	Hops     int
	Dialog   signaling.DialogState
	Session  uint64 // id of our session description (RFC 4566 section 5.2)
	Version  uint64 // of it
	Held     bool
	Found    *store.CodeMatch   `json:",omitempty"`
	Where    sites.Assignment   // of its conference
	Standing roster.Standing    // there
	Stay     *billing.StayState `json:",omitempty"` // nil: it is in no conference
	Leaving  store.ReleaseCause `json:",omitempty"` // it hears its last words
}

// keptMark is what of a call changes without the call's own doing.
type keptMark struct {
	target  string
	peer    netip.AddrPort
	version uint64
}

// takeovers are counts since the node started.
type takeovers struct {
	reached, unreached, given, lost atomic.Uint64
}

// TakeOvers are counts since the node started.
type TakeOvers struct {
	Reached   uint64 // calls of other nodes that go on here
	Unreached uint64 // calls of other nodes whose callers could not be reached any more
	Given     uint64 // calls given to another node because this one stopped
	Lost      uint64 // calls that another node has taken over from this one
}

// TakeOvers tells how many calls have changed their node.
func (e *Engine) TakeOvers() TakeOvers {
	return TakeOvers{Reached: e.taken.reached.Load(), Unreached: e.taken.unreached.Load(), Given: e.taken.given.Load(), Lost: e.taken.lost.Load()}
}

// keep tells the site what the call is now.
func (c *call) keep() {
	custody := c.engine.config.Custody
	if custody == nil || c.hosted != "" || c.dialog == nil {
		return
	}
	state, err := json.Marshal(c.asData())
	if err != nil {
		c.logger.Error("the call cannot be kept for another node to take over", "error", err)
		return
	}
	custody.Keep(c.row.ID, state)
}

func (c *call) asData() keptCall {
	k := keptCall{Call: c.row, Steps: c.seq, Number: c.number, Hops: c.hops, Dialog: c.dialog.State(), Where: c.where, Standing: c.has}
	k.Session, k.Version, k.Held = c.sdp.now()
	if c.found.Room.ID != "" {
		k.Found = &c.found
	}
	if c.stay != nil {
		state := c.stay.State()
		k.Stay = &state
	}
	if c.phase == leaving {
		k.Leaving = c.row.Cause
	}
	c.kept = keptMark{k.Dialog.RemoteTarget, k.Dialog.Peer, k.Version}
	return k
}

// keepNews tells the site what has changed by the caller's telephone: where it is to be
// reached, and what was agreed on.
func (c *call) keepNews() {
	if c.engine.config.Custody == nil || c.hosted != "" || c.phase == ended {
		return
	}
	st := c.dialog.State()
	_, version, _ := c.sdp.now()
	if c.kept != (keptMark{st.RemoteTarget, st.Peer, version}) {
		c.keep()
	}
}

// unkeep: the call has ended.
func (c *call) unkeep() {
	if custody := c.engine.config.Custody; custody != nil && c.hosted == "" {
		custody.Release(c.row.ID)
	}
}

// give gives the call to another node; false if none takes it.
func (c *call) give() bool {
	custody := c.engine.config.Custody
	if custody == nil || c.hosted != "" || c.phase >= leaving {
		return false
	}
	c.keep()
	ctx, cancel := context.WithTimeout(context.Background(), giveTime)
	defer cancel()
	if !custody.Give(ctx, c.row.ID) {
		return false
	}
	c.engine.taken.given.Add(1)
	return true
}

// isOurs asks whose the call is, after a time in which this node did nothing.
func (c *call) isOurs() bool {
	custody := c.engine.config.Custody
	if custody == nil || c.hosted != "" {
		return true
	}
	ctx, cancel := context.WithTimeout(context.Background(), mineTime)
	defer cancel()
	return custody.Mine(ctx, c.row.ID)
}

// vanish ends the call here and nowhere else: another node has the caller, and the stay.
func (c *call) vanish(why string) {
	c.logger.Info("call left to another node", "why", why)
	if c.seat != nil {
		if _, elsewhere := c.seat.(*focusLeg); elsewhere {
			c.leaveFocus()
		} else {
			c.seat.Leave(store.CauseMoved)
			<-c.release
		}
		c.standUp()
	}
	if c.stay != nil {
		c.engine.unhold(c, c.stay.Participant.ID)
	}
	c.stay, c.gone, c.phase = nil, true, ended
	c.dialog.Abandon()
}

// Lost: another node has taken a call of this one over.
func (e *Engine) Lost(id store.CallID) {
	e.mu.Lock()
	c := e.calls[id]
	e.mu.Unlock()
	if c != nil {
		e.taken.lost.Add(1)
		c.post(message{lost: true})
	}
}

// TakeOver goes on with a call of another node, as that has kept it. It returns when the
// caller has answered, or will not.
func (e *Engine) TakeOver(ctx context.Context, id store.CallID, state []byte) {
	var k keptCall
	if err := json.Unmarshal(state, &k); err != nil || k.Call.ID != id {
		e.config.Logger.Error("a call cannot be taken over: what was kept of it cannot be read", "call", id, "error", err)
		e.config.Custody.Release(id)
		return
	}
	c := e.revive(k)
	if !e.adopt(c) {
		return // the node stops: the next one takes it
	}
	answered := make(chan struct{})
	c.begin(func() { c.goOn(k, answered) }, func() { defer e.end(c); c.finish() })
	select {
	case <-answered:
	case <-ctx.Done():
	}
}

// revive makes a call of what was kept of it.
func (e *Engine) revive(k keptCall) *call {
	c := &call{engine: e, row: k.Call, seq: k.Steps, number: k.Number, hops: k.Hops, has: k.Standing,
		inbox: make(chan *message, maxMessages), stop: make(chan struct{}), over: make(chan struct{})}
	c.path = newMediaPath(c)
	c.sdp.id, c.sdp.version, c.sdp.held = k.Session, k.Version, k.Held
	if k.Found != nil {
		c.found = *k.Found
	}
	c.hint = k.Where // which need not have been lost with its ingress
	c.row.Node = e.config.Place
	c.logger = e.config.Logger.With("call", c.row.ID, "from", c.row.From, "to", c.row.To, "site", e.config.Place.Site, "room", c.found.Room.ID)
	return c
}

// adopt counts a call in that is taken over, however many there are; false if the node stops.
func (e *Engine) adopt(c *call) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.stopping || e.calls[c.row.ID] != nil {
		return false
	}
	e.calls[c.row.ID] = c
	e.gone.Add(1)
	return true
}

// goOn is how a call begins that is taken over. It closes answered when the caller has
// answered, or will not.
func (c *call) goOn(k keptCall, answered chan<- struct{}) {
	began := c.now()
	err := c.reach(k)
	close(answered)
	if k.Stay != nil {
		c.resume(*k.Stay)
	}
	if err != nil {
		c.engine.taken.unreached.Add(1)
		c.unreached(began, k, err)
		return
	}
	c.engine.taken.reached.Add(1)
	c.logger.Info("call taken over", "of", k.Call.Node.Node, "took", c.now().Sub(began))
	c.step("take-over", ok, "from node "+k.Call.Node.Node)
	c.flush()
	c.prepare()
	c.comeHome()
	c.keep()
	switch {
	case k.Leaving != "":
		c.row.Cause = k.Leaving
		c.hangUp()
	case c.stay != nil:
		c.startMoving()
	default:
		c.do(c.opening())
	}
}

// reach calls the caller's telephone, in the dialog that it has, from here.
func (c *call) reach(k keptCall) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), reachTime)
	defer cancel()
	if c.media, err = session.Open(c.engine.config.Ports, c.engine.config.Registry); err != nil {
		var unknown error // the caller is told at least, and does not listen to nothing
		c.dialog, unknown = c.engine.config.Restore(ctx, k.Dialog, deaf{c})
		return errors.Join(fmt.Errorf("no RTP port is free: %w", err), unknown)
	}
	c.told = c.addressOf(c.media)
	c.live.Store(c.media)
	if c.dialog, err = c.engine.config.Restore(ctx, k.Dialog, c); err != nil {
		return err
	}
	offer, err := c.LocalOffer()
	if err != nil {
		return err
	}
	answer, err := c.dialog.Reinvite(ctx, offer)
	if err != nil {
		return fmt.Errorf("re-INVITE the caller: %w", err)
	}
	return c.RemoteAnswer(answer)
}

// deaf is a call that has no media, and will end at once: it agrees to nothing.
type deaf struct{ *call }

var errDeaf = errors.New("the call is ending")

func (deaf) Offer([]byte) ([]byte, error) { return nil, errDeaf }
func (deaf) LocalOffer() ([]byte, error)  { return nil, errDeaf }
func (deaf) RemoteAnswer([]byte) error    { return errDeaf }

// resume goes on with the stay, whether or not the store can be told.
func (c *call) resume(st billing.StayState) {
	ctx, cancel := c.within()
	defer cancel()
	var err error
	if c.stay, err = c.engine.config.Billing.Resume(ctx, st, c.engine.config.Place, c.engine.config.Incarnation); err != nil {
		c.logger.Error("the store does not know yet who settles the stay", "error", err)
	}
	c.engine.hold(c, c.stay.Participant)
}

// unreached ends a call whose caller is gone, as of when that was found.
func (c *call) unreached(at time.Time, k keptCall, err error) {
	c.logger.Warn("call not taken over: the caller cannot be reached", "of", k.Call.Node.Node, "error", err)
	c.step("take-over", failed, "the caller cannot be reached")
	c.row.Cause = store.CauseLost
	var refused *signaling.StatusError
	if errors.As(err, &refused) && refused.Status == 481 {
		c.row.Cause = store.CauseHangup // it did so while the node was gone
	}
	c.settle(at, c.row.Cause)
	c.phase = ended
	if c.dialog != nil {
		c.bye("the call cannot go on")
	}
}
