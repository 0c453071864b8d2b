package billing

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/conclave-voice/conclave/store"
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
	offline     bool // it has gone on beyond what is reserved
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
			s.meter.Extended(a.Total)
		case errors.Is(err, store.ErrInsufficientFunds):
			s.meter.Refused(now)
		default:
			s.service.logger.Warn("reservation not extended", "participant", s.Participant.ID, "error", err)
			s.meter.Failed(now)
		}
	}
}

func (s *Stay) extend(ctx context.Context, a Action) error {
	ctx, cancel := context.WithTimeout(ctx, extendTime)
	defer cancel()
	return s.service.store.ExtendReservation(ctx, s.Participant.ID, a.Total)
}

// countOffline counts a stay once that lives by the offline allowance.
func (s *Stay) countOffline(now time.Time) {
	if !s.offline && lasted(s.Participant.JoinedAt, now) > s.meter.Covered() && now.Before(s.meter.Limit()) {
		s.offline = true
		s.service.offline.Add(1)
	}
}

// Settle ends the stay and charges it. It does not wait for the store, but for room
// among the settlements that do (see [Settler]). What the stay lasted beyond the end
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
	x.Quality = quality
	return s.end(x)
}

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
	s.service.settler.Put(x)
	return x
}
