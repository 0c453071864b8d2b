package billing

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Policy is how a stay is kept within its money.
type Policy struct {
	// Share is how much time is reserved at once.
	Share time.Duration
	// Margin is how long before a share runs out the next one is asked for. It must
	// be longer than the first of Warnings.
	Margin time.Duration
	// Warnings are told so long before the end, the longest first.
	Warnings []time.Duration
	// Retry is the pause after the store said that the money is used up (somebody
	// may top the account up), and after it first failed; each further failure
	// doubles it, up to RetryMost.
	Retry, RetryMost time.Duration
	// Offline is how long a stay goes on beyond what is reserved while the store
	// cannot be asked: the credit that an outage gives, for each stay. It may take
	// the balance below the credit limit by what that costs. It is for a service
	// without a journal; with one, Credit decides (WithJournal).
	Offline time.Duration
}

// DefaultPolicy reserves five minutes at a time and warns a minute and ten seconds
// before the end.
func DefaultPolicy() Policy {
	return Policy{Share: 5 * time.Minute, Margin: 90 * time.Second,
		Warnings: []time.Duration{time.Minute, 10 * time.Second},
		Retry:    5 * time.Second, RetryMost: 30 * time.Second, Offline: 10 * time.Minute}
}

// ErrPolicy: a policy by which stays cannot be kept within their money.
var ErrPolicy = errors.New("unusable billing policy")

// Validate says what is wrong with the policy, or nil.
func (p Policy) Validate() error {
	descending := slices.IsSortedFunc(p.Warnings, func(a, b time.Duration) int { return cmp.Compare(b, a) })
	switch {
	case p.Share < time.Second:
		return fmt.Errorf("%w: share %v; it must be at least 1s", ErrPolicy, p.Share)
	case !descending || (len(p.Warnings) > 0 && p.Warnings[len(p.Warnings)-1] <= 0):
		return fmt.Errorf("%w: warnings %v; they must be above 0, the longest first", ErrPolicy, p.Warnings)
	case p.Margin < time.Second || (len(p.Warnings) > 0 && p.Margin <= p.Warnings[0]):
		return fmt.Errorf("%w: margin %v; it must be at least 1s, and longer than the first warning", ErrPolicy, p.Margin)
	case p.Retry < time.Second || p.RetryMost < p.Retry:
		return fmt.Errorf("%w: retry %v to %v; it must be at least 1s, and the second not below the first", ErrPolicy, p.Retry, p.RetryMost)
	case p.Offline < 0:
		return fmt.Errorf("%w: offline allowance %v; it must be 0 or more", ErrPolicy, p.Offline)
	}
	return nil
}
