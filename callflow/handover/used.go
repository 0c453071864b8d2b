package handover

import (
	"sync"
	"time"
)

// maxUsed bounds the proofs that are remembered: 64k in Lifetime and Skew are over a
// thousand forwarded calls in each second. When there are more, a new one is refused
// and not an old one forgotten.
const maxUsed = 1 << 16

// used remembers which proofs have been taken, until they would be refused anyway.
type used struct {
	mu    sync.Mutex
	until map[string]time.Time
	swept time.Time // when those that are over were removed last
}

func newUsed() *used { return &used{until: map[string]time.Time{}} }

// take notes that a proof is used, which is believed until then.
func (u *used) take(id string, until, now time.Time) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if now.Sub(u.swept) > Lifetime || len(u.until) >= maxUsed {
		u.sweep(now)
	}
	if _, again := u.until[id]; again {
		return ErrReplayed
	}
	if len(u.until) >= maxUsed {
		return ErrFull
	}
	u.until[id] = until
	return nil
}

func (u *used) sweep(now time.Time) {
	for id, until := range u.until {
		if until.Before(now) {
			delete(u.until, id)
		}
	}
	u.swept = now
}
