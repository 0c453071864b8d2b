package labcommands

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/conclave-voice/conclave/testenv/lab"
)

// view is a lab as it is at one moment.
type view struct {
	lab.Status
	Seen []siteView `json:"seen"` // what each site's API tells
	has  furnished
	dir  string
}

func statusCommand(d *directory) *cobra.Command {
	var watch bool
	var output string
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show nodes, links, conferences and callers",
		Long: `Shows which nodes live, how the links are, what each site thinks of the others, which
conferences there are and who is in, as each site's own API tells, and what the lab's
callers hear. The sites may disagree: that is the point.`,
		Example: "  node lab status\n  node lab status --watch\n  node lab status -o json",
		Args:    cobra.NoArgs,
		RunE: running(d, func(cmd *cobra.Command, _ []string, c *lab.Client) error {
			switch {
			case output != "table" && output != "json":
				return fmt.Errorf("--output %q: write table or json", output)
			case watch && output == "json":
				return fmt.Errorf("--watch is for people: leave it out for JSON")
			}
			has, err := d.read()
			if err != nil {
				return err
			}
			if watch {
				return watchLab(cmd.Context(), c, has, d.path, cmd.OutOrStdout())
			}
			v, err := look(cmd.Context(), c, has, d.path)
			if err != nil {
				return err
			}
			if output == "json" {
				e := json.NewEncoder(cmd.OutOrStdout())
				e.SetIndent("", "  ")
				return e.Encode(v)
			}
			return v.write(cmd.OutOrStdout())
		}),
	}
	cmd.Flags().BoolVarP(&watch, "watch", "w", false, "go on showing it, until Ctrl-C")
	cmd.Flags().StringVarP(&output, "output", "o", "table", "table or json")
	return cmd
}

// look asks the lab, and the API of each site.
func look(ctx context.Context, c *lab.Client, has furnished, dir string) (view, error) {
	status, err := c.Status(ctx)
	if err != nil {
		return view{}, err
	}
	v := view{Status: status, has: has, dir: dir, Seen: make([]siteView, len(homes(status.Plan)))}
	var group errgroup.Group
	for i, site := range homes(status.Plan) {
		group.Go(func() error {
			v.Seen[i] = ask(ctx, status, site, has.Token)
			return nil
		})
	}
	return v, group.Wait()
}
