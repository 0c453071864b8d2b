package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/conclave-voice/conclave/api/client"
	"github.com/conclave-voice/conclave/api/v1"
)

func xdrsCommand() *cobra.Command {
	return group("xdrs", "See and export usage records", `A usage record (xDR) tells of one stay of one participant: who, when, how long, where, at
what rate, and what was charged for it. Each stay has exactly one.`,
		func(c *connection) []*cobra.Command {
			return []*cobra.Command{listXDRs(c), showXDR(c), exportXDRs(c)}
		})
}

// usageFlags select usage records.
type usageFlags struct {
	period
	account, room string
}

func (u *usageFlags) flags(cmd *cobra.Command) {
	u.period.flags(cmd)
	cmd.Flags().StringVar(&u.account, "account", "", "only those of an `ACCOUNT`: id or name")
	cmd.Flags().StringVar(&u.room, "room", "", "only those of a `ROOM`: id or name")
}

func (u *usageFlags) query(t task) (query, error) {
	q := newQuery()
	q.add("account", u.account)
	if u.room != "" {
		id, err := t.room(u.room)
		if err != nil {
			return q, err
		}
		q.add("room", id)
	}
	return q, u.period.add(q)
}

func listXDRs(c *connection) *cobra.Command {
	var usage usageFlags
	var limit int
	cmd := &cobra.Command{Use: "list", Short: "List usage records", Args: cobra.NoArgs,
		RunE: c.run(func(t task) error {
			q, err := usage.query(t)
			if err != nil {
				return err
			}
			return table(t.printer, limited[v1.XDR](t, "/xdrs", q, limit), "ID ROOM CALLER CALLED STARTED SECONDS BILLED AMOUNT CURRENCY CAUSE",
				func(x v1.XDR) []any {
					return []any{x.ID, x.RoomName, x.Caller, x.Called, x.StartedAt, x.DurationSeconds, x.BilledSeconds, x.Amount, x.Currency, x.Cause}
				})
		})}
	usage.flags(cmd)
	cmd.Flags().IntVar(&limit, "limit", 0, "so many at most; 0: all")
	return cmd
}

func showXDR(c *connection) *cobra.Command {
	return &cobra.Command{Use: "show ID", Short: "Show all of a usage record", Args: cobra.ExactArgs(1),
		RunE: c.run(func(t task) error {
			x, err := client.Get[v1.XDR](t, t.node, client.Path("xdrs", t.args[0]), nil)
			if err != nil {
				return err
			}
			return t.one(x)
		})}
}

func exportXDRs(c *connection) *cobra.Command {
	var usage usageFlags
	var format, file string
	var resume bool
	cmd := &cobra.Command{Use: "export", Short: "Export usage records as CSV or JSON lines", Args: cobra.NoArgs,
		Long: `Writes one record in each line, to the standard output or a file. Choose --from and --to
so that the window is past: then the export is complete, and the next one begins where
this one ends. An export to a file that broke off goes on with --resume.`,
		Example: `  node xdrs export --from 2026-03-01 --to 2026-04-01 --file march.csv
  node xdrs export --from 2026-03-01 --to 2026-04-01 --file march.csv --resume
  node xdrs export --account conf1234 --format jsonl | jq .amount`,
		RunE: c.run(func(t task) error {
			q, err := usage.query(t)
			if err != nil {
				return err
			}
			q.add("format", format)
			if file == "" {
				if resume {
					return fmt.Errorf("--resume needs --file: it goes on at the end of that file")
				}
				return t.node.Stream(t, "/xdrs/export", q.Values, t.w)
			}
			return exportToFile(t, q, format, file, resume)
		})}
	usage.flags(cmd)
	cmd.Flags().StringVar(&format, "format", "csv", "csv or jsonl")
	cmd.Flags().StringVar(&file, "file", "", "`FILE` to write; it must not be there yet, unless with --resume")
	cmd.Flags().BoolVar(&resume, "resume", false, "go on with the file of an export that broke off")
	return cmd
}
