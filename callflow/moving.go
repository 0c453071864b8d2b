package callflow

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/conclave-voice/conclave/conference"
	"github.com/conclave-voice/conclave/conference/roster"
	"github.com/conclave-voice/conclave/media/prompt"
	"github.com/conclave-voice/conclave/sites"
	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/outbox"
)

// How a caller gets back into a conference whose node is lost (DESIGN "Choosing the
// focus", re-homing). The node that took the call watches the focus; when that is gone,
// or says that the conference has moved, the room is located anew, and the caller gets
// a seat there as the same participant, with the same stay and standing.
const (
	// focusWatch is how often the focus is looked at.
	focusWatch = 250 * time.Millisecond
	// focusSilence is how long a focus sends no RTP, of which it always sends, before
	// it counts as lost; deadSilence, if it is known to be dead besides.
	focusSilence = 1500 * time.Millisecond
	deadSilence  = 200 * time.Millisecond
	// cutTime is how long a site must be cut, by the verdict, before a focus there that is
	// still heard counts as lost: longer than a verdict takes to be taken back that was
	// wrong because this machine had no time.
	cutTime = 5 * time.Second
	// moveTime bounds the search, and movePause is between two attempts.
	moveTime  = 30 * time.Second
	movePause = 200 * time.Millisecond
)

// watchFocus gives the membership up if its node is gone.
func (c *call) watchFocus() {
	leg, elsewhere := c.seat.(*focusLeg)
	if !elsewhere {
		return
	}
	c.steerMedia(leg, c.now())
	foci := c.engine.config.Foci
	silence, deaf := leg.media.Silence(c.engine.config.Media.Now()), c.deaf(leg)
	if leg.watch != nil && (c.direct != relayed || leg.past()) { // its RTP need not come here
		silence = leg.watch.silence()
	}
	lost := silence > focusSilence || silence > deadSilence && !foci.Alive(leg.node) || deaf
	if lost && leg.release(store.CauseLost) {
		c.logger.Warn("the conference's node is lost", "node", leg.node.Node, "at", leg.node.Site, "silence", silence, "deaf", deaf)
		c.setback.lost(leg.node, c.now())
	}
}

// deaf says whether the focus is out of reach though it is heard: it does not hear us.
func (c *call) deaf(leg *focusLeg) bool {
	if !c.engine.config.Foci.Cut(leg.node.Site) {
		leg.cut = time.Time{}
		return false
	}
	now := c.now()
	if leg.cut.IsZero() {
		leg.cut = now
	}
	if now.Sub(leg.cut) < cutTime {
		return false
	}
	leg.cut = now // not to be asked all the time
	return !c.givesSign(leg.node)
}

// movable says whether a membership that has ended so goes on at another node.
func (c *call) movable(cause store.ReleaseCause) bool {
	if c.hosted != "" || c.phase != inConference || c.stay == nil {
		return false
	}
	switch cause {
	case store.CauseMoved:
		return true
	case store.CauseLost, store.CauseShutdown, store.CauseError, store.CauseNodeFailure:
		_, elsewhere := c.seat.(*focusLeg)
		return elsewhere && c.stop != nil
	}
	return false
}

// beginMove takes the caller out of the conference that was lost and tells it so.
func (c *call) beginMove(cause store.ReleaseCause) {
	c.leaveFocus()
	c.standUp()
	c.comeHome()
	c.startMoving()
	c.step("move", "begun", string(cause))
}

// leaveFocus hangs up at the focus, if that is another node. A dead one does not answer,
// and nobody waits for it.
func (c *call) leaveFocus() {
	leg, elsewhere := c.seat.(*focusLeg)
	if !elsewhere {
		return
	}
	c.engine.gone.Add(1)
	go func() {
		defer c.engine.gone.Done()
		leg.hangUp(store.CauseMoved)
	}()
}

// startMoving: an attempt is due at once.
func (c *call) startMoving() {
	now := c.now()
	c.phase, c.deadline, c.giveUp, c.stale, c.attempts = moving, now, now.Add(moveTime), sites.Assignment{}, 0
}

// tryMove makes an attempt, if one is due.
func (c *call) tryMove(now time.Time) {
	if c.phase != moving || now.Before(c.deadline) {
		return
	}
	err := c.move()
	switch {
	case err == nil:
		c.logger.Info("caller moved", "conference", c.stay.Participant.ConferenceID, "node", c.stay.Participant.Focus.Node, "took", c.now().Sub(c.giveUp.Add(-moveTime)))
	case errors.Is(err, ErrTaken):
		c.vanish("another node has taken it over")
	case refusalOf(err) != store.CauseError && !outdated(err) || errors.Is(err, errNoAudio) || !c.now().Before(c.giveUp):
		c.notJoined("move", err)
	default:
		c.logger.Debug("caller not moved yet", "error", err)
		if c.attempts++; c.attempts == 2 { // it takes a moment: say so
			c.say(tagNotice, prompt.Moved)
		}
		c.deadline = c.now().Add(movePause)
	}
}

// move is one attempt.
func (c *call) move() error {
	where, err := c.destination()
	if err != nil {
		return err
	}
	room := c.found.Room
	st := c.has
	a := conference.Admission{Room: room, Role: st.Role, Participant: c.stay.Participant.ID, Caller: c.row.From, Language: c.number.Language,
		Kind: where.Kind, Epoch: where.Epoch, Run: where.Run, Alone: where.Alone, Standing: &st}
	ctx, cancel := context.WithTimeout(context.Background(), focusTime)
	defer cancel()
	if where.Focus == c.engine.config.Place {
		err = c.moveHere(ctx, where, a)
	} else {
		err = c.moveThere(ctx, where, a)
	}
	if outdated(err) {
		c.stale = where
	}
	return err
}

// destination is where the caller's conference goes on: where the room's is located anew,
// unless the caller was in a local one that still is in its site, which goes on after the
// heal.
func (c *call) destination() (sites.Assignment, error) {
	hint := c.hint
	c.hint = sites.Assignment{}
	if hint.Kind == store.KindLocal {
		if now, known := c.engine.config.Locator.Current(c.found.Room.ID); known && now == hint {
			return hint, nil
		}
	}
	return c.relocate()
}

func (c *call) moveHere(ctx context.Context, where sites.Assignment, a conference.Admission) error {
	if err := c.engine.fence(a.Participant, c.stay.Participant.IngressTerm); err != nil {
		return err
	}
	seat, err := c.engine.config.Host.Admit(ctx, a)
	if err != nil {
		return err
	}
	c.goAway()
	if err := c.sit(seat, c.name); err != nil {
		c.comeHome()
		return err
	}
	c.enter(seat, where, "move", string(seat.Conference().ID()))
	c.moved(seat, where, seat.Conference().ID())
	return nil
}

func (c *call) moveThere(ctx context.Context, where sites.Assignment, a conference.Admission) error {
	conf, err := c.engine.config.Foci.Reserve(ctx, where.Focus, Reservation{Admission: a, Name: narrowband(c.name), Term: c.stay.Participant.IngressTerm})
	if err != nil {
		return err
	}
	leg, err := c.dialFocus(ctx, where.Focus, a.Participant)
	if err != nil {
		c.cancelSeat(where.Focus, a.Participant)
		return fmt.Errorf("%w: %w", errUnreachable, err)
	}
	c.pass(leg, where, "move", conf)
	c.moved(leg, where, conf)
	return nil
}

// moved notes where the stay goes on.
func (c *call) moved(m membership, where sites.Assignment, conf store.ConferenceID) {
	c.stay.Move(conf, where.Focus, where.Epoch)
	c.setback.moved(where.Focus, c.now())
	p := c.stay.Participant.ID
	c.engine.traces.Put(outbox.Write{What: "move of participant " + string(p), Do: func(ctx context.Context) error {
		return c.engine.config.Traces.MoveParticipant(ctx, p, conf, where.Focus, where.Epoch)
	}})
	if c.sdp.onHold() {
		m.Hold(true)
	}
	m.Say(prompt.Reconnected)
	c.keep()
}

// stood notes what the caller has in the conference, and tells the node that took its
// call, which needs it when this one is lost; again a second later where that fails.
func (c *call) stood(st roster.Standing) {
	c.has, c.untold = st, false
	if c.hosted == "" {
		c.keep()
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), focusTime)
	defer cancel()
	if err := c.engine.config.Foci.Standing(ctx, c.from, c.hosted, st); err != nil {
		c.untold = true
		c.logger.Debug("the ingress was not told of the caller's standing", "error", err)
	}
}
