package billing

import (
	"context"
	"errors"
	"time"

	"github.com/conclave-voice/conclave/billing/rating"
	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/money"
)

// Journal keeps on this node's disk what the store is to be told, tells it as soon as it
// can, in order for each stay, and goes on with that after a restart. Its methods return
// when the record is on the disk.
type Journal interface {
	// RecordStay: the stay was promised total in all while the store could not be asked.
	RecordStay(ctx context.Context, p store.Participant, total money.Amount) error
	SettleStay(ctx context.Context, x store.XDR) (settled bool, err error)
	// DiscardStay ends a stay that may not have begun in the store.
	DiscardStay(ctx context.Context, x store.XDR) error
}

// Option changes how a service works.
type Option func(*Service)

// WithJournal lets stays begin, go on and end while the store cannot be asked, within
// the credit. Policy.Offline does not apply then.
func WithJournal(j Journal, c *Credit) Option {
	return func(s *Service) { s.journal, s.credit = j, c }
}

// journalTime bounds the wait for the disk.
const journalTime = 5 * time.Second

// beginOffline begins a stay on this node's own word, with share or as much less of it
// as the credit has, down to the first interval. away is what the store failed with.
func (s *Service) beginOffline(ctx context.Context, p store.Participant, account store.Account, share time.Duration, away error) (money.Amount, error) {
	for ; ; share /= 2 {
		_, amount, err := rating.Charge(p.Rate, share)
		if err != nil {
			return 0, err
		}
		if s.credit.grant(account, p.ID, amount, 0) {
			if err := s.journal.RecordStay(ctx, p, amount); err != nil {
				s.credit.reserved(p.ID)
				return 0, errors.Join(away, err)
			}
			s.offline.Add(1)
			s.logger.Warn("stay begun on offline credit", "participant", p.ID, "account", p.AccountID, "amount", amount, "store", away)
			return amount, nil
		}
		if share <= p.Rate.First {
			return 0, ErrOfflineCredit
		}
	}
}

// extendOffline promises the stay more on this node's own word, and says whether it
// could. A store that said that the money is used up and then fails gives no credit.
func (s *Stay) extendOffline(ctx context.Context, total money.Amount) bool {
	if s.usedUp {
		return false
	}
	account := s.Account
	if now, err := s.service.store.Account(ctx, store.Scope{}, account.ID); err == nil {
		account = now
	}
	had := s.meter.Reserved()
	if account.Blocked || !s.service.credit.grant(account, s.Participant.ID, total, s.known) {
		return false
	}
	if err := s.service.journal.RecordStay(ctx, s.Participant, total); err != nil {
		s.service.logger.Error("offline credit not given: it cannot be recorded", "participant", s.Participant.ID, "error", err)
		s.service.credit.grant(account, s.Participant.ID, had, s.known)
		return false
	}
	s.goneOffline()
	return true
}

// goneOffline counts a stay once that lives by more than the store has reserved.
func (s *Stay) goneOffline() {
	if !s.offline {
		s.offline = true
		s.service.offline.Add(1)
	}
}

// Offline says whether the stay has lived, or lives, by this node's own word, because
// the store could not be asked.
func (s *Stay) Offline() bool { return s.offline }

// settle hands over a record: to the journal, or to the settler where there is none or it
// cannot keep it.
func (s *Service) settle(x store.XDR) {
	if s.journal == nil {
		s.settler.Put(x)
		return
	}
	s.credit.ended(x.ID, x.Amount)
	ctx, cancel := context.WithTimeout(context.Background(), journalTime)
	defer cancel()
	if _, err := s.journal.SettleStay(ctx, x); err != nil {
		s.logger.Error("record not in the journal; it waits in memory", "participant", x.ID, "account", x.AccountID, "error", err)
		s.settler.Put(x)
	}
}

// discard hands over the record of a stay that may not have begun at all.
func (s *Service) discard(x store.XDR) {
	if s.journal == nil {
		s.settler.discard(x)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), journalTime)
	defer cancel()
	if err := s.journal.DiscardStay(ctx, x); err != nil {
		s.logger.Error("record not in the journal; it waits in memory", "participant", x.ID, "account", x.AccountID, "error", err)
		s.settler.discard(x)
	}
}
