package callflow

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/conclave-voice/conclave/billing"
	"github.com/conclave-voice/conclave/callflow/signaling"
	"github.com/conclave-voice/conclave/conference"
	"github.com/conclave-voice/conclave/media/prompt"
	"github.com/conclave-voice/conclave/store"
)

// stayDeadline is when the stay's money has to be looked at; zero for never.
func (c *call) stayDeadline() time.Time {
	if c.phase != inConference && c.phase != moving || c.stay == nil {
		return time.Time{}
	}
	return c.stay.Deadline()
}

// meter keeps the stay within its money (SPEC BL4).
func (c *call) meter(now time.Time) {
	if c.stay == nil {
		return // another node's caller, which meters it
	}
	ctx := context.Background()
	if due := c.stay.Deadline(); !now.Before(due) { // the store may be asked
		var cancel context.CancelFunc
		ctx, cancel = c.within()
		defer cancel()
	}
	switch a := c.stay.Tick(ctx, now); a.Kind {
	case billing.Warn:
		c.step("funds", "low", a.Left.Round(time.Second).String()+" left")
		if c.phase == inConference {
			c.seat.Say(prompt.FundsLow)
		}
	case billing.End:
		c.step("funds", "used up", "")
		c.leave(store.CauseFunds, conference.Farewell(store.CauseFunds)...)
	}
}

// released: the conference let the caller go, for whatever reason.
func (c *call) released(r conference.Release) {
	if c.movable(r.Cause) {
		c.beginMove(r.Cause)
		return
	}
	c.unseat(r)
	if c.phase == inConference {
		c.phase = inDialogue // of no conference any more; leave decides what is next
		c.leave(r.Cause, r.Prompts...)
	}
}

// unseat ends the membership and the stay, and takes the caller's audio back.
func (c *call) unseat(r conference.Release) {
	c.standUp()
	c.settle(r.At, r.Cause)
	if c.hosted == "" {
		c.comeHome()
	}
}

// standUp ends the membership.
func (c *call) standUp() {
	c.stopRelay()
	c.relay = nil
	if leg, elsewhere := c.seat.(*focusLeg); elsewhere {
		c.collect(leg)
		leg.close()
	}
	c.seat, c.release, c.standing = nil, nil, nil
}

// settle charges the stay that has ended.
func (c *call) settle(at time.Time, cause store.ReleaseCause) {
	if c.stay == nil {
		return
	}
	c.engine.unhold(c, c.stay.Participant.ID)
	q := c.quality()
	c.engine.graded.add(q)
	c.stay.Rated(q.Inbound.score(), q.Outbound.score())
	quality, err := json.Marshal(q)
	if err != nil {
		c.logger.Error("the quality of a stay is not kept", "error", err)
	}
	x := c.stay.Settle(at, cause, quality)
	c.stay = nil
	c.step("settle", ok, x.Billed.String()+", "+x.Amount.String()+" "+x.Currency)
	c.logger.Info("stay ended", "participant", x.ID, "cause", cause, "duration", x.Duration, "amount", x.Amount)
}

// leave ends the call from our side: first what there is to say, then a BYE.
func (c *call) leave(cause store.ReleaseCause, words ...prompt.ID) {
	switch c.phase {
	case inConference:
		// Out of the conference first; its Released brings us here again.
		c.seat.Leave(cause)
		return
	case moving:
		c.settle(c.now(), cause)
	case leaving, ended:
		return
	}
	c.phase = leaving
	c.row.Cause = cause
	c.keep()
	c.step("release", string(cause), "")
	if len(words) == 0 || c.hosted != "" { // its own node has the words
		c.hangUp()
		return
	}
	c.deadline = c.now().Add(farewellTime)
	c.say(tagFarewell, words...)
}

// hangUp sends the BYE.
func (c *call) hangUp() {
	c.phase = ended
	c.reportEnd()
	c.bye(string(c.row.Cause))
}

// byeTime bounds how long a BYE is waited for.
const byeTime = 5 * time.Second

func (c *call) bye(reason string) {
	ctx, cancel := context.WithTimeout(context.Background(), byeTime)
	defer cancel()
	if err := c.dialog.Hangup(ctx, signaling.Reason{Protocol: "SIP", Cause: 200, Text: reason}); err != nil {
		c.logger.Debug("hang up", "error", err)
	}
}

// hungUp: the dialog is over.
func (c *call) hungUp(end signaling.End) {
	if c.phase == ended {
		return // we did it
	}
	cause := store.CauseHangup
	if end.By != signaling.ByPeer {
		cause = store.CauseLost
	}
	if told := causeOf(end); told != "" && c.hosted != "" {
		cause = told
	}
	c.step("bye", end.By.String(), strings.TrimSpace(string(end.Cause)+" "+end.Reason))
	switch c.phase {
	case inConference:
		c.seat.Leave(cause)
		c.unseat(<-c.release)
	case moving:
		c.settle(c.now(), cause)
	}
	if c.row.Cause == "" {
		c.row.Cause = cause
	}
	c.phase = ended
}

// finish closes what the call still holds and completes its trace. It runs at the
// end of every call, answered or not.
func (c *call) finish() {
	close(c.over)
	c.path.close()
	if c.media != nil {
		c.media.Close()
	}
	if c.gone {
		c.logger.Info("call goes on at another node")
		return // with its trace
	}
	c.unkeep()
	c.row.EndedAt = c.now()
	if c.row.Cause == "" {
		c.row.Cause = store.CauseCancelled
	}
	c.step("end", ok, string(c.row.Cause))
	c.flush()
	c.logger.Info("call ended", "cause", c.row.Cause)
}
