package load

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// Crowd are callers on a node. Three goroutines serve them, which [Crowd.Close] stops and
// waits for: two for the audio, one for the signalling.
type Crowd struct {
	options    Options
	seats      []*seat
	attendance *attendance
	audio      *audio
	phone      *phone

	parts errgroup.Group
	stop  context.CancelFunc
	close func() error
}

// Open makes ready for the callers of o. ffmpeg codes what they will say.
func Open(ctx context.Context, o Options) (*Crowd, error) {
	o, err := o.check()
	if err != nil {
		return nil, err
	}
	seats, err := makeSeats(ctx, o)
	if err != nil {
		return nil, err
	}
	if o.Dir, err = os.MkdirTemp(o.Dir, "conclave-load-heard-"); err != nil {
		return nil, fmt.Errorf("make a directory for what callers hear: %w", err)
	}
	c := &Crowd{options: o, seats: seats, attendance: newAttendance(o)}
	if c.audio, err = openAudio(o); err == nil {
		if c.phone, err = openPhone(o, c.audio, c.attendance); err != nil {
			c.audio.close()
		}
	}
	if err != nil {
		os.RemoveAll(o.Dir)
		return nil, err
	}
	ctx, c.stop = context.WithCancel(context.WithoutCancel(ctx))
	c.parts.Go(func() error { return c.audio.receive(ctx) })
	c.parts.Go(func() error { return c.audio.send(ctx) })
	c.parts.Go(func() error { return c.phone.run(ctx) })
	c.close = sync.OnceValue(c.shut)
	return c, nil
}

// Close ends what serves the callers, and removes what listeners heard.
func (c *Crowd) Close() error { return c.close() }

func (c *Crowd) shut() error {
	c.stop()
	c.audio.close() // wakes the reader
	c.phone.close()
	return errors.Join(c.parts.Wait(), os.RemoveAll(c.options.Dir))
}

// Calls is what became of the calls so far.
func (c *Crowd) Calls() Calls { return c.phone.told() }

// Cut returns what was measured since the last Cut, or since the first call.
func (c *Crowd) Cut() Window { return c.audio.cut() }

// Enter calls with all, at the pace asked for, and returns when all are in and surely hear
// their rooms. That some were refused is no error here: Calls tells.
func (c *Crowd) Enter(ctx context.Context) error {
	if err := c.atPace(ctx, c.phone.dial); err != nil {
		return err
	}
	if err := c.settled(ctx); err != nil {
		return err
	}
	if err := c.joined(ctx); err != nil {
		return err
	}
	return sleep(ctx, c.options.Settle)
}

// Leave hangs up all calls and waits for the responses.
func (c *Crowd) Leave(ctx context.Context) error {
	if err := c.atPace(ctx, c.phone.hangUp); err != nil {
		return err
	}
	return c.settled(ctx)
}

// atPace does something for each seat, so many times a second as calls may be begun.
func (c *Crowd) atPace(ctx context.Context, do func(*seat)) error {
	pace := time.NewTicker(time.Duration(float64(time.Second) / c.options.Rate))
	defer pace.Stop()
	for _, s := range c.seats {
		select {
		case <-pace.C:
			do(s)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// settled waits until no request waits for its response: [maxTries] bounds that.
func (c *Crowd) settled(ctx context.Context) error {
	for c.phone.pending() > 0 {
		if err := sleep(ctx, 50*time.Millisecond); err != nil {
			return err
		}
		c.phone.repeat(time.Now())
	}
	return nil
}

// joined waits until everybody who was answered is in. Who is not, has failed.
func (c *Crowd) joined(ctx context.Context) error {
	if c.options.Joined == nil {
		return nil
	}
	deadline := time.Now().Add(30 * time.Second)
	for {
		n, err := c.options.Joined(ctx)
		if err != nil {
			return err
		}
		up := c.Calls().Up
		if n >= up {
			return nil
		}
		if time.Now().After(deadline) {
			c.phone.outside(up-n, up)
			return nil
		}
		if err := sleep(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
}
