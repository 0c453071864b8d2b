package engine

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/conclave-voice/conclave/media/session"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// counter is a ticker that remembers when it was called.
type counter struct{ at []time.Duration }

func (c *counter) Tick(now time.Duration, _ *session.Traffic) { c.at = append(c.at, now) }

func TestTicksEveryFrameAndNotWhenIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		e := New(1)
		done := make(chan error, 1)
		go func() { done <- e.Run(ctx) }()

		time.Sleep(time.Hour)
		if n := e.Load().Ticks; n != 0 {
			t.Errorf("an idle engine ticked %d times", n)
		}
		c := &counter{}
		e.Add(c)
		time.Sleep(time.Second + FrameTime/2)
		e.Remove(c)
		if len(c.at) != 50 {
			t.Errorf("%d ticks in a second, want 50", len(c.at))
		}
		for i := 1; i < len(c.at); i++ {
			if step := c.at[i] - c.at[i-1]; step != FrameTime {
				t.Errorf("tick %d came after %v", i, step)
			}
		}
		ticked := len(c.at)
		time.Sleep(time.Second)
		if len(c.at) != ticked {
			t.Error("ticked after Remove")
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestWorkersTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		e := New(4)
		done := make(chan error, 1)
		go func() { done <- e.Run(ctx) }()
		counters := make([]counter, 4)
		for i := range counters {
			e.Add(&counters[i])
		}
		time.Sleep(time.Second)
		stop()
		<-done
		for i := range counters {
			at := counters[i].at
			if want := time.Duration(i) * FrameTime / 4; at[len(at)-1]%FrameTime != want {
				t.Errorf("worker %d ticks at %v of each frame, want %v", i, at[len(at)-1]%FrameTime, want)
			}
			for j := 1; j < len(at); j++ {
				if at[j]-at[j-1] != FrameTime {
					t.Errorf("tick %d of worker %d came after %v", j, i, at[j]-at[j-1])
				}
			}
		}
	})
}

// sleeper stalls one tick, as a stopped process would.
type sleeper struct {
	counter
	stall time.Duration
}

func (s *sleeper) Tick(now time.Duration, by *session.Traffic) {
	s.counter.Tick(now, by)
	if len(s.at) == 10 {
		time.Sleep(s.stall)
	}
}

func TestStallIsCountedAndNotMadeUpFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		e := New(1)
		done := make(chan error, 1)
		go func() { done <- e.Run(ctx) }()
		s := &sleeper{stall: 500 * time.Millisecond}
		e.Add(s)
		time.Sleep(time.Second + FrameTime/2)
		e.Remove(s)
		l := e.Load()
		if l.Skipped < 23 || l.Skipped > 25 {
			t.Errorf("skipped %d ticks, want the 24 or so of the stall", l.Skipped)
		}
		for i := 1; i < len(s.at); i++ {
			if step := s.at[i] - s.at[i-1]; step < FrameTime/2 {
				t.Errorf("ticks %v apart: a burst", step)
			}
		}
		stop()
		<-done
	})
}

func TestTickersSpreadOverWorkers(t *testing.T) {
	e := New(3)
	for range 9 {
		e.Add(&counter{})
	}
	for i, w := range e.workers {
		if w.len() != 3 {
			t.Errorf("worker %d has %d tickers", i, w.len())
		}
	}
}
