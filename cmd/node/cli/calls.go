package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/conclave-voice/conclave/api/client"
	"github.com/conclave-voice/conclave/api/v1"
)

func callsCommand() *cobra.Command {
	return group("calls", "See calls, step by step", "Every call that reaches a node leaves a trace, whatever became of it.",
		func(c *connection) []*cobra.Command { return []*cobra.Command{listCalls(c), showCall(c)} })
}

func listCalls(c *connection) *cobra.Command {
	var span period
	var limit int
	cmd := &cobra.Command{Use: "list", Short: "List calls, newest last", Args: cobra.NoArgs,
		RunE: c.run(func(t task) error {
			q := newQuery()
			if err := span.add(q); err != nil {
				return err
			}
			return table(t.printer, limited[v1.Call](t, "/calls", q, limit), "ID FROM TO SOURCE STARTED ANSWERED ENDED STATUS CAUSE",
				func(v v1.Call) []any {
					return []any{v.ID, v.From, v.To, v.Source, v.StartedAt, v.AnsweredAt, v.EndedAt, orNone(v.SIPStatus), v.Cause}
				})
		})}
	span.flags(cmd)
	cmd.Flags().IntVar(&limit, "limit", 0, "so many at most; 0: all")
	return cmd
}

func showCall(c *connection) *cobra.Command {
	return &cobra.Command{Use: "show ID", Short: "Show each step of a call", Args: cobra.ExactArgs(1),
		RunE: c.run(func(t task) error {
			v, err := client.Get[v1.CallTrace](t, t.node, client.Path("calls", t.args[0]), nil)
			if err != nil {
				return err
			}
			if err := t.one(v); err != nil || t.json {
				return err
			}
			fmt.Fprintln(t.w)
			return table(t.printer, each(v.Steps), "AT STEP OUTCOME DETAIL", func(s v1.CallStep) []any {
				return []any{s.At, s.Step, s.Outcome, s.Detail}
			})
		})}
}
