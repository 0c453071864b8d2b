package sqlstore

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// MS7: work that takes long goes on for as long as something is heard, and ends when nothing is.
func TestUnlessSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, heard, stop := unlessSilent(t.Context(), time.Second)
		defer stop()
		for range 100 {
			time.Sleep(900 * time.Millisecond)
			heard()
		}
		if ctx.Err() != nil {
			t.Fatal(context.Cause(ctx))
		}
		<-ctx.Done()
		if err := context.Cause(ctx); err == nil || !strings.Contains(err.Error(), "1s") {
			t.Errorf("%v", err)
		}
	})
}
