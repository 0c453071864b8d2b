package journal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/money"
)

// errBehind: the store was not asked, because it has not been told yet what it would
// have to know.
var errBehind = errors.New("the store has not been told of the room's last records yet")

// errAhead: the store does not know the stay's conference, which another node hosts, and
// has in its journal.
var errAhead = errors.New("the store has not been told of the conference yet")

// direct asks the store itself, once it knows what came before. If it cannot be asked,
// the error is none that store.Answered takes for an answer.
func (j *Journal) direct(ctx context.Context, key string, ask func(context.Context) error) error {
	behind := false
	err := j.guard.Do(ctx, func(ctx context.Context) error {
		if behind = j.flushed(ctx, key) != nil; behind {
			return nil // which says nothing against the store
		}
		return ask(ctx)
	})
	if behind && err == nil {
		return errBehind
	}
	return err
}

// keyOf is the key of a conference or stay that goes on, or fallback.
func (j *Journal) keyOf(id, fallback string) string {
	j.mu.Lock()
	defer j.mu.Unlock()
	if key, ok := j.rooms[id]; ok {
		return key
	}
	return fallback
}

func (j *Journal) keep(id, key string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.rooms[id] = key
}

func (j *Journal) forget(id string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	delete(j.rooms, id)
}

// OpenConference asks the store, as it says there; if it does not answer the conference is
// opened on this node's word, and Config.Superseded is told if it should not have been.
func (j *Journal) OpenConference(ctx context.Context, c store.Conference) error {
	if err := c.Validate(); err != nil {
		return fmt.Errorf("open conference: %w", err)
	}
	key := roomKey(c.RoomID)
	err := j.direct(ctx, key, func(ctx context.Context) error { return j.store.OpenConference(ctx, c) })
	if err != nil && (store.Answered(err) || ctx.Err() != nil) {
		return err
	}
	j.keep(string(c.ID), key)
	if err == nil {
		return nil
	}
	if err := j.append(true, key, &conferenceOpened{c}); err != nil {
		j.forget(string(c.ID))
		return err
	}
	return nil
}

// CloseConference returns when the end is on the disk.
func (j *Journal) CloseConference(_ context.Context, id store.ConferenceID, at time.Time, reason string) error {
	return j.append(true, j.keyOf(string(id), conferenceKey(id)), &conferenceClosed{id, at, reason})
}

// AppendConferenceEvents returns when the events, all of one conference, are on the disk.
func (j *Journal) AppendConferenceEvents(_ context.Context, events []store.ConferenceEvent) error {
	for _, e := range events {
		if err := e.Validate(); err != nil {
			return fmt.Errorf("record conference events: %w", err)
		}
	}
	if len(events) == 0 {
		return nil
	}
	id := events[0].ConferenceID
	return j.append(false, j.keyOf(string(id), conferenceKey(id)), &conferenceEvents{events})
}

// SetParticipantRole returns when the change is on the disk.
func (j *Journal) SetParticipantRole(_ context.Context, id store.ParticipantID, r store.Role, owner bool) error {
	return j.append(false, j.keyOf(string(id), "participant/"+string(id)), &roleChanged{id, r, owner})
}

// MoveParticipant returns when the move is on the disk.
func (j *Journal) MoveParticipant(_ context.Context, id store.ParticipantID, to store.ConferenceID, focus store.Place, epoch uint64) error {
	return j.append(false, j.keyOf(string(id), "participant/"+string(id)), &participantMoved{id, to, focus, epoch})
}

// PutCall returns when the call is on the disk.
func (j *Journal) PutCall(_ context.Context, c store.Call) error {
	if err := c.Validate(); err != nil {
		return fmt.Errorf("record call: %w", err)
	}
	return j.append(false, callKey(c.ID), &callPut{c})
}

// AppendCallSteps returns when the steps, all of one call, are on the disk.
func (j *Journal) AppendCallSteps(_ context.Context, steps []store.CallStep) error {
	for _, s := range steps {
		if err := s.Validate(); err != nil {
			return fmt.Errorf("record call steps: %w", err)
		}
	}
	if len(steps) == 0 {
		return nil
	}
	return j.append(false, callKey(steps[0].CallID), &callSteps{steps})
}

// BeginStay asks the store. An error that is no answer (store.Answered) says that it could
// not be asked: then the stay may or may not have begun. So it is where the store does
// not know the conference of another node yet.
func (j *Journal) BeginStay(ctx context.Context, p store.Participant, amount money.Amount) error {
	key := roomKey(p.RoomID)
	err := j.direct(ctx, key, func(ctx context.Context) error { return j.store.BeginStay(ctx, p, amount) })
	if err == nil {
		j.keep(string(p.ID), key)
	}
	if errors.Is(err, store.ErrNotFound) && j.keyOf(string(p.ConferenceID), "") == "" {
		return fmt.Errorf("%w: %v", errAhead, err) // not with %w: it is no answer
	}
	return err
}

// ExtendReservation asks the store, as BeginStay does.
func (j *Journal) ExtendReservation(ctx context.Context, id store.ParticipantID, total money.Amount) error {
	return j.direct(ctx, j.keyOf(string(id), "participant/"+string(id)), func(ctx context.Context) error {
		return j.store.ExtendReservation(ctx, id, total)
	})
}

// RecordStay returns when the promise is on the disk. A stay that begins leaves the last
// eighth of the log to those that have begun, and have to be settled.
func (j *Journal) RecordStay(_ context.Context, p store.Participant, total money.Amount) error {
	if err := errors.Join(p.Validate(), store.ValidateReservation(total)); err != nil {
		return fmt.Errorf("record a stay: %w", err)
	}
	key := roomKey(p.RoomID)
	begun := j.keyOf(string(p.ID), "") != ""
	j.keep(string(p.ID), key)
	err := j.append(begun, key, &stayRecorded{p, total})
	if err != nil && !begun {
		j.forget(string(p.ID))
	}
	return err
}

// TakeStay returns when the stay's new ingress is on the disk.
func (j *Journal) TakeStay(_ context.Context, p store.Participant, total money.Amount) error {
	if err := errors.Join(p.Validate(), store.ValidateReservation(total)); err != nil {
		return fmt.Errorf("take a stay over: %w", err)
	}
	key := roomKey(p.RoomID)
	j.keep(string(p.ID), key)
	return j.append(true, key, &stayTaken{p, total})
}

// SettleStay returns when the record is on the disk, with true: whether it was the first
// will be seen. If the journal cannot keep it, it is told to the store directly.
func (j *Journal) SettleStay(ctx context.Context, x store.XDR) (settled bool, err error) {
	if err := x.Validate(); err != nil {
		return false, fmt.Errorf("settle a stay: %w", err)
	}
	key := j.keyOf(string(x.ID), roomKey(x.RoomID))
	unkept := j.append(true, key, &staySettled{x})
	if unkept == nil {
		return true, nil
	}
	err = j.direct(ctx, key, func(ctx context.Context) error {
		settled, err = j.store.SettleStay(ctx, x)
		return err
	})
	if err != nil {
		return false, errors.Join(unkept, err)
	}
	j.logger.Error("the journal cannot keep a record; the store has taken it", "participant", x.ID, "error", unkept)
	j.forget(string(x.ID))
	if j.config.Settled != nil {
		j.config.Settled(x.ID)
	}
	return settled, nil
}

// DiscardStay settles a stay that may not have begun in the store; if it has not, nothing
// is done. It returns when that is on the disk.
func (j *Journal) DiscardStay(_ context.Context, x store.XDR) error {
	if err := x.Validate(); err != nil {
		return fmt.Errorf("discard a stay: %w", err)
	}
	return j.append(true, j.keyOf(string(x.ID), roomKey(x.RoomID)), &stayDiscarded{x})
}

// StartRun, Heartbeat and StopRun return when that is on the disk, so that the next run
// knows how long this one was alive, whether or not the store was there.
func (j *Journal) StartRun(_ context.Context, r store.NodeRun) error {
	if err := r.Validate(); err != nil {
		return fmt.Errorf("record the start of a node: %w", err)
	}
	return j.append(true, runKey(r.Node), &runStarted{r})
}

func (j *Journal) Heartbeat(_ context.Context, node string, incarnation int64, at time.Time) error {
	return j.append(true, runKey(node), &runBeat{node, incarnation, at})
}

func (j *Journal) StopRun(_ context.Context, node string, incarnation int64, at time.Time) error {
	return j.append(true, runKey(node), &runStopped{node, incarnation, at})
}

// PutRecording and PutSegment return when that is on the disk.
func (j *Journal) PutRecording(_ context.Context, r store.Recording) error {
	if err := r.Validate(); err != nil {
		return fmt.Errorf("record a recording: %w", err)
	}
	return j.append(false, recordingKey(r.ID), &recordingPut{r})
}

func (j *Journal) PutSegment(_ context.Context, s store.RecordingSegment) error {
	if err := s.Validate(); err != nil {
		return fmt.Errorf("record a segment of a recording: %w", err)
	}
	return j.append(false, recordingKey(s.RecordingID), &segmentPut{s})
}
