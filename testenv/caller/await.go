package caller

import (
	"context"
	"fmt"
	"time"
)

// lookEvery is how often what is awaited is looked for.
const lookEvery = 25 * time.Millisecond

// AwaitTone waits until a tone has been heard without a break for a time, all of it
// after the call of AwaitTone.
func (c *Call) AwaitTone(ctx context.Context, tone int, d time.Duration) error {
	begun := time.Now()
	return c.await(ctx, fmt.Sprintf("hears %d Hz for %v", tone, d), func(t Timeline) bool {
		for _, s := range t.Heard {
			if s.Tone == tone && overlap(s.From, s.To, begun, s.To) >= d {
				return true
			}
		}
		return false
	})
}

// AwaitNoTone waits until a tone has not been heard for a time, all of it after the
// call of AwaitNoTone. No audio at all is no tone.
func (c *Call) AwaitNoTone(ctx context.Context, tone int, d time.Duration) error {
	begun := time.Now()
	return c.await(ctx, fmt.Sprintf("hears no %d Hz for %v", tone, d), func(t Timeline) bool {
		// A window is judged only when it is full, and a gap only when it is long.
		until := time.Now().Add(-gapFrom)
		from := until.Add(-d)
		return from.After(begun) && t.Share(tone, from, until) == 0
	})
}

// await looks until what is wanted has come about, ctx ends, or the call has.
func (c *Call) await(ctx context.Context, what string, come func(Timeline) bool) error {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		t := c.Timeline()
		if come(t) {
			return nil
		}
		select {
		case <-ticker.C:
		case <-c.ended:
			reason, _ := c.Ended()
			return fmt.Errorf("wait until caller %s %s: the call has ended: %s\n%s", c.dial.From, what, reason, t)
		case <-ctx.Done():
			return fmt.Errorf("wait until caller %s %s: %w\n%s", c.dial.From, what, context.Cause(ctx), t)
		}
	}
}
