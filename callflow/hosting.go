package callflow

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/jonboulle/clockwork"

	"github.com/conclave-voice/conclave/callflow/signaling"
	"github.com/conclave-voice/conclave/conference"
	"github.com/conclave-voice/conclave/conference/roster"
	"github.com/conclave-voice/conclave/media/prompt"
	"github.com/conclave-voice/conclave/sites"
	"github.com/conclave-voice/conclave/store"
)

// ErrNoSuchCaller: no forwarded call of this participant is here.
var ErrNoSuchCaller = errors.New("no such caller at this node")

// ErrTaken: another node has taken the participant's call over, and has asked before.
var ErrTaken = errors.New("the call has been taken over by another node")

// seatTime is how long a seat is kept for a call that is on its way.
const seatTime = 30 * time.Second

// hosting is what this node knows of callers whose calls other nodes have taken.
type hosting struct {
	mu       sync.Mutex
	reserved map[store.ParticipantID]*reserved
	callers  map[store.ParticipantID]*call
	legs     map[store.ParticipantID]*focusLeg // of our callers, at other nodes
	own      map[store.ParticipantID]*call     // our callers, wherever they are
}

// reserved is a seat for a call that is on its way.
type reserved struct {
	seat  *conference.Seat
	name  []int16
	term  uint64 // of the node that asked
	timer clockwork.Timer
}

// Reserve keeps a seat for a call that another node is about to forward. Asking again
// for the same participant gives the same seat. An earlier call of the participant that is
// still here, because its node has lost sight of this one or another has taken it over,
// leaves its seat when the new one enters.
func (e *Engine) Reserve(ctx context.Context, r Reservation) (store.ConferenceID, error) {
	e.hosting.mu.Lock()
	have := e.hosting.reserved[r.Participant]
	e.hosting.mu.Unlock()
	if have != nil && have.term == r.Term {
		return have.seat.Conference().ID(), nil
	}
	if err := e.fence(r.Participant, r.Term); err != nil {
		return "", err
	}
	e.cancel(r.Participant, nil) // an earlier node's
	seat, err := e.config.Host.Admit(ctx, r.Admission)
	if err != nil {
		return "", err
	}
	e.hosting.mu.Lock()
	defer e.hosting.mu.Unlock()
	if have := e.hosting.reserved[r.Participant]; have != nil { // the same request, twice at once
		seat.Cancel()
		return have.seat.Conference().ID(), nil
	}
	kept := &reserved{seat: seat, name: r.Name, term: r.Term}
	kept.timer = e.config.Clock.AfterFunc(seatTime, func() { e.cancel(r.Participant, kept) })
	e.hosting.reserved[r.Participant] = kept
	return seat.Conference().ID(), nil
}

// fence says whether a node that has taken a call over, or moves it, is the last one to
// have it, of those that this node knows of; the others get ErrTaken.
func (e *Engine) fence(p store.ParticipantID, term uint64) error {
	e.hosting.mu.Lock()
	defer e.hosting.mu.Unlock()
	kept, forwarded, own := e.hosting.reserved[p], e.hosting.callers[p], e.hosting.own[p]
	if kept != nil && kept.term > term || forwarded != nil && forwarded.term > term || own != nil && own.term > term {
		return fmt.Errorf("participant %s: %w", p, ErrTaken)
	}
	return nil
}

// hold notes a caller of ours who has a stay; unhold, that it has none.
func (e *Engine) hold(c *call, p store.Participant) {
	e.hosting.mu.Lock()
	defer e.hosting.mu.Unlock()
	c.term = p.IngressTerm
	e.hosting.own[p.ID] = c
}

func (e *Engine) unhold(c *call, p store.ParticipantID) {
	e.hosting.mu.Lock()
	defer e.hosting.mu.Unlock()
	if e.hosting.own[p] == c {
		delete(e.hosting.own, p)
	}
}

// Cancel gives a reserved seat back.
func (e *Engine) Cancel(p store.ParticipantID) { e.cancel(p, nil) }

// cancel gives back the seat that is kept for p, if it is this one; nil is any.
func (e *Engine) cancel(p store.ParticipantID, this *reserved) {
	e.hosting.mu.Lock()
	kept := e.hosting.reserved[p]
	if kept == nil || this != nil && kept != this {
		e.hosting.mu.Unlock()
		return
	}
	delete(e.hosting.reserved, p)
	e.hosting.mu.Unlock()
	kept.timer.Stop()
	kept.seat.Cancel()
}

// cancelAll gives all reserved seats back.
func (e *Engine) cancelAll() {
	e.hosting.mu.Lock()
	var list []store.ParticipantID
	for p := range e.hosting.reserved {
		list = append(list, p)
	}
	e.hosting.mu.Unlock()
	for _, p := range list {
		e.cancel(p, nil)
	}
}

// take gives the seat to the call that has arrived.
func (e *Engine) take(p store.ParticipantID, c *call) (*reserved, bool) {
	e.hosting.mu.Lock()
	defer e.hosting.mu.Unlock()
	kept := e.hosting.reserved[p]
	if kept == nil {
		return nil, false
	}
	delete(e.hosting.reserved, p)
	kept.timer.Stop()
	c.term = kept.term
	e.hosting.callers[p] = c
	return kept, true
}

// hosted is the call of another node's caller, the latest; nil: there is none.
func (e *Engine) hosted(p store.ParticipantID) *call {
	e.hosting.mu.Lock()
	defer e.hosting.mu.Unlock()
	return e.hosting.callers[p]
}

// let forgets a forwarded call that has ended.
func (e *Engine) let(p store.ParticipantID, c *call) {
	e.hosting.mu.Lock()
	defer e.hosting.mu.Unlock()
	if e.hosting.callers[p] == c {
		delete(e.hosting.callers, p)
	}
}

// tell hands something to a forwarded call.
func (e *Engine) tell(p store.ParticipantID, m message) error {
	e.hosting.mu.Lock()
	c := e.hosting.callers[p]
	e.hosting.mu.Unlock()
	if c == nil {
		return fmt.Errorf("participant %s: %w", p, ErrNoSuchCaller)
	}
	c.post(m)
	return nil
}

// Key takes a digit that a forwarded caller's node got by SIP INFO.
func (e *Engine) Key(p store.ParticipantID, digit byte) error {
	return e.tell(p, message{digit: digit})
}

// Hold notes that a forwarded caller's phone holds the call, or has resumed it.
func (e *Engine) Hold(p store.ParticipantID, held bool) error {
	return e.tell(p, message{hold: &held})
}

// Say plays prompts to a forwarded caller.
func (e *Engine) Say(p store.ParticipantID, prompts []prompt.ID) error {
	return e.tell(p, message{say: prompts})
}

// Standing takes what a caller of this node has in a conference at another. A node from
// which the caller has been moved, and that does not know, is not believed.
func (e *Engine) Standing(from store.Place, p store.ParticipantID, st roster.Standing) error {
	l := e.away(p)
	if l == nil || l.node != from {
		return fmt.Errorf("participant %s: %w", p, ErrNoSuchCaller)
	}
	l.stood(st)
	return nil
}

// Media reports on callers of other nodes that are mixed here. Those that are not are
// left out.
func (e *Engine) Media(callers []store.ParticipantID) map[store.ParticipantID]MediaReport {
	now := e.config.Clock.Now().UnixNano()
	e.hosting.mu.Lock()
	defer e.hosting.mu.Unlock()
	reports := map[store.ParticipantID]MediaReport{}
	for _, p := range callers {
		if c := e.hosting.callers[p]; c != nil {
			c.polled.Store(now)
			if r, known := c.report(); known {
				reports[p] = r
			}
		}
	}
	return reports
}

// MediaEnded takes how the media of a caller of this node was at another.
func (e *Engine) MediaEnded(p store.ParticipantID, r MediaReport) error {
	l := e.away(p)
	if l == nil {
		return fmt.Errorf("participant %s: %w", p, ErrNoSuchCaller)
	}
	l.last.note(r)
	return nil
}

// away is a caller of this node that is at another; nil: there is none.
func (e *Engine) away(p store.ParticipantID) *focusLeg {
	e.hosting.mu.Lock()
	defer e.hosting.mu.Unlock()
	return e.hosting.legs[p]
}

// Forwarded is how many callers of this node are in conferences at other nodes, by the
// way that their media goes: past this node, or through it.
func (e *Engine) Forwarded() (past, through int) {
	e.hosting.mu.Lock()
	legs := slices.Collect(maps.Values(e.hosting.legs))
	e.hosting.mu.Unlock()
	for _, l := range legs {
		if l.past() {
			past++
		}
	}
	return past, len(legs) - past
}

// Relayed is how many RTP packets were passed on between callers and other nodes.
func (e *Engine) Relayed() uint64 { return e.relayed.Load() }

// Returned is how often the media of a caller came back to this node because no RTP
// arrived at the focus.
func (e *Engine) Returned() uint64 { return e.returned.Load() }

// keep and lose note which of our callers are at other nodes.
func (e *Engine) keep(l *focusLeg) {
	e.hosting.mu.Lock()
	defer e.hosting.mu.Unlock()
	e.hosting.legs[l.participant] = l
}

func (e *Engine) lose(l *focusLeg) {
	e.hosting.mu.Lock()
	defer e.hosting.mu.Unlock()
	if e.hosting.legs[l.participant] == l {
		delete(e.hosting.legs, l.participant)
	}
}

// serveHandover handles a call that another node has forwarded, until it has ended.
func (e *Engine) serveHandover(ctx context.Context, in *signaling.Invite, proof string) {
	c := newCall(e, in)
	h, err := e.verify(proof, in.CallID())
	if err != nil {
		e.refused.Add(1)
		c.logger.Warn("forwarded call refused", "source", in.Source(), "error", err)
		c.reject(in, signaling.Rejection{Status: 403})
		return
	}
	c.row.ID, c.hosted, c.from = h.Call, h.Participant, h.From
	c.logger = e.config.Logger.With("call", h.Call, "participant", h.Participant, "from", c.row.From, "site", e.config.Place.Site, "ingress", h.From.Node)
	kept, found := e.take(h.Participant, c)
	if !found {
		c.logger.Warn("forwarded call refused: no seat is reserved for it, or no longer")
		c.reject(in, signaling.Rejection{Status: 480})
		return
	}
	e.gone.Add(1)
	over := func() {
		defer e.gone.Done()
		defer e.let(h.Participant, c)
		c.finish()
	}
	answered := false
	defer func() {
		if !answered {
			kept.seat.Cancel()
			over()
		}
	}()
	if c.answer(ctx, in, store.AccessNumber{}) {
		answered = true
		c.begin(func() { c.enterHosted(kept) }, over)
	}
}

// verify checks the proof of a forwarded call. Without a cluster there is none.
func (e *Engine) verify(proof, sipCallID string) (Handover, error) {
	if e.config.Handovers == nil {
		return Handover{}, errors.New("this node is in no cluster")
	}
	return e.config.Handovers.Verify(proof, sipCallID)
}

// RefusedHandovers is how many forwarded calls had no valid proof.
func (e *Engine) RefusedHandovers() uint64 { return e.refused.Load() }

func (c *call) reject(in *signaling.Invite, r signaling.Rejection) {
	if err := in.Reject(r); err != nil {
		c.logger.Debug("refusal not sent", "error", err)
	}
}

// enterHosted is how a forwarded call begins: in its conference.
func (c *call) enterHosted(kept *reserved) {
	c.prepare()
	if err := c.sit(kept.seat, recordedName(kept.name, prompt.Narrowband)); err != nil {
		c.logger.Info("forwarded caller not let in", "error", err)
		c.row.Cause = refusalOf(err)
		if outdated(err) {
			c.row.Cause = store.CauseMoved // its node asks anew
		}
		c.hangUp()
		return
	}
	row := kept.seat.Conference().Row()
	c.enter(kept.seat, sites.Assignment{Focus: row.Focus, Epoch: row.Epoch}, "join", string(row.ID))
}

// orphaned says whether the node that took a hosted call is dead, or has nothing to do with
// this one any more: it was dead, or has moved the caller.
func (c *call) orphaned() bool {
	if c.now().Sub(c.asked) < orphanTime {
		return false
	}
	c.asked = c.now()
	foci := c.engine.config.Foci
	if !foci.Alive(c.from) {
		return true
	}
	ctx, cancel := context.WithTimeout(context.Background(), focusTime)
	defer cancel()
	return errors.Is(foci.Standing(ctx, c.from, c.hosted, c.has), ErrNoSuchCaller)
}

// watchTime is how often the conferences of this node are compared with what the site
// says of their rooms.
const watchTime = time.Second

// watch lets the callers of conferences go whose rooms have been given to another
// node, or anew, until ctx is done. They are moved by the nodes that took their calls.
func (e *Engine) watch(ctx context.Context) {
	tick := e.config.Clock.NewTicker(watchTime)
	defer tick.Stop()
	for {
		select {
		case <-tick.Chan():
			e.supersede()
		case <-ctx.Done():
			return
		}
	}
}

func (e *Engine) supersede() {
	for _, c := range e.config.Host.Conferences() {
		room := c.Row().RoomID
		if now, assigned := e.config.Locator.Current(room); assigned {
			e.config.Host.Supersede(room, now.Kind, now.Epoch)
		}
	}
}
