package billing

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/money"
)

// extendTime bounds one attempt to reserve more. Tick takes no longer, and the pause
// after a failure grows, so that a store that hangs does not keep a call from its keys.
const extendTime = 2 * time.Second

// Stay is a stay that was authorized, and runs. It is used by one goroutine, and
// ended by Settle or Void, once.
type Stay struct {
	Participant store.Participant
	Account     store.Account
	RoomName    string
	service     *Service
	meter       *Meter
	offline     bool         // it has gone on beyond what the store has reserved
	known       money.Amount // what the store has reserved, for sure
	usedUp      bool         // the store said last that there is no more
	inbound     store.Score  // for the record
	outbound    store.Score
}

// MaxDuration is how long the stay may last by what is reserved now.
func (s *Stay) MaxDuration() time.Duration { return s.meter.Covered() }

// Deadline is when Tick may have something to do.
func (s *Stay) Deadline() time.Time { return s.meter.Deadline() }

// Tick keeps the stay within its money. It returns what the caller's side has to
// do: Warn, End, or Nothing. It asks the store when a share has to be renewed, and
// waits for it 2 s at most for each question.
func (s *Stay) Tick(ctx context.Context, now time.Time) Action {
	for {
		a := s.meter.Next(now)
		if a.Kind != Extend {
			s.countOffline(now)
			return a
		}
		err := s.extend(ctx, a)
		switch {
		case err == nil:
			s.extended(a.Total)
		case errors.Is(err, store.ErrInsufficientFunds):
			s.usedUp = true
			s.meter.Refused(now)
		default:
			s.service.logger.Warn("reservation not extended", "participant", s.Participant.ID, "error", err)
			s.failed(ctx, a, now)
		}
	}
}

// extended: the store has reserved total.
func (s *Stay) extended(total money.Amount) {
	s.meter.Extended(total)
	s.known, s.usedUp = total, false
	if s.service.credit != nil {
		s.service.credit.reserved(s.Participant.ID)
	}
}

// failed: the store could not be asked. Then the credit decides, where there is one.
func (s *Stay) failed(ctx context.Context, a Action, now time.Time) {
	switch {
	case s.service.journal == nil:
		s.meter.Failed(now)
	case s.extendOffline(ctx, a.Total):
		s.meter.Extended(a.Total)
	default:
		s.meter.Refused(now)
	}
}

func (s *Stay) extend(ctx context.Context, a Action) error {
	ctx, cancel := context.WithTimeout(ctx, extendTime)
	defer cancel()
	return s.service.store.ExtendReservation(ctx, s.Participant.ID, a.Total)
}

// countOffline counts a stay once that lives by the offline allowance.
func (s *Stay) countOffline(now time.Time) {
	if lasted(s.Participant.JoinedAt, now) > s.meter.Covered() && now.Before(s.meter.Limit()) {
		s.goneOffline()
	}
}

// Settle ends the stay and charges it. It waits for the journal's disk; without a journal
// for room among the records that wait (see [Settler]), never for the store. What the stay lasted beyond the end
// that Tick told, because the release took its time, is not charged.
func (s *Stay) Settle(at time.Time, cause store.ReleaseCause, quality json.RawMessage) store.XDR {
	if limit := s.meter.Limit(); at.After(limit) {
		at = limit
	}
	x := record(s.Participant, s.RoomName, at, cause, s.service.logger)
	if over := x.Amount - s.meter.Reserved(); over > 0 {
		s.service.logger.Warn("stay cost more than was reserved: the store could not be asked",
			"participant", x.ID, "account", x.AccountID, "over", over)
	}
	x.Quality, x.Inbound, x.Outbound = quality, s.inbound, s.outbound
	return s.end(x)
}

// Rated notes how good the media was each way, for the record. Call it before Settle.
func (s *Stay) Rated(inbound, outbound store.Score) { s.inbound, s.outbound = inbound, outbound }

// Move notes that the stay goes on in another conference.
func (s *Stay) Move(conf store.ConferenceID, focus store.Place, epoch uint64) {
	s.Participant.ConferenceID, s.Participant.Focus, s.Participant.Epoch = conf, focus, epoch
}

// Void ends a stay that came to nothing, such as one that the conference did not
// admit: a record without a charge, and the reservation given back.
func (s *Stay) Void(at time.Time, cause store.ReleaseCause) store.XDR {
	return s.end(blank(s.Participant, s.RoomName, at, cause))
}

func (s *Stay) end(x store.XDR) store.XDR {
	x.RecordedAt = micros(s.service.clock.Now())
	s.service.settle(x)
	return x
}
