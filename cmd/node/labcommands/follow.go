package labcommands

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/conclave-voice/conclave/testenv/lab"
)

const (
	// lookEvery is how often it is looked what a caller hears.
	lookEvery = 200 * time.Millisecond
	// byeTime is more than a caller waits for the answer to its BYE.
	byeTime = 10 * time.Second
)

// follow makes a call, says what is heard while it goes on, and returns when it has
// ended. When ctx ends, the caller hangs up.
func follow(ctx context.Context, c *lab.Client, r lab.CallRequest, out io.Writer) (lab.CallReport, error) {
	type result struct {
		report lab.CallReport
		err    error
	}
	calling, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop() // a call that is not answered yet is cancelled
	ended := make(chan result, 1)
	go func() {
		report, err := c.Call(calling, r)
		ended <- result{report, err}
	}()
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	ear := newListener(c.State().Plan)
	interrupted := ctx.Done()
	for {
		select {
		case res := <-ended:
			return res.report, res.err
		case <-interrupted:
			interrupted = nil
			bounded, cancel := context.WithTimeout(calling, byeTime)
			defer cancel()
			if c.HangUp(bounded, r.ID) != nil { // it was not answered yet, or the lab is gone
				stop()
				<-ended
				return lab.CallReport{}, context.Cause(ctx)
			}
			late := time.AfterFunc(byeTime, stop)
			defer late.Stop()
		case now := <-ticker.C:
			calls, err := c.Calls(calling)
			if err != nil {
				continue // the call's own result says more
			}
			if i := slices.IndexFunc(calls, func(s lab.CallStatus) bool { return s.ID == r.ID }); i >= 0 {
				for _, line := range ear.take(calls[i]) {
					fmt.Fprintf(out, "%s  %s\n", clock(now), line)
				}
			}
		}
	}
}

// clock is an instant as people read it, in UTC.
func clock(t time.Time) string { return t.UTC().Format("15:04:05.0") }
