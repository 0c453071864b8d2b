package callflow

import (
	"fmt"
	"time"

	"github.com/conclave-voice/conclave/store"
)

// When the media of a forwarded call goes past the node that took it (SPEC CA6), and
// when it comes back.
//
//	relayed ──► asking ──► trial ──► direct
//	   ▲          │          │         │
//	   └──────────┴──────────┴─────────┘
//
// Each call is relayed first: so it is heard at once, and its node has seen where the
// caller's RTP comes from before it tells the focus. The relay goes on until RTP has
// arrived at the focus, and begins again when none does any more.

// directness is how far that has come.
type directness uint8

const (
	relayed directness = iota
	asking             // the caller and the focus are being told
	trial              // they have been; no RTP of the caller has arrived at the focus yet
	direct             // some has
)

const (
	// settleTime is how long a caller is relayed at least: what is said on entry is over
	// then, in which a change of the stream would be heard most.
	settleTime = 2 * time.Second
	// keyTime is how long ago the last packet of a pressed key must be: the rest of a key
	// that was taken here would be a key in the conference.
	keyTime = 500 * time.Millisecond
	// trialTime is how long RTP may take to arrive at the focus.
	trialTime = 1500 * time.Millisecond
	// directSilence is how long none may arrive there later.
	directSilence = 3 * time.Second
)

// steerMedia looks whether the media of a forwarded call can go, or has to come back.
func (c *call) steerMedia(leg *focusLeg, now time.Time) {
	switch report := leg.last.get(); c.direct {
	case relayed:
		if c.mayGoDirect(leg, now) && c.engine.watchFor(leg) {
			c.direct = asking
			leg.urgent.Store(true)
			c.path.want(mediaGoal{leg: leg, direct: true})
		}
	case trial:
		switch {
		case report.Source.IsValid() && report.Source == leg.terms().Addr:
			c.direct = direct
			leg.urgent.Store(false)
			c.stopRelay()
			c.step("media", ok, "direct to "+leg.media.Agreed().Remote.String())
		case c.sdp.onHold():
			leg.tried = now
		case now.Sub(leg.tried) > trialTime:
			c.backToRelay(leg, "no RTP arrives at the focus")
		}
	case direct:
		if report.Silence > directSilence && !c.sdp.onHold() {
			c.backToRelay(leg, "no RTP arrives at the focus any more")
		}
	}
}

// mayGoDirect says whether this is a call, and the moment, to try.
func (c *call) mayGoDirect(leg *focusLeg, now time.Time) bool {
	mode := c.engine.config.ForwardMedia
	if mode != MediaDirect && mode != MediaAuto || mode == MediaAuto && leg.node.Site != c.engine.config.Place.Site {
		return false
	}
	if c.refuses || leg.noDirect.Load() || now.Sub(leg.entered) < settleTime || c.sdp.onHold() {
		return false
	}
	there, focus := c.media.Agreed().Remote, leg.media.Agreed().Remote
	from := c.media.Source()
	if !from.IsValid() || c.media.Keyed(c.engine.config.Media.Now(), keyTime) {
		return false
	}
	switch {
	case from != there:
		c.stayRelayed(leg, "the caller's RTP comes from elsewhere than it says: a NAT")
	case there.Addr().Is4() != focus.Addr().Is4():
		c.stayRelayed(leg, "the caller and the focus have addresses of different families")
	default:
		return true
	}
	return false
}

// stayRelayed: the media of this call does not go past this node.
func (c *call) stayRelayed(leg *focusLeg, why string) {
	leg.noDirect.Store(true)
	c.engine.unwatch(leg)
	c.step("media", "relay", why)
}

// backToRelay takes the media of a call back.
func (c *call) backToRelay(leg *focusLeg, why string) {
	c.engine.returned.Add(1)
	c.logger.Warn("media goes through this node again", "focus", leg.node.Node, "reason", why)
	c.startRelay()
	c.direct = relayed
	c.path.want(mediaGoal{leg: leg})
	c.stayRelayed(leg, why)
}

// wayChanged takes what the media path tells.
func (c *call) wayChanged(n wayNews) {
	leg, elsewhere := c.seat.(*focusLeg)
	switch {
	case n.lost:
		c.logger.Warn("the caller does not come back to this node", "error", n.err)
		c.step("media", failed, "the caller sends its RTP elsewhere and does not change that")
		c.leave(store.CauseMediaTimeout) // and not a cause to move it for
	case !elsewhere || leg != n.leg || c.direct == relayed:
		// About what is over.
	case n.err != nil:
		c.startRelay()
		c.direct, c.refuses = relayed, n.step == tellCaller
		c.stayRelayed(leg, fmt.Sprintf("%s does not take it: %v", map[mediaStep]string{tellCaller: "the caller", tellFocus: "the focus"}[n.step], n.err))
	case c.direct == asking:
		c.direct, leg.tried = trial, c.now()
	}
}

// ingressWatch decides when a node that took a call is gone. It is pure.
type ingressWatch struct{ dead time.Time } // since when gossip says so; zero: it does not

// gone takes what gossip says now, and when the node last asked for a report: either is
// a sign of life.
func (w *ingressWatch) gone(now time.Time, alive bool, asked time.Time) bool {
	switch {
	case alive:
		w.dead = time.Time{}
	case w.dead.IsZero():
		w.dead = now
	}
	return !w.dead.IsZero() && now.Sub(w.dead) > orphanTime && now.Sub(asked) > orphanTime
}

// startRelay and stopRelay have RTP passed on that comes here.
func (c *call) startRelay() {
	if c.relay != nil && !c.relaying {
		c.relaying = true
		c.engine.config.Media.Add(c.relay)
	}
}

func (c *call) stopRelay() {
	if c.relaying {
		c.relaying = false
		c.engine.config.Media.Remove(c.relay)
	}
}

// mediaElsewhere says whether the RTP of this call, or its absence, is not this node's
// to judge.
func (c *call) mediaElsewhere() bool {
	if c.hosted != "" {
		return c.paused // its telephone may send nothing
	}
	return c.sendsTo() != c.here()
}

// watchIngress lets a caller go whose call was taken by a node that is dead, and has
// been taken over by no other: its RTP, which comes past that node, does not tell.
func (c *call) watchIngress(now time.Time) {
	polled := c.polled.Load()
	if c.hosted == "" || polled == 0 { // its RTP comes from that node, and tells
		return
	}
	if c.ingress.gone(now, c.engine.config.Foci.Alive(c.from), time.Unix(0, polled)) {
		c.logger.Warn("the node that took the call is dead, and no other has taken the call over", "node", c.from.Node)
		c.leave(store.CauseNodeFailure)
	}
}
