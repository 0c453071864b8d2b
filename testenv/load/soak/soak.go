package soak

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/conclave-voice/conclave/testenv/load"
	"github.com/conclave-voice/conclave/testenv/load/judge"
)

// Config says what to do with a node that has no callers.
type Config struct {
	Target *load.Target
	Rooms  []load.Room
	Load   load.Options // Stay says how long callers stay; Hold is not used
	For    time.Duration
	Record int // rooms that are recorded from the beginning to the end

	FloorCallers int           // of the first measurement, in rooms of the same size
	FloorFor     time.Duration // 0: it is left out

	Sample time.Duration // between two looks at the node
	Every  time.Duration // between two lines
	Line   func(Line)    // is given each line
	// Profile keeps the node's profiles under a name, with that of the processor over a span
	// (0: without it): when half of the time is over, and at its end. May be nil.
	Profile func(ctx context.Context, name string, span time.Duration) error

	// Busy: the machine does other things, so that what is late or has gaps is not held
	// against the node.
	Busy bool
}

// Result is what was measured.
type Result struct {
	Floor   load.Window // the noise: few callers on a machine that is idle otherwise
	Load    load.Window
	Before  load.Figures // after the first callers had left, without any
	After   load.Figures // after all have left
	Calls   load.Calls
	Heard   judge.Verdict
	Growths []Growth
	CPU     float64  // µs of a second, for each participant
	Wrong   []string // why the soak has failed; none: it has not
}

// Run does all of it. The error is of what could not be measured; what was measured and is
// wrong is in the result.
func Run(ctx context.Context, c Config) (r Result, err error) {
	if r.Floor, err = c.floor(ctx); err != nil {
		return r, fmt.Errorf("measure the noise of the machine: %w", err)
	}
	if r.Before, err = c.gone(ctx, load.Figures{}); err != nil {
		return r, err
	}
	crowd, err := load.Open(ctx, c.Load)
	if err != nil {
		return r, err
	}
	defer crowd.Close()
	if err := crowd.Enter(ctx); err != nil {
		return r, told(err, crowd)
	}
	recorded := c.recorded()
	for _, i := range recorded {
		if err := c.Target.Record(ctx, c.Rooms[i]); err != nil {
			return r, err
		}
	}
	samples, err := c.hold(ctx, crowd, &r)
	if err != nil {
		return r, told(err, crowd)
	}
	for _, i := range recorded {
		if err := c.Target.StopRecording(ctx, c.Rooms[i]); err != nil {
			return r, err
		}
	}
	if err := crowd.Leave(ctx); err != nil {
		return r, told(err, crowd)
	}
	if r.After, err = c.gone(ctx, r.Before); err != nil {
		return r, err
	}
	r.Calls, r.Growths, r.CPU = crowd.Calls(), growths(samples), perParticipant(samples)
	if r.Heard, err = c.judge(ctx, crowd, recorded); err != nil {
		return r, err
	}
	r.Wrong = c.wrong(r)
	return r, crowd.Close()
}

// told adds to an error what the callers had to say.
func told(err error, crowd *load.Crowd) error {
	for _, p := range crowd.Calls().Problems {
		err = errors.Join(err, errors.New(p))
	}
	return err
}

// floor measures with a handful of callers. It warms the node up as well.
func (c Config) floor(ctx context.Context) (load.Window, error) {
	if c.FloorFor == 0 {
		return load.Window{}, nil
	}
	few := c.Load
	few.Callers, few.RoomSize = c.FloorCallers, min(few.RoomSize, c.FloorCallers)
	few.Speakers, few.Listen, few.Hold = min(few.Speakers, few.RoomSize), 0, c.FloorFor
	report, err := load.Run(ctx, few)
	return report.Window, err
}

// recorded are the rooms that are recorded, spread over all.
func (c Config) recorded() (list []int) {
	rooms := (c.Load.Callers + c.Load.RoomSize - 1) / c.Load.RoomSize
	for i := range min(c.Record, rooms) {
		list = append(list, i*rooms/min(c.Record, rooms))
	}
	return list
}

// hold has callers come and go for as long as was asked for, and watches the node.
func (c Config) hold(ctx context.Context, crowd *load.Crowd, r *Result) ([]sample, error) {
	crowd.Cut() // what came before does not count
	within, stop := context.WithTimeout(ctx, c.For)
	defer stop()
	group, within := errgroup.WithContext(within)
	group.Go(func() error { return crowd.Churn(within) })
	w := &watch{config: c, crowd: crowd, began: time.Now()}
	group.Go(func() error { return w.run(within) })
	group.Go(func() error {
		if err := pause(within, c.For/2); err != nil {
			return nil // the others say why
		}
		return c.profile(ctx, "soak-half", min(maxProfile, c.For/4))
	})
	err := group.Wait()
	r.Load = w.total
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		err = c.profile(ctx, "soak-end", 0)
	}
	return w.samples, err
}

// maxProfile is how long the processor is looked at.
const maxProfile = 30 * time.Second

func (c Config) profile(ctx context.Context, name string, span time.Duration) error {
	if c.Profile == nil {
		return nil
	}
	return c.Profile(ctx, name, span)
}

// patience is how long is waited for the node to be as it was without callers.
const patience = 2 * time.Minute

// gone waits until the node has no callers, nor anything that belongs to them, and returns
// its figures. If something stays behind, the figures tell.
func (c Config) gone(ctx context.Context, before load.Figures) (load.Figures, error) {
	for deadline := time.Now().Add(patience); ; {
		f, err := c.Target.Figures(ctx)
		if err != nil || len(leftBehind(before, f)) == 0 || time.Now().After(deadline) {
			return f, err
		}
		if err := pause(ctx, time.Second); err != nil {
			return f, err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// judge listens to all that was heard and recorded.
func (c Config) judge(ctx context.Context, crowd *load.Crowd, recorded []int) (judge.Verdict, error) {
	var more []judge.Findings
	for _, i := range recorded {
		f, err := c.Target.Recorded(ctx, c.Rooms[i], crowd.Room(i))
		if err != nil {
			return judge.Verdict{}, err
		}
		more = append(more, f...)
	}
	return crowd.Judge(ctx, c.limits(), more...)
}
