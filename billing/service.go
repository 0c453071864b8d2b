package billing

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/jonboulle/clockwork"

	"github.com/conclave-voice/conclave/billing/rating"
	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/money"
	"github.com/conclave-voice/conclave/store/outbox"
)

// Refusals. Besides them: store.ErrInsufficientFunds.
var (
	ErrUnknownNumber = errors.New("unknown number")
	ErrNotAllowed    = errors.New("the account may not use this access number")
	ErrBlocked       = errors.New("the account is blocked")
)

// Store is what billing reads and writes.
type Store interface {
	AccessNumberByNumber(ctx context.Context, number string) (store.AccessNumber, error)
	Account(ctx context.Context, s store.Scope, id store.AccountID) (store.Account, error)
	RateFor(ctx context.Context, t store.TariffID, s store.Service, accessNumber string) (store.Rate, error)
	BeginStay(ctx context.Context, p store.Participant, amount money.Amount) error
	ExtendReservation(ctx context.Context, id store.ParticipantID, total money.Amount) error
	SettleStay(ctx context.Context, x store.XDR) (settled bool, err error)
}

// maxUnsettled is how many settlements may wait for the store. When that many do,
// the end of further calls waits too.
const maxUnsettled = 4096

// Service authorizes and settles. It is safe for concurrent use.
type Service struct {
	store  Store
	policy Policy
	outbox *outbox.Outbox
	clock  clockwork.Clock
	logger hclog.Logger
}

// NewService makes a service; call Run.
func NewService(s Store, p Policy, clock clockwork.Clock, logger hclog.Logger) *Service {
	return &Service{store: s, policy: p, outbox: outbox.New(maxUnsettled, logger), clock: clock, logger: logger}
}

// Run settles what is to be settled until ctx is done, and then what is left.
func (s *Service) Run(ctx context.Context) error { return s.outbox.Run(ctx) }

// Unsettled is how many settlements wait for the store.
func (s *Service) Unsettled() int { return s.outbox.Waiting() }

// AuthorizeNumber says what a called number is (SPEC CA2), or ErrUnknownNumber.
func (s *Service) AuthorizeNumber(ctx context.Context, called string) (store.AccessNumber, error) {
	n, err := s.store.AccessNumberByNumber(ctx, called)
	if errors.Is(err, store.ErrNotFound) {
		return n, fmt.Errorf("%w: %q", ErrUnknownNumber, called)
	}
	if err != nil {
		return n, fmt.Errorf("authorize the number %q: %w", called, err)
	}
	return n, nil
}

// Stay is a stay that was authorized, and runs. It is used by one goroutine.
type Stay struct {
	Participant store.Participant
	Account     store.Account
	RoomName    string
	service     *Service
	meter       *Meter
}

// AuthorizeStay asks whether the account that owns the room may use the access
// number and has the funds (SPEC CA5), reserves the first share and records the
// participant, whose rate and currency it fills in. The errors are the refusals, or
// the store's.
func (s *Service) AuthorizeStay(ctx context.Context, p store.Participant, n store.AccessNumber, roomName string) (*Stay, error) {
	account, err := s.store.Account(ctx, store.Scope{}, p.AccountID)
	if err != nil {
		return nil, fmt.Errorf("authorize a stay: account %s: %w", p.AccountID, err)
	}
	switch {
	case account.Blocked:
		return nil, ErrBlocked
	case n.CustomerID != "" && n.CustomerID != account.CustomerID:
		return nil, ErrNotAllowed
	}
	p.Rate, err = s.store.RateFor(ctx, account.TariffID, store.ServiceConferencing, n.Number)
	if errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("%w: its tariff has no rate for conferencing by %s", ErrNotAllowed, n.Number)
	}
	if err != nil {
		return nil, fmt.Errorf("authorize a stay: rate: %w", err)
	}
	p.Currency = account.Currency
	reserved, err := s.begin(ctx, p)
	if err != nil {
		return nil, err
	}
	return &Stay{Participant: p, Account: account, RoomName: roomName, service: s,
		meter: NewMeter(s.policy, p.Rate, p.JoinedAt, reserved)}, nil
}

// begin reserves a share, or as much less of it as there is money for, down to
// the first interval.
func (s *Service) begin(ctx context.Context, p store.Participant) (money.Amount, error) {
	for share := s.policy.Share; ; share /= 2 {
		_, amount, err := rating.Charge(p.Rate, share)
		if err != nil {
			return 0, fmt.Errorf("authorize a stay: %w", err)
		}
		err = s.store.BeginStay(ctx, p, amount)
		if err == nil {
			return amount, nil
		}
		if !errors.Is(err, store.ErrInsufficientFunds) || share <= p.Rate.First {
			return 0, fmt.Errorf("authorize a stay: %w", err)
		}
	}
}

// MaxDuration is how long the stay may last by what is reserved now.
func (s *Stay) MaxDuration() time.Duration { return s.meter.Covered() }

// Deadline is when Tick may have something to do.
func (s *Stay) Deadline() time.Time { return s.meter.Deadline() }

// Tick keeps the stay within its money. It returns what the caller's side has to
// do: Warn, End, or Nothing.
func (s *Stay) Tick(ctx context.Context, now time.Time) Action {
	for {
		a := s.meter.Next(now)
		if a.Kind != Extend {
			return a
		}
		err := s.service.store.ExtendReservation(ctx, s.Participant.ID, a.Total)
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

// Settle ends the stay and charges it. It does not wait for the store.
func (s *Stay) Settle(at time.Time, cause store.ReleaseCause, quality json.RawMessage) store.XDR {
	x := record(s.Participant, s.RoomName, at, cause, s.service.logger)
	x.Quality, x.RecordedAt = quality, s.service.clock.Now().UTC()
	s.service.outbox.Put(outbox.Write{
		What: "xDR of participant " + string(x.ID),
		Do: func(ctx context.Context) error {
			_, err := s.service.store.SettleStay(ctx, x)
			return err
		},
	})
	return x
}

// record rates a stay that ended.
func record(p store.Participant, roomName string, at time.Time, cause store.ReleaseCause, logger hclog.Logger) store.XDR {
	if at.Before(p.JoinedAt) {
		at = p.JoinedAt // the clock was set back: a stay is never negative
	}
	duration := at.Sub(p.JoinedAt).Truncate(time.Second)
	billed, amount, err := rating.Charge(p.Rate, duration)
	if err != nil {
		// The rate was checked when the stay began; a record without an amount
		// is still a record, and an adjustment can put it right.
		logger.Error("stay recorded without a charge", "participant", p.ID, "error", err)
	}
	return store.XDR{
		ID: p.ID, ConferenceID: p.ConferenceID, RoomID: p.RoomID, RoomName: roomName, CustomerID: p.CustomerID,
		AccountID: p.AccountID, CallID: p.CallID, Service: store.ServiceConferencing, Caller: p.Caller, Called: p.Called,
		Ingress: p.Ingress, Focus: p.Focus, Epoch: p.Epoch, StartedAt: p.JoinedAt, EndedAt: at,
		Duration: duration, Billed: billed, Rate: p.Rate, Amount: amount, Currency: p.Currency, Cause: cause,
	}
}
