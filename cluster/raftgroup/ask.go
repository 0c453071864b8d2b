package raftgroup

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	retryFirst = 10 * time.Millisecond
	retryMost  = 200 * time.Millisecond
)

// patient is ctx for one request: it also ends when Timing.Patience is over or the
// group is closed, and its cause says so.
func (g *Group) patient(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, end := g.untilClosed(ctx)
	ctx, stop := context.WithTimeoutCause(ctx, g.cfg.Timing.Patience, ErrNoQuorum)
	return ctx, func() { stop(); end() }
}

// untilClosed is ctx, and ends when the group is closed.
func (g *Group) untilClosed(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	forget := context.AfterFunc(g.ctx, func() { cancel(ErrClosed) })
	return ctx, func() { forget(); cancel(nil) }
}

// ask has the leader, wherever it is, answer a request. It tries again, with the
// same request, until there is an answer or the patient context is done.
func (g *Group) ask(patient context.Context, req request) ([]byte, error) {
	select {
	case g.asking <- struct{}{}:
		defer func() { <-g.asking }()
	case <-patient.Done():
		return nil, giveUp(patient, nil)
	}
	var sent error // why the outcome of an earlier attempt is not known
	for again := retryFirst; ; again = min(2*again, retryMost) {
		leader, tenure, lost := g.leadership.now()
		if leader == "" {
			if !g.awaitLeader(patient, tenure, lost) {
				return nil, giveUp(patient, sent)
			}
			continue
		}
		a := g.attempt(patient, tenure, nodeOf(leader), leader == g.self, req)
		switch a.is {
		case statusDone:
			return a.body, nil
		case statusFailed:
			return nil, errors.New(string(a.body))
		case statusUnknown:
			if req.is == kindPropose {
				sent = errors.New(string(a.body))
			}
		}
		if pause(patient, again); patient.Err() != nil {
			return nil, giveUp(patient, sent)
		}
	}
}

// awaitLeader waits until that there is no leader, since lost, has changed. It is
// false when the wait is over.
func (g *Group) awaitLeader(ctx, tenure context.Context, lost time.Time) bool {
	timer := time.NewTimer(time.Until(lost.Add(g.cfg.Timing.Patience)))
	defer timer.Stop()
	select {
	case <-tenure.Done():
		return ctx.Err() == nil
	case <-timer.C:
		return false
	case <-ctx.Done():
		return false
	}
}

// giveUp says why there was no answer, and whether there may yet be consequences.
func giveUp(ctx context.Context, sent error) error {
	err := ErrNoQuorum // unless it was the caller or Close who ended it
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if sent != nil {
		return fmt.Errorf("asking the Raft leader: %w; %w (%w)", err, ErrUnknownOutcome, sent)
	}
	return fmt.Errorf("asking the Raft leader: %w", err)
}

// attempt asks once. It ends early when the leader changes.
func (g *Group) attempt(ctx, tenure context.Context, node string, here bool, req request) answer {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(tenure, cancel)()
	if here {
		return g.lead(ctx, req)
	}
	return g.forward(ctx, node, req)
}

func (g *Group) forward(ctx context.Context, node string, req request) answer {
	data, err := g.cfg.Forwarder.Forward(ctx, node, req.encode())
	if err != nil {
		return because(statusUnknown, fmt.Errorf("sending to %s: %w", node, err))
	}
	a, err := decodeMessage[status](data)
	if err != nil {
		return because(statusUnknown, fmt.Errorf("reading the answer of %s: %w", node, err))
	}
	return a
}
