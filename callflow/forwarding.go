package callflow

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/conclave-voice/conclave/callflow/signaling"
	"github.com/conclave-voice/conclave/conference"
	"github.com/conclave-voice/conclave/conference/roster"
	"github.com/conclave-voice/conclave/media/prompt"
	"github.com/conclave-voice/conclave/media/session"
	"github.com/conclave-voice/conclave/sites"
	"github.com/conclave-voice/conclave/store"
)

// focusTime bounds a question to the focus about a call that it has.
const focusTime = 2 * time.Second

// errUnreachable: the focus could not be asked, or did not take the call.
var errUnreachable = errors.New("the conference's node cannot be reached")

// forward takes the caller into a conference that another node hosts (SPEC CA6): a
// seat there, the money here, then the call itself. The error comes with the step that
// failed.
func (c *call) forward(ctx context.Context, where sites.Assignment, a conference.Admission) (step string, err error) {
	conf, err := c.engine.config.Foci.Reserve(ctx, where.Focus, Reservation{Admission: a, Name: narrowband(c.name)})
	if err != nil {
		return "seat", err
	}
	stay, err := c.engine.config.Billing.AuthorizeStay(ctx, c.participant(a.Participant, conf, where), c.number, a.Room.Name)
	if err != nil {
		c.cancelSeat(where.Focus, a.Participant)
		return "authorize", err
	}
	c.step("authorize", ok, "at least "+stay.MaxDuration().String())
	leg, err := c.dialFocus(ctx, where.Focus, a.Participant)
	if err != nil {
		stay.Void(c.now(), store.CauseError)
		c.cancelSeat(where.Focus, a.Participant)
		return "forward", fmt.Errorf("%w: %w", errUnreachable, err)
	}
	c.stay = stay
	c.engine.hold(c, stay.Participant)
	c.pass(leg, where, "forward", conf)
	return "", nil
}

// pass lets the caller's audio pass to the focus and back.
func (c *call) pass(leg *focusLeg, where sites.Assignment, step string, conf store.ConferenceID) {
	c.goAway()
	if c.far == nil {
		c.lostBefore = c.media.Stats().Playout.Lost
	}
	c.relay = session.NewRelay(c.media, leg.media, &c.engine.relayed)
	c.startRelay()
	c.direct = relayed
	c.path.want(mediaGoal{leg: leg})
	leg.entered = c.now()
	c.enter(leg, where, step, fmt.Sprintf("%s at %s/%s", conf, where.Focus.Site, where.Focus.Node))
}

// cancelSeat gives a reserved seat back. If that fails, the seat expires.
func (c *call) cancelSeat(node store.Place, p store.ParticipantID) {
	ctx, cancel := context.WithTimeout(context.Background(), focusTime)
	defer cancel()
	if err := c.engine.config.Foci.Cancel(ctx, node, p); err != nil {
		c.logger.Debug("seat not given back", "node", node.Node, "error", err)
	}
}

// narrowband is a recorded name as it is sent to another node.
func narrowband(name interface{ PCM(rate int) []int16 }) []int16 {
	if name == nil {
		return nil
	}
	return name.PCM(prompt.Narrowband)
}

// focusLeg is our call leg to the node that hosts the conference. It is a membership,
// and a signaling.DialogHandler.
type focusLeg struct {
	call        *call
	node        store.Place
	participant store.ParticipantID
	media       *session.Session
	dialog      *signaling.Dialog
	sdp         negotiation
	told        mediaTerms // guarded by sdp.mu
	last        lastReport
	watch       *nodeWatch  // nil: none yet
	urgent      atomic.Bool // the focus is asked about it in each turn
	entered     time.Time   // the caller is in its conference
	tried       time.Time   // both ends had been told of one another
	noDirect    atomic.Bool // the media does not go past this node, as was found out
	released    chan conference.Release
	once        sync.Once
	cut         time.Time            // since when its site is; the call's goroutine's
	standing    chan roster.Standing // of size 1: the latest
}

// dialFocus calls the focus with what the caller and we have agreed on, so that RTP can
// be passed on as it is.
func (c *call) dialFocus(ctx context.Context, node store.Place, p store.ParticipantID) (*focusLeg, error) {
	e := c.engine.config
	addr, known := e.Foci.SIP(node)
	if !known {
		return nil, fmt.Errorf("the SIP address of node %s is not known", node.Node)
	}
	sipCallID := rand.Text()
	proof, err := e.Handovers.Sign(Handover{Participant: p, Call: c.row.ID, From: e.Place, To: node}, sipCallID)
	if err != nil {
		return nil, fmt.Errorf("sign the handover: %w", err)
	}
	l := &focusLeg{call: c, node: node, participant: p, released: make(chan conference.Release, 1), standing: make(chan roster.Standing, 1)}
	if l.media, err = session.Open(e.Ports, e.Registry); err != nil {
		return nil, err
	}
	l.media.TrustSignalled()
	l.told = termsOf(c.media.Agreed()).at(l.here())
	c.engine.keep(l) // before the call: the focus tells of the caller as soon as it has it
	offer, err := l.LocalOffer()
	if err == nil {
		var answer []byte
		l.dialog, answer, err = e.Dial(ctx, signaling.DialRequest{
			Target: "sip:room@" + addr.String() + ";transport=tcp", From: signaling.Party{User: c.row.From}, CallID: sipCallID,
			Headers: []signaling.Header{{Name: handoverHeader, Value: proof}}, Offer: offer, MaxForwards: c.hops}, l)
		if err == nil {
			if err = l.RemoteAnswer(answer); err != nil {
				l.hangUp(store.CauseError)
			}
		}
	}
	if err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

// close gives back what the leg holds, after its end.
func (l *focusLeg) close() {
	l.call.engine.lose(l)
	l.call.engine.unwatch(l)
	l.media.Close()
}

// stood takes the caller's standing, which the focus tells (Engine.Standing).
func (l *focusLeg) stood(st roster.Standing) {
	for {
		select {
		case l.standing <- st:
			l.call.wake()
			return
		default:
		}
		select {
		case <-l.standing: // nobody has taken the one before
		default:
		}
	}
}

// Info is not used between nodes.
func (l *focusLeg) Info(string, []byte) int { return 415 }

// Ended: the focus has let the caller go, or it is gone.
func (l *focusLeg) Ended(end signaling.End) {
	cause := causeOf(end)
	if cause == "" {
		cause = store.CauseLost
	}
	l.release(cause)
}

// release ends the membership; false if it has ended.
func (l *focusLeg) release(cause store.ReleaseCause) (first bool) {
	l.once.Do(func() {
		first = true
		l.released <- conference.Release{Cause: cause, At: l.call.now(), Prompts: conference.Farewell(cause)}
		l.call.wake()
	})
	return first
}

// causeOf is the release cause that another node of ours gave in its BYE.
func causeOf(end signaling.End) store.ReleaseCause {
	_, text, found := strings.Cut(end.Reason, `text="`)
	if end.By != signaling.ByPeer || !found {
		return ""
	}
	cause, _, _ := strings.Cut(text, `"`)
	return store.ReleaseCause(cause)
}

func (l *focusLeg) hangUp(cause store.ReleaseCause) {
	ctx, cancel := context.WithTimeout(context.Background(), byeTime)
	defer cancel()
	if err := l.dialog.Hangup(ctx, signaling.Reason{Protocol: "SIP", Cause: 200, Text: string(cause)}); err != nil {
		l.call.logger.Debug("hang up at the focus", "error", err)
	}
}

// ask asks the focus something about this caller.
func (l *focusLeg) ask(what string, do func(ctx context.Context, foci Foci) error) {
	ctx, cancel := context.WithTimeout(context.Background(), focusTime)
	defer cancel()
	if err := do(ctx, l.call.engine.config.Foci); err != nil {
		l.call.logger.Warn("the focus did not take it", "what", what, "node", l.node.Node, "error", err)
	}
}

// Key, Hold, Say, Leave, Standing and Released make it a membership.

func (l *focusLeg) Key(digit byte) {
	l.ask("a key", func(ctx context.Context, f Foci) error { return f.Key(ctx, l.node, l.participant, digit) })
}

func (l *focusLeg) Hold(held bool) {
	l.ask("hold", func(ctx context.Context, f Foci) error { return f.Hold(ctx, l.node, l.participant, held) })
}

func (l *focusLeg) Say(prompts ...prompt.ID) {
	l.ask("prompts", func(ctx context.Context, f Foci) error { return f.Say(ctx, l.node, l.participant, prompts) })
}

func (l *focusLeg) Leave(cause store.ReleaseCause) {
	l.askReport()
	l.release(cause) // before our own BYE ends the leg
	l.hangUp(cause)
}

func (l *focusLeg) Standing() <-chan roster.Standing { return l.standing }

func (l *focusLeg) Released() <-chan conference.Release { return l.released }
