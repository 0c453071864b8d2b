package outbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/conclave-voice/conclave/store"
)

// start runs an outbox and returns a function that stops it and waits.
func start(t *testing.T, o *Outbox) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- o.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestWritesInOrderThroughFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := New(100, hclog.NewNullLogger())
		stop := start(t, o)
		var written []int
		for i := range 5 {
			failures := i
			o.Put(Write{What: fmt.Sprint(i), Do: func(context.Context) error {
				if failures--; failures >= 0 {
					return errors.New("the database is away")
				}
				written = append(written, i)
				return nil
			}})
		}
		time.Sleep(time.Minute)
		stop()
		if want := []int{0, 1, 2, 3, 4}; !slices.Equal(written, want) {
			t.Errorf("wrote %v, want %v", written, want)
		}
	})
}

func TestRefusedWriteDoesNotStopTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := New(100, hclog.NewNullLogger())
		stop := start(t, o)
		done := 0
		refuse := func(context.Context) error { return fmt.Errorf("row: %w", store.ErrStaleEpoch) }
		o.Put(Write{What: "refused", Do: refuse, Done: func() { done++ }})
		o.Put(Write{What: "good", Do: func(context.Context) error { return nil }, Done: func() { done++ }})
		synctest.Wait()
		if done != 2 {
			t.Errorf("%d done, want 2", done)
		}
		stop()
	})
}

func TestStopWritesWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := New(100, hclog.NewNullLogger())
		n := 0
		for range 50 {
			o.Put(Write{Do: func(context.Context) error { n++; return nil }})
		}
		start(t, o)()
		if n != 50 || o.Waiting() != 0 {
			t.Errorf("wrote %d of 50, %d waiting", n, o.Waiting())
		}
	})
}
