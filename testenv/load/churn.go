package load

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	// churnStep is how often it is looked who has to come or go. One call at most begins in
	// each step.
	churnStep = 20 * time.Millisecond
	// away is how long a seat is empty between two callers.
	away = time.Second
	// again is when a caller tries anew who was refused or hung up on.
	again = 5 * time.Second
)

// Churn has callers come and go until ctx is done, then it returns nil. They are in
// already (Enter); each stays a random time, the next one takes the seat soon after.
func (c *Crowd) Churn(ctx context.Context) error {
	tick := time.NewTicker(churnStep)
	defer tick.Stop()
	turns, now := make([]seatTurn, len(c.seats)), time.Now()
	for i := range turns {
		turns[i] = seatTurn{taken: true, until: now.Add(c.stay())}
	}
	for {
		select {
		case now = <-tick.C:
		case <-ctx.Done():
			return c.settled(context.WithoutCancel(ctx))
		}
		c.phone.repeat(now)
		mayDial := true
		for i, s := range c.seats {
			if c.churn(s, &turns[i], now, mayDial) {
				mayDial = false
			}
		}
	}
}

// seatTurn says until when a seat is taken, or empty.
type seatTurn struct {
	taken bool
	until time.Time
}

// churn does what is due at a seat, and says whether a call was begun.
func (c *Crowd) churn(s *seat, t *seatTurn, now time.Time, mayDial bool) (dialled bool) {
	busy := c.phone.busy(s)
	switch {
	case t.taken && !busy: // refused, or hung up on
		*t = seatTurn{until: now.Add(again)}
	case now.Before(t.until):
	case t.taken:
		c.phone.hangUp(s)
		*t = seatTurn{until: now.Add(away)}
	case !busy && mayDial:
		c.phone.dial(s)
		*t = seatTurn{taken: true, until: now.Add(c.stay())}
		return true
	}
	return false
}

// stay is how long a caller stays: long enough to hear its room, then as chance has it,
// whatever the time it has been in.
func (c *Crowd) stay() time.Duration {
	least := c.options.Settle + 2*shortestHeard
	return least + time.Duration(rand.ExpFloat64()*float64(max(0, c.options.Stay-least)))
}
