package billing

import (
	"fmt"
	"sync"
	"time"

	"github.com/jonboulle/clockwork"

	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/money"
)

// ErrOfflineCredit: the store cannot be asked, and this node may promise no more of the
// account's money on its own. It is a kind of store.ErrInsufficientFunds.
var ErrOfflineCredit = fmt.Errorf("%w: the store cannot be asked, and the offline credit is used up", store.ErrInsufficientFunds)

// Credit bounds what this node promises on its own while the store cannot be asked: for
// each account at most limit, in the account's currency, and no more than the account had
// when the local copy was made. What a stay was promised counts until the store has been
// told what came of it and the copy has been made anew since, so that no second outage
// gives the same money again. Hence the ledger passes the credit limit by no more than the
// limit of each node. It is safe for concurrent use.
type Credit struct {
	limit  money.Amount
	copied func() time.Time
	clock  clockwork.Clock

	mu       sync.Mutex
	promises map[store.ParticipantID]*promise
	sums     map[store.AccountID]money.Amount
}

// promise is what one stay has beyond what the store has reserved for it.
type promise struct {
	account store.AccountID
	amount  money.Amount
	known   money.Amount // what the store has reserved for the stay
	told    time.Time    // when the store was told; zero: not yet
}

// NewCredit makes the credit of a node. copied says of when the copy's balances are; a
// zero limit gives none.
func NewCredit(limit money.Amount, copied func() time.Time, clock clockwork.Clock) *Credit {
	return &Credit{limit: limit, copied: copied, clock: clock, promises: map[store.ParticipantID]*promise{}, sums: map[store.AccountID]money.Amount{}}
}

// grant promises a stay total in all, of which the store has reserved known, if the
// account may have so much. account is as it is in the copy, or was in the store.
func (c *Credit) grant(account store.Account, id store.ParticipantID, total, known money.Amount) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sweep()
	had := money.Amount(0)
	if p := c.promises[id]; p != nil {
		had = p.amount
	}
	amount := max(total-known, 0)
	if amount > had && c.sums[account.ID]-had+amount > min(c.limit, account.Funds()) {
		return false
	}
	c.set(id, promise{account: account.ID, amount: amount, known: known})
	return true
}

// set replaces what a stay has. The lock is held.
func (c *Credit) set(id store.ParticipantID, p promise) {
	if old := c.promises[id]; old != nil {
		if c.sums[old.account] -= old.amount; c.sums[old.account] == 0 {
			delete(c.sums, old.account)
		}
		delete(c.promises, id)
	}
	if p.amount > 0 {
		c.promises[id] = &p
		c.sums[p.account] += p.amount
	}
}

// sweep forgets what the copy knows of. The lock is held.
func (c *Credit) sweep() {
	copied := c.copied()
	for id, p := range c.promises {
		if !p.told.IsZero() && copied.After(p.told) {
			c.set(id, promise{})
		}
	}
}

// reserved: the store has reserved for the stay what it needs, or will never.
func (c *Credit) reserved(id store.ParticipantID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.set(id, promise{})
}

// ended: the stay has cost so much.
func (c *Credit) ended(id store.ParticipantID, cost money.Amount) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := c.promises[id]; p != nil {
		end := *p
		end.amount = min(p.amount, max(cost-p.known, 0))
		c.set(id, end)
	}
}

// Told: the store has been told what the stay was promised, or what it has cost.
func (c *Credit) Told(id store.ParticipantID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := c.promises[id]; p != nil {
		p.told = c.clock.Now()
	}
}

// Hold counts what an earlier run of the node has promised, and has not told the store.
// It is for the start of a node.
func (c *Credit) Hold(account store.AccountID, id store.ParticipantID, amount money.Amount) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.set(id, promise{account: account, amount: amount})
}

// Stays is how many stays have been promised money that the copy does not know of.
func (c *Credit) Stays() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sweep()
	return len(c.promises)
}

// Promised is what the account's stays have been promised on this node's own word.
func (c *Credit) Promised(id store.AccountID) money.Amount {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sums[id]
}
