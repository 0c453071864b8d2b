package load

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/conclave-voice/conclave/testenv/load/codecs"
	"github.com/conclave-voice/conclave/testenv/load/judge"
)

// Options say what to put on the node.
type Options struct {
	SIP      netip.AddrPort // of the node, UDP
	Local    netip.Addr     // ours; the node must be able to reach it
	Number   string         // what is dialled
	Codes    []string       // an access code for each room, without the pound key
	Callers  int
	RoomSize int
	Speakers int            // of each room, the first; 0: all
	Others   Line           // what the rest sends
	Codecs   []codecs.Codec // by turns; none: PCMU
	Chosen   int            // how many the node lets be heard at once in rooms of more than twice as many; 0: all
	Listen   int            // how many callers are listened to
	Dir      string         // for what they hear; "": the system's for temporary files
	Keep     string         // a directory for what the worst listeners heard; "": it is not kept
	Rate     float64        // calls begun in a second
	// Settle is how long after the answer a caller surely hears its room and is heard: the
	// keys and the announcements are over.
	Settle time.Duration
	Hold   time.Duration // measured, once all are in: Run
	Stay   time.Duration // how long callers stay on average: Churn
	Limits judge.Limits  // of what is heard: Run
	// Joined says how many callers the node has in conferences; nil: it is not asked,
	// and all who hear audio count.
	Joined func(ctx context.Context) (int, error)
	Begun  func() // called when the measurement of Run begins; may be nil
	Done   func() // called when it ends; may be nil
}

// Chosen is how many "node dev" lets be heard at once in large rooms.
const Chosen = 4

// Line is what a caller sends who does not speak.
type Line string

const (
	Silence Line = "silence" // a muted telephone: frames of digital silence
	Noise   Line = "noise"   // an open line: noise at -50 dBFS
)

// check says what cannot be done, and fills in what was left out.
func (o Options) check() (Options, error) {
	if o.Callers < 1 || o.RoomSize < 1 || o.Rate <= 0 {
		return o, fmt.Errorf("%d callers in rooms of %d, %g calls a second: each must be 1 or more", o.Callers, o.RoomSize, o.Rate)
	}
	if need := o.rooms(); len(o.Codes) < need {
		return o, fmt.Errorf("%d callers in rooms of %d need %d access codes, not %d", o.Callers, o.RoomSize, need, len(o.Codes))
	}
	if o.Others == "" {
		o.Others = Silence
	}
	if o.Others != Silence && o.Others != Noise {
		return o, fmt.Errorf("those who do not speak send %q: it is %q or %q", o.Others, Silence, Noise)
	}
	if o.Speakers <= 0 {
		o.Speakers = o.RoomSize
	}
	if o.RoomSize <= 2*o.Chosen {
		o.Chosen = 0
	}
	if len(o.Codecs) == 0 {
		pcmu, err := codecs.Find("PCMU")
		if err != nil {
			return o, err
		}
		o.Codecs = []codecs.Codec{pcmu}
	}
	return o, nil
}

func (o Options) rooms() int { return (o.Callers + o.RoomSize - 1) / o.RoomSize }

// Report is what was measured.
type Report struct {
	Calls  Calls
	Window Window
	Heard  judge.Verdict
}

// Run puts the callers on the node, holds them, and hangs up.
func Run(ctx context.Context, o Options) (Report, error) {
	c, err := Open(ctx, o)
	if err != nil {
		return Report{}, err
	}
	defer c.Close()
	window, err := hold(ctx, c)
	if err = errors.Join(err, c.Leave(ctx)); err != nil {
		return Report{Calls: c.Calls()}, err
	}
	heard, err := c.Judge(ctx, c.options.Limits)
	return Report{c.Calls(), window, heard}, errors.Join(err, c.Close())
}

// hold waits until all are in, and measures.
func hold(ctx context.Context, c *Crowd) (Window, error) {
	if err := c.Enter(ctx); err != nil {
		return Window{}, err
	}
	c.Cut() // what came before does not count
	if c.options.Begun != nil {
		c.options.Begun()
	}
	err := sleep(ctx, c.options.Hold)
	window := c.Cut()
	if c.options.Done != nil {
		c.options.Done()
	}
	return window, err
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
