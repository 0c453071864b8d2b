package billing

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/jonboulle/clockwork"

	"github.com/conclave-voice/conclave/billing/rating"
	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/money"
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
	TakeStay(ctx context.Context, p store.Participant, total money.Amount) error
	SettleStay(ctx context.Context, x store.XDR) (settled bool, err error)
}

// maxUnsettled is how many settlements may wait for the store, some 1 kB each. What
// happens when that many do is said at Settler.
const maxUnsettled = 16384

// Service authorizes and settles. It is safe for concurrent use.
type Service struct {
	store   Store
	policy  Policy
	settler *Settler
	clock   clockwork.Clock
	logger  hclog.Logger
	offline atomic.Uint64
	journal Journal // nil: there is none
	credit  *Credit // where there is a journal
}

// NewService makes a service; call Run. The policy is one that Validate accepts.
func NewService(s Store, p Policy, clock clockwork.Clock, logger hclog.Logger, options ...Option) *Service {
	service := &Service{store: s, policy: p, settler: NewSettler(s, maxUnsettled, clock, logger), clock: clock, logger: logger}
	for _, set := range options {
		set(service)
	}
	return service
}

// Run settles what is to be settled until ctx is done, and then what is left, in at
// most 5 s. End it after the calls have ended.
func (s *Service) Run(ctx context.Context) error { return s.settler.Run(ctx) }

// Unsettled is how many settlements wait in memory for the store. A journal says itself
// how many wait in it.
func (s *Service) Unsettled() int { return s.settler.Stats().Waiting }

// Stats tells how it goes.
func (s *Service) Stats() Stats {
	stats := s.settler.Stats()
	stats.Offline = s.offline.Load()
	return stats
}

// AuthorizeNumber says what a called number is (SPEC CA2), or ErrUnknownNumber. A
// plus sign before the number does not matter.
func (s *Service) AuthorizeNumber(ctx context.Context, called string) (store.AccessNumber, error) {
	n, err := s.store.AccessNumberByNumber(ctx, strings.TrimPrefix(called, "+"))
	if errors.Is(err, store.ErrNotFound) {
		return n, fmt.Errorf("%w: %q", ErrUnknownNumber, called)
	}
	if err != nil {
		return n, fmt.Errorf("authorize the number %q: %w", called, err)
	}
	return n, nil
}

// AuthorizeStay asks whether the account that owns the room may use the access
// number and has the funds (SPEC CA5), reserves the first share and records the
// participant, whose rate and currency it fills in. The errors are the refusals, or
// the store's. A stay that it returns has to be ended by Settle or Void.
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
	reserved, offline, err := s.begin(ctx, p, account)
	if err != nil {
		return nil, fmt.Errorf("authorize a stay: %w", err)
	}
	stay := &Stay{Participant: p, Account: account, RoomName: roomName, service: s, offline: offline,
		meter: NewMeter(s.policy, p.Rate, p.JoinedAt, reserved)}
	if !offline {
		stay.known = reserved
	}
	s.logger.Debug("stay authorized", "participant", p.ID, "account", account.ID, "reserved", reserved, "offline", offline)
	return stay, nil
}

// begin reserves a share, or as much less of it as there is money for, down to
// the first interval. offline says that the store could not be asked.
func (s *Service) begin(ctx context.Context, p store.Participant, account store.Account) (reserved money.Amount, offline bool, err error) {
	for share := s.policy.Share; ; share /= 2 {
		_, amount, err := rating.Charge(p.Rate, share)
		if err != nil {
			return 0, false, err
		}
		err = s.store.BeginStay(ctx, p, amount)
		switch {
		case err == nil:
			return amount, false, nil
		case !errors.Is(err, store.ErrInsufficientFunds):
			return s.notBegun(ctx, p, account, share, err)
		case share <= p.Rate.First:
			return 0, false, err
		}
	}
}

// notBegun decides what becomes of a stay that the store did not begin, as far as is
// known.
func (s *Service) notBegun(ctx context.Context, p store.Participant, account store.Account, share time.Duration, err error) (money.Amount, bool, error) {
	if s.journal != nil && !store.Answered(err) && ctx.Err() == nil {
		amount, refused := s.beginOffline(ctx, p, account, share, err)
		if refused == nil {
			return amount, true, nil
		}
		err = refused
	}
	// The store may have kept it and lost the answer.
	x := blank(p, "", p.JoinedAt, store.CauseError)
	x.RecordedAt = micros(s.clock.Now())
	s.discard(x)
	return 0, false, err
}
