package callflow

import (
	"context"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/conclave-voice/conclave/billing"
	"github.com/conclave-voice/conclave/callflow/dialogue"
	"github.com/conclave-voice/conclave/callflow/signaling"
	"github.com/conclave-voice/conclave/conference"
	"github.com/conclave-voice/conclave/conference/mixer"
	"github.com/conclave-voice/conclave/conference/roster"
	"github.com/conclave-voice/conclave/media/prompt"
	"github.com/conclave-voice/conclave/media/session"
	"github.com/conclave-voice/conclave/sites"
	"github.com/conclave-voice/conclave/store"
)

// phase is where a call is. See the package comment.
type phase uint8

const (
	inDialogue phase = iota
	inConference
	moving // from a conference that was lost to where it goes on
	leaving
	ended
)

const (
	// maxMessages is how many messages of the dialog may wait for the call. When that
	// many do, the dialog waits: SIP retransmits.
	maxMessages = 16
	// farewellTime bounds the words before a BYE.
	farewellTime = 20 * time.Second
	// lastWordTime is the silence between the last word and the BYE, with which
	// telephones throw away what is in their jitter buffers.
	lastWordTime = 300 * time.Millisecond
	// orphanTime is how long the seat of a caller is kept whose own node has died: the
	// caller may come back by another one. So often it is looked at: a caller on hold is
	// silent too.
	orphanTime = 15 * time.Second
	// housekeeping is how often the media of a call is looked at.
	housekeeping = time.Second
	// frozenTime without a look at the clock says that the node stood still.
	frozenTime = 3 * housekeeping
)

// Tags of what is played outside a conference.
const (
	tagPrompt = iota + 1
	tagName
	tagFarewell
	tagNotice
)

// call is one call leg from a caller.
type call struct {
	engine *Engine
	logger hclog.Logger
	row    store.Call
	steps  []store.CallStep
	seq    int64

	number  store.AccessNumber
	hops    int                 // Max-Forwards for a call on its behalf
	hosted  store.ParticipantID // another node's caller, in a conference of ours; empty: our own
	from    store.Place         // that node
	term    uint64              // how often the call has been taken over; hosting.mu
	media   *session.Session
	sdp     negotiation
	told    netip.AddrPort // where the caller was told to send its RTP; guarded by sdp.mu
	path    *mediaPath
	live    atomic.Pointer[session.Session] // media, once the call is answered
	polled  atomic.Int64                    // when the node of another node's caller last asked for a report, Unix ns; 0: never
	dialog  *signaling.Dialog
	inbox   chan *message
	stop    chan struct{} // closed by shutdown
	halt    sync.Once
	expired atomic.Bool   // its time is over: no other node is to go on with it
	over    chan struct{} // closed when the call takes no more messages
	work    work

	// Owned by the call's goroutine, whichever that is just now.
	phase    phase
	own      *mixer.Mixer // of this call alone; nil in a conference, which has one
	port     *mixer.Port
	keys     digitSource
	talk     *dialogue.Dialogue
	found    store.CodeMatch
	name     mixer.Sound
	seat     membership
	stay     *billing.Stay
	release  <-chan conference.Release
	standing <-chan roster.Standing
	has      roster.Standing  // the latest
	untold   bool             // to the node that took the caller's call
	attempts int              // to move
	stale    sites.Assignment // that was found to be over
	giveUp   time.Time        // when moving has taken too long
	setback  setback          // the last move away from a silent node
	relay    *session.Relay   // to the node of the conference; nil: it is here
	deadline time.Time        // of the farewell, or of the next attempt to move
	asked    time.Time        // when the caller's own node was, about the caller
	where    sites.Assignment // of the conference, as it was entered
	hint     sites.Assignment // where to try to move to first; the zero value: nowhere
	kept     keptMark         // what others could take over, when it was told last
	gone     bool             // another node goes on with the call
	relaying bool             // relay is ticked
	direct   directness       // whether the media goes past this node
	refuses  bool             // the caller does not send its RTP past this node
	paused   bool             // another node's caller, of which that has told that it holds
	ingress  ingressWatch     // of another node's caller
	far      *Quality         // what other nodes have told of the stay; nil: it was at none

	lostBefore uint64 // packets, until the caller was first in a conference at another node
}

// message is what the dialog tells the call.
type message struct {
	digit byte // a digit by SIP INFO, or 0
	hold  *bool
	say   []prompt.ID // to a forwarded caller
	lost  bool        // to another node
	ended *signaling.End
	way   *wayNews
}

func newCall(e *Engine, in *signaling.Invite) *call {
	id := store.NewCallID()
	c := &call{
		engine: e,
		row: store.Call{
			ID: id, SIPCallID: strings.Clone(in.CallID()), Direction: "in", From: strings.Clone(in.From().User), To: strings.Clone(in.RequestURI().User),
			Source: in.Source().String(), Transport: strings.ToLower(in.Transport()), Node: e.config.Place,
			StartedAt: e.config.Clock.Now().UTC(),
		},
		hops: in.MaxForwards() - 1, inbox: make(chan *message, maxMessages), stop: make(chan struct{}), over: make(chan struct{}),
	}
	c.logger = e.config.Logger.With("call", id, "from", c.row.From, "to", c.row.To, "site", e.config.Place.Site)
	c.path = newMediaPath(c)
	c.step("invite", ok, c.row.Transport+" "+c.row.Source)
	return c
}

func (c *call) now() time.Time { return c.engine.config.Clock.Now().UTC() }

// shutdown asks the call to end because the node stops.
func (c *call) shutdown() {
	c.halt.Do(func() { close(c.stop) })
	c.wake()
}

// within is a context for one question to the store.
func (c *call) within() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), lookupTime)
}

// enterDialogue is how an answered call begins.
func (c *call) enterDialogue() {
	c.prepare()
	c.comeHome()
	c.do(c.opening())
}

// prepare makes what the call's goroutine owns.
func (c *call) prepare() {
	c.port = mixer.NewPort(c.media, c.wake)
	c.talk = dialogue.New(c.engine.config.Dialogue)
}

// stopped: the node stops. Another one of the site goes on with the call, if there is one,
// and unless the call's time is over.
func (c *call) stopped() {
	c.stop = nil
	if !c.expired.Load() && c.give() {
		c.vanish("the node stops, and another goes on")
		return
	}
	c.leave(store.CauseShutdown, prompt.ServiceError)
}

// next is when tick has something to do.
func (c *call) next() time.Time {
	next := c.now().Add(housekeeping)
	if _, elsewhere := c.seat.(*focusLeg); elsewhere {
		next = c.now().Add(focusWatch)
	}
	for _, t := range []time.Time{c.talk.Deadline(), c.phaseDeadline(), c.stayDeadline()} {
		if !t.IsZero() && t.Before(next) {
			next = t
		}
	}
	return next
}

// phaseDeadline is when the next attempt of a move, or the end of the farewell, is due.
func (c *call) phaseDeadline() time.Time {
	if c.phase != moving && c.phase != leaving {
		return time.Time{}
	}
	return c.deadline
}

// tick does what is due.
func (c *call) tick() {
	now := c.now()
	switch c.phase {
	case inDialogue:
		c.do(c.talk.Tick(now))
	case inConference:
		c.watchFocus()
		c.watchIngress(now)
		c.meter(now)
		if c.untold {
			c.stood(c.has)
		}
	case moving:
		c.meter(now)
		c.tryMove(now)
	case leaving:
		if !now.Before(c.deadline) {
			c.hangUp()
		}
	}
	c.keepNews()
	if c.phase != ended {
		c.watchMedia()
	}
}

// watchMedia gives up a caller of whom nothing is heard any more.
func (c *call) watchMedia() {
	limit, silence := c.engine.config.MediaTimeout, c.media.Silence(c.engine.config.Media.Now())
	switch {
	case limit > 0 && silence > limit && !c.mediaElsewhere():
		c.step("media", failed, "no RTP for "+limit.String())
		c.leave(store.CauseMediaTimeout)
	case c.hosted != "" && silence > orphanTime && c.orphaned():
		c.logger.Warn("the node that took the caller's call has lost it", "silence", silence)
		c.leave(store.CauseNodeFailure)
	}
}

// message takes what the dialog tells.
func (c *call) message(m message) {
	switch {
	case m.ended != nil:
		c.hungUp(*m.ended)
	case m.way != nil:
		c.wayChanged(*m.way)
	case m.hold != nil:
		c.paused = *m.hold
		c.step("hold", ok, map[bool]string{true: "held", false: "resumed"}[*m.hold])
		if c.seat != nil {
			c.seat.Hold(*m.hold)
		}
	case m.lost:
		c.vanish("another node has taken it over")
	case m.digit != 0:
		c.digit(m.digit, byInfo)
	case m.say != nil && c.seat != nil:
		c.seat.Say(m.say...)
	}
}

// mediaEvent takes what the tick saw.
func (c *call) mediaEvent(e mixer.Event) {
	switch e.Kind {
	case mixer.EventDigit:
		how := byEvent
		if e.InBand {
			how = byTone
		}
		c.digit(byte(e.Digit), how)
	case mixer.EventPlayed:
		c.played(e.Tag)
	case mixer.EventCaptured:
		if c.phase == inDialogue {
			c.name = recordedName(e.Captured, e.Rate)
			c.do(c.talk.Named())
		}
	}
}

// digit takes one digit, however it came.
func (c *call) digit(d byte, how digitMethod) {
	if !c.keys.take(d, how, c.now()) {
		return
	}
	switch c.phase {
	case inDialogue:
		c.do(c.talk.Digit(c.now(), d))
	case inConference:
		c.seat.Key(d)
	}
}

// played: what was said has been heard.
func (c *call) played(tag int) {
	switch tag {
	case tagPrompt:
		c.do(c.talk.Played(c.now()))
	case tagName:
		c.port.Capture(c.engine.config.Dialogue.NameTime)
	case tagFarewell:
		if c.phase == leaving {
			c.hangUp()
		}
	}
}

// comeHome puts the port into the call's own mixer, and has the caller's RTP here again
// before anything is said to it.
func (c *call) comeHome() {
	c.own = mixer.New(mixer.Config{})
	c.own.Add(c.port)
	c.engine.config.Media.Add(c.own)
	c.direct = relayed
	c.path.want(mediaGoal{})
	c.path.wait(homeTime)
}

// goAway takes the port out of the call's own mixer.
func (c *call) goAway() {
	if c.own == nil {
		return
	}
	c.engine.config.Media.Remove(c.own)
	c.own.Remove(c.port)
	c.own = nil // a mixer is large, and a call is in a conference for most of its time
}

// say plays prompts to the caller.
func (c *call) say(tag int, ids ...prompt.ID) {
	var sounds []mixer.Sound
	for _, id := range ids {
		sounds = append(sounds, c.prompts().Recording(c.language(), id))
	}
	if tag == tagFarewell {
		sounds = append(sounds, mixer.Pause(lastWordTime))
	}
	c.port.Play(tag, sounds...)
}

// prompts are those of the access number and, once the room is known, its customer.
func (c *call) prompts() *prompt.Library {
	return c.engine.config.Prompts.For(c.number.Number, string(c.found.Room.CustomerID))
}

// language is the room's, once it is known, else the access number's.
func (c *call) language() string {
	if c.found.Room.Language != "" {
		return c.found.Room.Language
	}
	return c.number.Language
}
