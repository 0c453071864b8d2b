package signaling

import (
	"context"
	"errors"
)

// Negotiate offers a new session description by re-INVITE. offer makes it when the
// turn is ours, and anew for each attempt; answered reads the peer's answer before any
// other offer is made or answered, so that what both ends have agreed on is always what
// was agreed on last. Neither may negotiate in this dialog.
//
// It waits while the peer's own re-INVITE is under way, and tries again after a random
// delay when both met (491, RFC 3261 section 14.1). Any other refusal is a *StatusError,
// and the session stays as it was; after 481 and 408, and without any response, the
// dialog has ended, which is an *EndedError when it ended meanwhile. When ctx ends the
// offer is cancelled, if it still can be.
func (d *Dialog) Negotiate(ctx context.Context, offer func() ([]byte, error), answered func(answer []byte) error) (err error) {
	for range maxGlare {
		err = d.reinviteOnce(ctx, offer, answered)
		var refused *StatusError
		if !errors.As(err, &refused) || refused.Status != 491 {
			return err
		}
		select {
		case <-d.endpoint.config.Clock.After(d.glareDelay()):
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-d.over:
			return d.endedError()
		}
	}
	return err
}

// inForce is the description that we gave last.
func (d *Dialog) inForce() ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.localSDP, nil
}
