package raftgroup

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/conclave-voice/conclave/cluster/registry"
)

// A request that takes long is never forgotten by the registry because others, that
// came later, were faster.
func TestRequestNumbersStayInTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNumbers()
		take := func(ctx context.Context) <-chan uint64 {
			taken := make(chan uint64, 1)
			go func() {
				seq, _ := n.take(ctx)
				taken <- seq
			}()
			return taken
		}
		for range registry.RequestWindow {
			<-take(t.Context())
		}
		next := take(t.Context())
		n.end(7)
		synctest.Wait()
		if len(next) != 0 {
			t.Fatalf("number %d was given while number 1 is open", <-next)
		}
		ctx, cancel := context.WithCancel(t.Context())
		given := take(ctx)
		cancel()
		if seq := <-given; seq != 0 {
			t.Errorf("number %d was given to one who did not wait for it", seq)
		}
		n.end(1)
		if seq := <-next; seq != registry.RequestWindow+1 {
			t.Errorf("number %d after the window was full", seq)
		}
	})
}
