package breaker

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/jonboulle/clockwork"
	"go.uber.org/goleak"

	"github.com/conclave-voice/conclave/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errAway = errors.New("away")

// MS7: one caller waits for the budget; those behind it do not wait, and nobody does for
// the probes.
func TestOneCallerWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var away atomic.Bool
		var probes atomic.Int64
		hang := func(ctx context.Context) error {
			if !away.Load() {
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		}
		b := New(DefaultConfig(), func(ctx context.Context) error { probes.Add(1); return hang(ctx) }, clockwork.NewRealClock(), hclog.NewNullLogger())
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- b.Run(ctx) }()
		took := func(want error) time.Duration {
			t.Helper()
			start := time.Now()
			if err := b.Do(ctx, hang); !errors.Is(err, want) {
				t.Errorf("%v, want %v", err, want)
			}
			return time.Since(start)
		}
		took(nil)
		away.Store(true)
		if d := took(context.DeadlineExceeded); d != DefaultConfig().Budget {
			t.Errorf("the first waited %v", d)
		}
		for range 100 {
			if d := took(ErrOpen); d != 0 {
				t.Fatalf("another waited %v", d)
			}
			time.Sleep(100 * time.Millisecond)
		}
		if n := probes.Load(); n < 5 || n > 20 {
			t.Errorf("%d probes in 10 s", n)
		}
		away.Store(false)
		start := time.Now()
		if err := b.WaitClosed(ctx); err != nil || time.Since(start) > time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		took(nil)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// What the store answers, and what the caller gives up, says nothing against the store.
func TestAnswersAreNoFailures(t *testing.T) {
	b := New(DefaultConfig(), nil, clockwork.NewFakeClock(), hclog.NewNullLogger())
	for _, answer := range []error{store.ErrNotFound, store.ErrInsufficientFunds, fmt.Errorf("x: %w", store.ErrStaleEpoch)} {
		if err := b.Do(t.Context(), func(context.Context) error { return answer }); !errors.Is(err, answer) || b.Open() {
			t.Errorf("%v: %v, open %v", answer, err, b.Open())
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Do(ctx, func(ctx context.Context) error { return ctx.Err() }); !errors.Is(err, context.Canceled) || b.Open() {
		t.Errorf("%v, open %v", err, b.Open())
	}
	for _, failure := range []error{errAway, store.ErrSchema} {
		b := New(DefaultConfig(), nil, clockwork.NewFakeClock(), hclog.NewNullLogger())
		if err := b.Do(t.Context(), func(context.Context) error { return failure }); !errors.Is(err, failure) || !b.Open() || b.Trips() != 1 {
			t.Errorf("%v: %v, open %v", failure, err, b.Open())
		}
	}
}

// A store that answers the probes and nothing else is asked less and less often.
func TestFlapping(t *testing.T) {
	c := Config{Probe: time.Second, ProbeMost: 8 * time.Second, Stable: time.Minute}
	s := state{config: c}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, want := range []int{1, 2, 4, 8, 8} {
		if !s.failed(now) || s.failed(now) || s.next.Sub(now) != time.Duration(want)*time.Second {
			t.Fatalf("probe after %v, want %d s", s.next.Sub(now), want)
		}
		now = s.next
		if s.probed(now, false) || !s.probed(s.next, true) || s.probed(now, true) {
			t.Fatal("not closed by the answer")
		}
	}
	now = now.Add(2 * time.Minute)
	if s.failed(now); s.next.Sub(now) != time.Second {
		t.Errorf("after a stable time: probe after %v", s.next.Sub(now))
	}
}
