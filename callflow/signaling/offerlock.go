package signaling

import (
	"context"
	"sync"
)

// offerLock lets one offer, or one INVITE, be under way in a dialog (RFC 3261
// section 14.1, RFC 3311 section 5.2).
type offerLock struct {
	free chan struct{} // has room when someone may wait for it

	mu     sync.Mutex
	holder Side // 0: nobody
}

// tryPeer takes the lock for a request of the peer. False: ours is under way, and
// the peer's is answered 491.
func (l *offerLock) tryPeer() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.holder == ByLocal {
		return false
	}
	l.holder = ByPeer
	return true
}

// acquire waits until nothing is under way, then takes the lock for us.
func (l *offerLock) acquire(ctx context.Context, over <-chan struct{}) error {
	for {
		l.mu.Lock()
		if l.holder == 0 {
			l.holder = ByLocal
			l.mu.Unlock()
			return nil
		}
		l.mu.Unlock()
		select {
		case <-l.free:
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-over:
			return errDialogOver
		}
	}
}

func (l *offerLock) release() {
	l.mu.Lock()
	l.holder = 0
	l.mu.Unlock()
	select {
	case l.free <- struct{}{}:
	default:
	}
}
