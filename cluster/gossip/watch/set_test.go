package watch

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

func TestASlowReaderSeesTheLastState(t *testing.T) {
	var set Set
	var state atomic.Int64
	changed := set.Watch(t.Context())
	const last = 10_000
	go func() {
		for i := int64(1); i <= last; i++ {
			state.Store(i)
			set.Signal()
		}
	}()
	for state.Load() != last { // a lost last signal would leave us waiting here
		<-changed
	}
}

func TestAReaderThatStoppedIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var set Set
		ctx, stop := context.WithCancel(t.Context())
		changed := set.Watch(ctx)
		<-changed
		stop()
		synctest.Wait()
		set.Signal()
		if len(changed) != 0 || len(set.readers) != 0 {
			t.Error("a reader that stopped was told")
		}
	})
}
