package server

import (
	"context"
	"errors"
	"fmt"
)

// part is something of the node that runs as long as the node does.
type part struct {
	name string
	run  func(ctx context.Context) error
	// before is called when the part is to stop, before its context ends; may be nil.
	before func()
}

// runParts starts the parts in their order and, when ctx is done or one of them
// ends, stops them in the reverse order, waiting for each before the next: a part
// may rely on those before it until it has ended.
func runParts(ctx context.Context, parts []part) error {
	type running struct {
		part
		stop context.CancelFunc
		done chan error
	}
	failed := make(chan struct{}, len(parts))
	var all []running
	for _, p := range parts {
		partCtx, stop := context.WithCancel(context.WithoutCancel(ctx))
		r := running{part: p, stop: stop, done: make(chan error, 1)}
		go func() {
			r.done <- p.run(partCtx)
			failed <- struct{}{}
		}()
		all = append(all, r)
	}
	select {
	case <-ctx.Done():
	case <-failed:
	}
	var errs []error
	for i := len(all) - 1; i >= 0; i-- {
		r := all[i]
		if r.before != nil {
			r.before()
		}
		r.stop()
		if err := <-r.done; err != nil && !errors.Is(err, context.Canceled) {
			errs = append(errs, fmt.Errorf("%s: %w", r.name, err))
		}
	}
	return errors.Join(errs...)
}
