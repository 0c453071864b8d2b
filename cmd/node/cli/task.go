package cli

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/conclave-voice/conclave/api/client"
)

// task is one run of a command.
type task struct {
	context.Context
	cmd  *cobra.Command
	args []string
	node *client.Client
	printer
}

// given is a flag's value if the flag was given, else nil: what is left out is not sent.
func given[T any](t task, flag string, value *T) *T {
	if t.cmd.Flags().Changed(flag) {
		return value
	}
	return nil
}

// query collects the parameters of a request.
type query struct{ url.Values }

func newQuery() query { return query{url.Values{}} }

// add adds a parameter that is not empty.
func (q query) add(name, value string) {
	if value != "" {
		q.Set(name, value)
	}
}

// addTime adds an instant that a flag gives.
func (q query) addTime(name, flag, value string) error {
	if value == "" {
		return nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02 15:04", time.DateOnly} {
		if at, err := time.Parse(layout, value); err == nil {
			q.Set(name, at.UTC().Format(time.RFC3339Nano))
			return nil
		}
	}
	return fmt.Errorf("--%s %q: write a time such as 2026-03-01T10:15:00Z, or a day such as 2026-03-01 (UTC)", flag, value)
}

// period holds the flags of a span of time.
type period struct{ from, to string }

func (p *period) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&p.from, "from", "", "from this `TIME` on, such as 2026-03-01 or 2026-03-01T10:15:00Z (UTC)")
	cmd.Flags().StringVar(&p.to, "to", "", "until before this `TIME`")
}

func (p *period) add(q query) error {
	if err := q.addTime("from", "from", p.from); err != nil {
		return err
	}
	return q.addTime("to", "to", p.to)
}
