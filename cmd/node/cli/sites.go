package cli

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/conclave-voice/conclave/api/client"
	"github.com/conclave-voice/conclave/api/v1"
)

func sitesCommand() *cobra.Command {
	return group("sites", "See the sites, and say whether one is to be used",
		"Each node probes the other sites and decides by itself where it sends calls. An operator's word counts more, at\nall nodes of the site of the node that is asked, until it is auto again. A site that drains refuses new calls;\nanother takes its rooms, with their conferences and callers, and the calls that came in by it go on. Both outlive\nrestarts.",
		func(c *connection) []*cobra.Command {
			return []*cobra.Command{listSites(c), showSite(c), drainSite(c), undrainSite(c), forceSite(c, "force-up", "Use a site whatever the probes say", "up"),
				forceSite(c, "force-down", "Do not use a site: callers talk in local conferences", "down"), forceSite(c, "auto", "Let the probes decide again", "auto")}
		})
}

func listSites(c *connection) *cobra.Command {
	return &cobra.Command{Use: "list", Short: "List the sites, with the verdict on each and why", Args: cobra.NoArgs,
		RunE: c.run(func(t task) error {
			list, err := client.Get[[]v1.Site](t, t.node, client.Path("sites"), nil)
			if err != nil {
				return err
			}
			return table(t.printer, each(list), "SITE VERDICT SINCE MODE DRAIN NODES ALIVE WHY", func(s v1.Site) []any {
				return []any{s.Site, s.Verdict, s.Since, s.Mode, drainInWords(s.Drain), s.Nodes, s.Alive, s.Why}
			})
		})}
}

func drainInWords(d *v1.SiteDrain) string {
	switch {
	case d == nil:
		return ""
	case d.To == "":
		return "yes"
	}
	return "to " + d.To
}

func drainSite(c *connection) *cobra.Command {
	var to string
	var within time.Duration
	cmd := &cobra.Command{Use: "drain SITE", Short: "Take a site out of use, with all its nodes", Args: cobra.ExactArgs(1),
		Example: "  node sites drain munich --to berlin --within 2h\n  node sites show munich",
		RunE: c.run(func(t task) error {
			return client.Send(t, t.node, http.MethodPut, client.Path("sites", t.args[0], "draining"), v1.SiteDraining{Draining: true, To: to, Within: int(within.Seconds())}, nil)
		})}
	cmd.Flags().StringVar(&to, "to", "", "`SITE` that takes its rooms; empty: the one with most nodes in use")
	cmd.Flags().DurationVar(&within, "within", 0, "`TIME` after which calls that still go on are ended; 0: they may go on")
	return cmd
}

func undrainSite(c *connection) *cobra.Command {
	return &cobra.Command{Use: "undrain SITE", Short: "Take a site into use again: its rooms come home", Args: cobra.ExactArgs(1),
		RunE: c.run(func(t task) error {
			return client.Send(t, t.node, http.MethodPut, client.Path("sites", t.args[0], "draining"), v1.SiteDraining{}, nil)
		})}
}

func forceSite(c *connection, use, short, mode string) *cobra.Command {
	return &cobra.Command{Use: use + " SITE", Short: short, Args: cobra.ExactArgs(1),
		RunE: c.run(func(t task) error {
			return client.Send(t, t.node, http.MethodPut, client.Path("sites", t.args[0], "verdict"), v1.Verdict{Mode: mode}, nil)
		})}
}

func showSite(c *connection) *cobra.Command {
	return &cobra.Command{Use: "show SITE", Short: "Show a site: its nodes, its Raft group, a drain, and what others think of it", Args: cobra.ExactArgs(1),
		RunE: c.run(func(t task) error {
			d, err := client.Get[v1.SiteDetail](t, t.node, client.Path("sites", t.args[0]), nil)
			if err != nil {
				return err
			}
			return printSite(t, d)
		})}
}

func printSite(t task, d v1.SiteDetail) error {
	if t.json {
		return t.encode(d)
	}
	if !d.Own {
		fmt.Fprintf(t.w, "verdict here   %s since %s, mode %s: %s\n", d.Verdict, clock(d.Since), d.Mode, plain(d.Why))
	}
	if d.Drain != nil {
		fmt.Fprintf(t.w, "drains         %s; %d conferences and %d calls are left; calls end at %s\n", firstOf(drainInWords(d.Drain), "yes"), d.Conferences, d.Calls, clock(d.Drain.Until))
	} else {
		fmt.Fprintf(t.w, "in use         %d conferences, %d calls\n", d.Conferences, d.Calls)
	}
	if r := d.Raft; r != nil {
		fmt.Fprintf(t.w, "Raft           leader %s, term %d, voters %s, spares %s; %d rooms\n", firstOf(r.Leader, "none"), r.Term, strings.Join(r.Voters, " "), firstOf(strings.Join(r.Spares, " "), "none"), r.Rooms)
	}
	fmt.Fprintf(t.w, "\nnodes (%d)\n", len(d.Members))
	err := table(t.printer, each(d.Members), "NODE STATE READY ROLE VERSION CALLS CONFERENCES PARTICIPANTS DATABASE COPY-AGE JOURNAL DEAD PROBLEM", func(n v1.NodeDetail) []any {
		return []any{n.Node.Node, stateOf(n.Node), n.Ready, n.Role, n.Version, n.Calls, n.Conferences, n.Participants, n.Store,
			time.Duration(n.CopyAgeSeconds * float64(time.Second)).Round(time.Second), n.JournalRecords, n.DeadLetters, n.Problem}
	})
	if err != nil || len(d.Views) == 0 {
		return err
	}
	fmt.Fprintf(t.w, "\nseen from\n")
	return table(t.printer, each(d.Views), "SITE NODE VERDICT SINCE MODE WHY", func(v v1.SiteView) []any {
		return []any{v.From.Site, v.From.Node, v.Verdict, v.Since, v.Mode, v.Why}
	})
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
