package load

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sync/errgroup"
)

// Options say what to put on the node.
type Options struct {
	SIP      netip.AddrPort // of the node, UDP
	Local    netip.Addr     // ours; the node must be able to reach it
	Number   string         // what is dialled
	Codes    []string       // an access code for each room, without the pound key
	Callers  int
	RoomSize int
	Rate     float64       // calls begun in a second
	Hold     time.Duration // measured, once all are in
	Settle   time.Duration // not measured, before: announcements end in it
	// Joined says how many callers the node has in conferences; nil: it is not asked,
	// and all who hear audio count.
	Joined func(ctx context.Context) (int, error)
	Begun  func() // called when the measurement begins; may be nil
	Done   func() // called when it ends; may be nil
}

// Report is what was measured.
type Report struct {
	Callers, Answered, Failed int
	Expected, Received        uint64 // audio packets in the time measured
	Lost                      uint64 // by gaps in the sequence numbers
	Late                      Distribution
	SenderLate                Distribution // our own packets, against their time
	Checked, Wrong            int          // callers whose audio was looked into
	Problems                  []string     // the first few, in words
}

// Blame says whether the tool itself was too slow for its figures to say anything.
func (r Report) Blame() error {
	if p := r.SenderLate.Quantile(0.999); p > 10*time.Millisecond {
		return fmt.Errorf("the load tool itself was late: 99.9%% of its packets within %v; the figures say nothing about the node", p)
	}
	return nil
}

// Run puts the callers on the node, holds them, and hangs up.
func Run(ctx context.Context, o Options) (Report, error) {
	if need := (o.Callers + o.RoomSize - 1) / o.RoomSize; len(o.Codes) < need {
		return Report{}, fmt.Errorf("%d callers in rooms of %d need %d access codes, not %d", o.Callers, o.RoomSize, need, len(o.Codes))
	}
	audio, err := openAudio(o)
	if err != nil {
		return Report{}, err
	}
	defer audio.close()
	phone, err := openPhone(o, audio)
	if err != nil {
		return Report{}, err
	}
	defer phone.close()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var parts errgroup.Group
	parts.Go(func() error { return audio.receive(ctx) })
	parts.Go(func() error { return audio.send(ctx) })
	parts.Go(func() error { return phone.run(ctx) })
	err = hold(ctx, o, phone, audio)
	phone.hangUpAll(ctx)
	stop()
	audio.close() // wakes the reader
	phone.close()
	if partErr := parts.Wait(); err == nil {
		err = partErr
	}
	return audio.report(phone), err
}

// hold calls, waits until all are in, and measures.
func hold(ctx context.Context, o Options, phone *phone, audio *audio) error {
	if err := phone.callAll(ctx); err != nil {
		return err
	}
	if err := awaitJoined(ctx, o, phone); err != nil {
		return err
	}
	if err := sleep(ctx, o.Settle); err != nil {
		return err
	}
	if o.Begun != nil {
		o.Begun()
	}
	audio.measure(true)
	err := sleep(ctx, o.Hold)
	audio.measure(false)
	if o.Done != nil {
		o.Done()
	}
	return err
}

// awaitJoined waits until everybody who was answered is in.
func awaitJoined(ctx context.Context, o Options, phone *phone) error {
	if o.Joined == nil {
		return nil
	}
	deadline := time.Now().Add(30 * time.Second)
	for {
		n, err := o.Joined(ctx)
		if err != nil {
			return err
		}
		if n >= phone.answered() {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("of %d callers who were answered, %d are in a conference after 30 s", phone.answered(), n)
		}
		if err := sleep(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
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
