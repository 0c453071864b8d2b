package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/conclave-voice/conclave/testenv/load"
	"github.com/conclave-voice/conclave/testenv/load/judge"
)

// hold measures one step.
func (o *options) hold(ctx context.Context, out io.Writer) error {
	program, clean, err := o.ready(ctx)
	if err != nil {
		return err
	}
	defer clean()
	o.head(out)
	l, err := o.measure(ctx, program, o.first)
	if err == nil {
		o.print(out, l)
	}
	return err
}

// ramp measures steps until one is too many, and returns the callers of the last that was
// not.
func (o *options) ramp(ctx context.Context, out io.Writer) (capacity int, err error) {
	if o.step < 1 {
		return 0, fmt.Errorf("--step %d: write 1 or more", o.step)
	}
	program, clean, err := o.ready(ctx)
	if err != nil {
		return 0, err
	}
	defer clean()
	o.head(out)
	for n := o.first; ; n += o.step {
		l, err := o.measure(ctx, program, n)
		if err != nil {
			return capacity, fmt.Errorf("%d callers: %w (%d were well)", n, err, capacity)
		}
		o.print(out, l)
		if !l.Good {
			return capacity, nil
		}
		capacity = n
	}
}

// measure puts n callers on a fresh node.
func (o *options) measure(ctx context.Context, program string, n int) (line, error) {
	l, err := o.shape.load(n)
	if err != nil {
		return line{}, err
	}
	bareBefore, err := o.bare(ctx, n)
	if err != nil {
		return line{}, err
	}
	m, err := o.measureNode(ctx, program, l)
	if err != nil {
		return line{}, err
	}
	if err := m.report.Window.Blame(); err != nil && !o.busy {
		return line{}, err
	}
	bareAfter, err := o.bare(ctx, n)
	if err != nil {
		return line{}, err
	}
	m.bare = (bareBefore + bareAfter) / 2
	return o.line(m), nil
}

// measured is what a step gave.
type measured struct {
	callers             int
	report              load.Report
	idle, before, after load.Figures
	bare                time.Duration // the system calls of a caller's tick
}

// measureNode starts a node for the callers of l, and holds them on it.
func (o *options) measureNode(ctx context.Context, program string, l load.Options) (m measured, err error) {
	m.callers = l.Callers
	target, _, err := o.start(ctx, program, &l)
	if err != nil {
		return m, err
	}
	defer target.Stop()
	if m.idle, err = target.Figures(ctx); err != nil {
		return m, err
	}
	var beforeErr, afterErr error
	profiled := make(chan error, 1)
	l.Hold, l.Limits = o.duration, o.limits()
	l.Begun = func() {
		m.before, beforeErr = target.Figures(ctx)
		go func() {
			profiled <- o.profile(ctx, target, fmt.Sprint(l.Callers, "-callers"), max(o.duration-2*time.Second, time.Second))
		}()
	}
	l.Done = func() { m.after, afterErr = target.Figures(ctx) }
	m.report, err = load.Run(ctx, l)
	if err == nil {
		err = <-profiled
	}
	if err = errors.Join(err, beforeErr, afterErr); err != nil {
		for _, p := range m.report.Calls.Problems {
			err = errors.Join(err, errors.New(p))
		}
	}
	return m, err
}

// profile keeps the node's profiles: of a span of the processor's time (0: not that), of
// the heap and of its goroutines. The figures of that time are those of a node that is
// looked at.
func (o *options) profile(ctx context.Context, target *load.Target, name string, span time.Duration) error {
	if o.profiles == "" {
		return nil
	}
	path := func(what string) string { return filepath.Join(o.profiles, name+"-"+what+".pprof") }
	if span > 0 {
		if err := target.Profile(ctx, fmt.Sprintf("profile?seconds=%.0f", max(1, span.Seconds())), path("cpu")); err != nil {
			return err
		}
	}
	return errors.Join(target.Profile(ctx, "heap", path("heap")), target.Profile(ctx, "goroutine", path("goroutine")))
}

// limits are those of what is heard, with as many gaps as packets may be bad.
func (o *options) limits() judge.Limits {
	l := judge.DefaultLimits()
	l.Silent, l.Absent = max(l.Silent, o.bad/100), max(l.Absent, o.bad/100)
	if o.busy {
		l = l.Busy()
	}
	return l
}
