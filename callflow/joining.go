package callflow

import (
	"context"
	"errors"
	"time"

	"github.com/conclave-voice/conclave/billing"
	"github.com/conclave-voice/conclave/callflow/dialogue"
	"github.com/conclave-voice/conclave/callflow/screening"
	"github.com/conclave-voice/conclave/conference"
	"github.com/conclave-voice/conclave/conference/mixer"
	"github.com/conclave-voice/conclave/conference/roster"
	"github.com/conclave-voice/conclave/media/prompt"
	"github.com/conclave-voice/conclave/sites"
	"github.com/conclave-voice/conclave/store"
)

// opening is what answers the number: the dialogue, or at once the room that the
// number belongs to.
func (c *call) opening() []dialogue.Effect {
	if c.number.RoomID == "" {
		return c.talk.Begin(c.now())
	}
	ctx, cancel := c.within()
	defer cancel()
	room, err := c.engine.config.Catalogue.Room(ctx, store.Scope{}, c.number.RoomID)
	if err != nil {
		c.logger.Error("room of the access number", "error", err)
		c.leave(store.CauseError, prompt.ServiceError)
		return nil
	}
	c.found = store.CodeMatch{Room: room, Role: room.GuestRole}
	return []dialogue.Effect{{Kind: dialogue.Join}}
}

// do carries out what the dialogue wants.
func (c *call) do(effects []dialogue.Effect) {
	for _, e := range effects {
		switch e.Kind {
		case dialogue.Play:
			c.say(tagPrompt, e.Prompts...)
		case dialogue.StopSounds:
			c.port.Stop()
		case dialogue.Lookup:
			c.lookup(e.Code)
		case dialogue.RecordName:
			c.say(tagName, e.Prompts...)
		case dialogue.StopRecord:
			c.port.StopCapture()
		case dialogue.Join:
			c.join()
		case dialogue.Release:
			c.leave(e.Cause, e.Prompts...)
		}
	}
}

// lookup finds the room that a code leads to. Guessing is slowed down for the
// caller: a locked caller's codes are all wrong.
func (c *call) lookup(code string) {
	keys := []screening.Key{screening.CallerKey(c.row.From + "@" + c.row.Source)}
	guard := c.engine.config.Guard
	if allowed, _ := guard.Allow(keys...); !allowed {
		c.step("code", refused, "too many wrong codes")
		c.do(c.talk.NotFound(c.now()))
		return
	}
	ctx, cancel := c.within()
	defer cancel()
	match, err := c.engine.config.Catalogue.RoomByCode(ctx, c.number.CodeSpace, code)
	switch {
	case errors.Is(err, store.ErrNotFound):
		guard.Fail(keys...)
		c.step("code", "wrong", "")
		c.do(c.talk.NotFound(c.now()))
	case err != nil:
		c.logger.Error("access code", "error", err)
		c.step("code", failed, "the store cannot be asked")
		c.leave(store.CauseError, prompt.ServiceError)
	default:
		guard.Success(keys...)
		c.found = match
		c.row.CustomerID = match.Room.CustomerID
		c.logger = c.logger.With("room", match.Room.ID)
		c.step("code", ok, string(match.Role)+" of "+match.Room.Name)
		c.do(c.talk.Found(c.now(), match.Room.EntrySound == store.SoundName))
	}
}

// joinTime bounds how long a call asks again where the room's conference runs, when the
// answers are out of date by the time that it gets there, or the node is one that has just
// died or is taken out of use: its site needs a moment to notice, and to elect.
const joinTime = 8 * time.Second

// join takes the caller into the conference: where it runs, a seat, the money, and
// then the audio (SPEC CA5, CA6).
func (c *call) join() {
	room := c.found.Room
	account, err := c.account(room.AccountID)
	if err != nil {
		c.notJoined("account", err)
		return
	}
	a := conference.Admission{Room: room, Role: c.found.Role, Caller: c.row.From, Language: c.number.Language, AccountLimit: account.MaxParticipants}
	// Until the conference says what the caller has there: if it is lost before that,
	// nobody is heard who may have been muted (SPEC MS16).
	c.has = roster.Standing{Role: c.found.Role, Muted: true}
	c.stale = sites.Assignment{}
	for giveUp := c.now().Add(joinTime); ; {
		a.Participant = store.NewParticipantID() // the stay of the last attempt may have a record
		step, err := c.tryJoin(a)
		switch {
		case err == nil:
			return
		case refusalOf(err) != store.CauseError && !outdated(err) || step == "authorize" && !outdated(err) || c.now().After(giveUp):
			c.notJoined(step, err)
			return
		}
		c.logger.Info("caller not let in yet", "step", step, "error", err)
		if !c.pause(movePause) {
			return // the node stops: loop sees to that
		}
	}
}

// tryJoin is one attempt. An assignment that is out of date is not taken again.
func (c *call) tryJoin(a conference.Admission) (step string, err error) {
	where, err := c.locate(c.stale)
	if err != nil {
		return "locate", err
	}
	a.Kind, a.Epoch, a.Run, a.Alone = where.Kind, where.Epoch, where.Run, where.Alone
	if step, err = c.joinAt(where, a); outdated(err) {
		c.stale = where
	}
	return step, err
}

// pause waits; it is false when the node stops meanwhile.
func (c *call) pause(d time.Duration) bool {
	timer := c.engine.config.Clock.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.Chan():
		return true
	case <-c.stop:
		return false
	}
}

func (c *call) account(id store.AccountID) (store.Account, error) {
	ctx, cancel := c.within()
	defer cancel()
	return c.engine.config.Catalogue.Account(ctx, store.Scope{}, id)
}

// locate asks where the room's conference runs, if not as it was over.
func (c *call) locate(over sites.Assignment) (sites.Assignment, error) {
	ctx, cancel := c.within()
	defer cancel()
	return c.engine.config.Locator.Locate(ctx, c.found.Room, over)
}

// joinAt takes the caller into a conference, here or at another node.
func (c *call) joinAt(where sites.Assignment, a conference.Admission) (step string, err error) {
	ctx, cancel := c.within()
	defer cancel()
	if where.Focus == c.engine.config.Place {
		return c.joinHere(ctx, where, a)
	}
	return c.forward(ctx, where, a)
}

// outdated says whether an assignment was one no longer when it was used. The conference
// may also have moved, or ended, between the seat and the entry.
func outdated(err error) bool {
	return errors.Is(err, conference.ErrEpochOver) || errors.Is(err, store.ErrStaleEpoch) || errors.Is(err, store.ErrClosed) || errors.Is(err, roster.ErrEnded)
}

// joinHere takes the caller into a conference of this node. The error comes with the
// step that failed.
func (c *call) joinHere(ctx context.Context, where sites.Assignment, a conference.Admission) (step string, err error) {
	seat, err := c.engine.config.Host.Admit(ctx, a)
	if err != nil {
		return "seat", err
	}
	stay, err := c.engine.config.Billing.AuthorizeStay(ctx, c.participant(a.Participant, seat.Conference().ID(), where), c.number, a.Room.Name)
	if err != nil {
		seat.Cancel()
		return "authorize", err
	}
	c.step("authorize", ok, "at least "+stay.MaxDuration().String())
	c.goAway()
	if err := c.sit(seat, c.name); err != nil {
		c.comeHome()
		stay.Void(c.now(), store.CauseRefused)
		return "join", err
	}
	c.stay = stay
	c.engine.hold(c, stay.Participant)
	c.enter(seat, where, "join", string(seat.Conference().ID()))
	return "", nil
}

// sit takes the caller's audio into a conference of this node.
func (c *call) sit(seat *conference.Seat, name mixer.Sound) error {
	seat.Notify(c.wake)
	return seat.Enter(c.port, name)
}

// enter: the caller is in.
func (c *call) enter(m membership, where sites.Assignment, step, detail string) {
	c.seat, c.release, c.standing, c.phase, c.where = m, m.Released(), m.Standing(), inConference, where
	c.step(step, ok, detail)
	if where.Kind == store.KindLocal {
		m.Say(prompt.LocalConference)
	}
	c.flush()
	c.keep()
}

// participant is the record of the stay that begins.
func (c *call) participant(id store.ParticipantID, conf store.ConferenceID, where sites.Assignment) store.Participant {
	room := c.found.Room
	return store.Participant{
		ID: id, ConferenceID: conf, RoomID: room.ID, CustomerID: room.CustomerID, AccountID: room.AccountID,
		CallID: c.row.ID, Role: c.found.Role, Caller: c.row.From, Called: c.row.To, Ingress: c.engine.config.Place, Focus: where.Focus,
		Incarnation: c.engine.config.Incarnation, Epoch: where.Epoch, JoinedAt: c.now(),
	}
}

// refusals are what callers are told for each reason not to let them in. Anything
// else is a technical problem.
var refusals = []struct {
	err    error
	cause  store.ReleaseCause
	prompt prompt.ID
}{
	{roster.ErrLocked, store.CauseLimit, prompt.IsLocked},
	{roster.ErrFull, store.CauseLimit, prompt.RoomFull},
	{conference.ErrAccountFull, store.CauseLimit, prompt.AccountFull},
	{conference.ErrNodeFull, store.CauseLimit, prompt.NodeFull},
	{roster.ErrEnded, store.CauseEnded, prompt.ConferenceEnded},
	{billing.ErrNotAllowed, store.CauseRefused, prompt.NotAllowed},
	{billing.ErrBlocked, store.CauseRefused, prompt.NotAllowed},
	{store.ErrInsufficientFunds, store.CauseFunds, prompt.NoFunds},
}

// refusalOf is the release cause of a refusal.
func refusalOf(err error) store.ReleaseCause {
	for _, r := range refusals {
		if errors.Is(err, r.err) {
			return r.cause
		}
	}
	return store.CauseError
}

// notJoined tells the caller why it cannot come in (SPEC CF9: never silently).
func (c *call) notJoined(step string, err error) {
	for _, r := range refusals {
		if errors.Is(err, r.err) {
			c.step(step, refused, r.err.Error())
			c.logger.Info("caller not let in", "step", step, "reason", r.err)
			c.leave(r.cause, r.prompt)
			return
		}
	}
	c.step(step, failed, "technical problem")
	c.logger.Error("caller not let in", "step", step, "error", err)
	c.leave(store.CauseError, prompt.ServiceError)
}
