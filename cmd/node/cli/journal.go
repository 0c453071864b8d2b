package cli

import (
	"net/http"

	"github.com/spf13/cobra"

	"github.com/conclave-voice/conclave/api/client"
	"github.com/conclave-voice/conclave/api/v1"
)

func journalCommand() *cobra.Command {
	return group("journal", "See what a node has yet to tell the database, and what that has refused", `A node keeps what it has to tell the database in a journal on its disk, and delivers it in
order. What the database refuses for good is a dead letter: it is kept with the reason, and
the records behind it go on. Once the cause is gone, deliver it again; what will never be
right is discarded, with a reason, and kept in a file. Each node has its own: name it with
--api.`,
		func(c *connection) []*cobra.Command {
			return []*cobra.Command{showJournal(c), requeue(c), discard(c)}
		})
}

func showJournal(c *connection) *cobra.Command {
	return &cobra.Command{Use: "show", Short: "Show how the journal is, and its dead letters with the reasons", Args: cobra.NoArgs,
		Example: "  node journal show\n  node journal show -o json | jq '.deadLetters[].record'",
		RunE: c.run(func(t task) error {
			q := newQuery()
			q.add("limit", "1000")
			j, err := client.Get[v1.Journal](t, t.node, client.Path("journal"), q.Values)
			if err != nil {
				return err
			}
			if err := t.one(j); err != nil || t.json || len(j.DeadLetters) == 0 {
				return err
			}
			t.done("")
			return table(t.printer, each(j.DeadLetters), "ID DEAD MADE KIND KEY REASON", func(l v1.DeadLetter) []any {
				return []any{l.ID, l.Dead, l.Made, l.Kind, l.Key, l.Reason}
			})
		})}
}

func requeue(c *connection) *cobra.Command {
	return &cobra.Command{Use: "requeue [ID ...]", Short: "Deliver dead letters again; without ids, all",
		RunE: c.run(func(t task) error {
			var n v1.Settled
			if err := client.Send(t, t.node, http.MethodPost, client.Path("journal", "requeue"), v1.Requeue{IDs: t.args}, &n); err != nil {
				return err
			}
			t.done("requeued %d", n.Count)
			return nil
		})}
}

func discard(c *connection) *cobra.Command {
	why := ""
	cmd := &cobra.Command{Use: "discard ID ...", Short: "Give dead letters up, with a reason", Args: cobra.MinimumNArgs(1),
		Example: `  node journal discard 4f1c09d2a7b3e611 --why "the account was a test"`,
		RunE: c.run(func(t task) error {
			var n v1.Settled
			if err := client.Send(t, t.node, http.MethodPost, client.Path("journal", "discard"), v1.Discard{IDs: t.args, Why: why}, &n); err != nil {
				return err
			}
			t.done("discarded %d", n.Count)
			return nil
		})}
	cmd.Flags().StringVar(&why, "why", "", "`REASON`, which is kept with them")
	_ = cmd.MarkFlagRequired("why")
	return cmd
}
