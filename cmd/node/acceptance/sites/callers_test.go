package sites

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/conclave-voice/conclave/testenv/caller"
	"github.com/conclave-voice/conclave/testenv/lab"
	"github.com/conclave-voice/conclave/testenv/tone"
)

// one is a caller, with a tone that is its own.
type one struct {
	*caller.Call
	tone int
}

// call lets a new caller of the node's site call the node and key the code.
func (w *world) call(at string) one {
	w.Helper()
	return w.callRoom(at, code)
}

func (w *world) callRoom(at, code string) one {
	w.Helper()
	hz := int(tone.Caller(w.callers % tones))
	w.callers++
	c, err := w.dial(at, code, hz)
	w.must(err)
	w.stays++
	return c
}

// tones are what phones listen for. As many callers have tones of their own.
const tones = 9

// dial calls with a tone. It does not count the stay.
func (w *world) dial(at, code string, hz int) (one, error) {
	p, err := w.Node(at)
	if err != nil {
		return one{}, err
	}
	phone, err := w.Phone(p.Site)
	if err != nil {
		return one{}, err
	}
	c, err := phone.Call(w.ctx, caller.Dial{To: p.At(lab.SIPPort), Number: number, From: at, Keys: code + "#", Tone: hz})
	return one{c, hz}, err
}

// hear waits until each hears all the others.
func (w *world) hear(all ...one) {
	w.Helper()
	w.each(all, all, func(ctx context.Context, a, b one) error { return a.AwaitTone(ctx, b.tone, steady) })
}

// deaf waits until none of the first hears any of the others.
func (w *world) deaf(those, others []one) {
	w.Helper()
	w.each(those, others, func(ctx context.Context, a, b one) error { return a.AwaitNoTone(ctx, b.tone, steady) })
}

// each waits for all pairs of different callers at once.
func (w *world) each(those, others []one, await func(ctx context.Context, a, b one) error) {
	w.Helper()
	within, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	pairs, ctx := errgroup.WithContext(within)
	for _, a := range those {
		for _, b := range others {
			if a.tone != b.tone {
				pairs.Go(func() error { return await(ctx, a, b) })
			}
		}
	}
	w.must(pairs.Wait())
}

// heardAgain is when both have heard each other again after a fault: the first window of
// a tone that began later, for what was heard before goes on without one. Words that the
// caller is told meanwhile cover tones, so it may have been somewhat earlier.
func (w *world) heardAgain(fault time.Time, a, b one) time.Duration {
	w.Helper()
	var last time.Time
	for a, b := range map[one]one{a: b, b: a} {
		for _, s := range a.Timeline().Heard {
			if s.Tone == b.tone && s.From.After(fault.Add(200*time.Millisecond)) {
				if s.From.After(last) {
					last = s.From
				}
				break
			}
		}
	}
	return last.Sub(fault)
}

// hangUp ends calls.
func (w *world) hangUp(all ...one) {
	w.Helper()
	for _, c := range all {
		w.must(c.HangUp(w.ctx))
	}
}

// abandon ends calls whose node may know nothing of them any more.
func (w *world) abandon(all ...one) {
	for _, c := range all {
		within, cancel := context.WithTimeout(w.ctx, 2*time.Second)
		_ = c.HangUp(within) // that is what it is for
		cancel()
	}
}

// goesOn says whether the calls have not ended.
func (w *world) goesOn(all ...one) {
	w.Helper()
	for _, c := range all {
		if reason, ended := c.Ended(); ended {
			w.Fatalf("the call of %d Hz has ended: %s\n%s", c.tone, reason, c.Timeline())
		}
	}
}

// homeAgain calls a node until the caller is with who is at home, and not with who is in
// the local conference. The link is trusted again only when it has been there for a while.
func (w *world) homeAgain(at string, home, far one) one {
	w.Helper()
	for healed := time.Now(); ; {
		fresh := w.call(at)
		within, cancel := context.WithTimeout(w.ctx, 5*time.Second)
		err := fresh.AwaitTone(within, home.tone, steady)
		cancel()
		if err == nil && fresh.Timeline().Share(far.tone, time.Now().Add(-steady), time.Now()) == 0 {
			w.took("healed: a new caller is at home again", time.Since(healed))
			return fresh
		}
		w.hangUp(fresh)
		w.callers-- // its tone is free
	}
}
