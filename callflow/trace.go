package callflow

import (
	"context"

	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/outbox"
)

// Outcomes of steps.
const (
	ok      = "ok"
	refused = "refused"
	failed  = "failed"
)

// step adds a step to the call's trace and to the log. Detail never holds an
// access code, a password or a digest.
func (c *call) step(step, outcome, detail string) {
	c.seq++
	c.steps = append(c.steps, store.CallStep{CallID: c.row.ID, Seq: c.seq, At: c.now(),
		Step: step, Outcome: outcome, Detail: detail})
	c.logger.Debug("call step", "step", step, "outcome", outcome, "detail", detail)
}

// flush hands what is known of the call to the store. It is called where a call
// has come to something, not at each step.
func (c *call) flush() {
	row, steps := c.row, c.steps
	c.steps = nil
	if c.hosted != "" {
		return // the trace is its own node's
	}
	traces := c.engine.config.Traces
	c.engine.traces.Put(outbox.Write{
		What: "trace of call " + string(row.ID),
		Do: func(ctx context.Context) error {
			if err := traces.PutCall(ctx, row); err != nil {
				return err
			}
			return traces.AppendCallSteps(ctx, steps)
		},
	})
}
