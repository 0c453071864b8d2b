package watch

import (
	"context"
	"sync"
)

// Set are the readers of one thing. Its zero value is ready. It is safe for
// concurrent use.
type Set struct {
	mu      sync.Mutex
	readers map[chan struct{}]struct{}
}

// Watch makes a reader until the context ends. Its channel holds one signal at most,
// and one from the start, so that the reader's loop needs no first look outside of it.
// The channel is never closed.
func (s *Set) Watch(ctx context.Context) <-chan struct{} {
	reader := make(chan struct{}, 1)
	reader <- struct{}{}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.readers == nil {
		s.readers = map[chan struct{}]struct{}{}
	}
	s.readers[reader] = struct{}{}
	context.AfterFunc(ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.readers, reader)
	})
	return reader
}

// Signal tells every reader. Call it after the change can be seen. It never waits.
func (s *Set) Signal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for reader := range s.readers {
		select {
		case reader <- struct{}{}:
		default: // one is pending, and this change is in what it will lead to
		}
	}
}
