package cli

import (
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/conclave-voice/conclave/api/client"
	"github.com/conclave-voice/conclave/api/v1"
)

func nodesCommand() *cobra.Command {
	return group("nodes", "See the nodes of the cluster, and take one out of use",
		"A node that drains refuses new calls, gives its conferences to other nodes of its site, and goes on with the\ncalls that it has: when it has none, it can be stopped.",
		func(c *connection) []*cobra.Command {
			return []*cobra.Command{listNodes(c), drainNode(c, "drain", "Take a node out of use", true), drainNode(c, "undrain", "Take a node into use again", false)}
		})
}

func listNodes(c *connection) *cobra.Command {
	return &cobra.Command{Use: "list", Short: "List the nodes, as the one that is asked knows them", Args: cobra.NoArgs,
		RunE: c.run(func(t task) error {
			list, err := client.Get[[]v1.Node](t, t.node, client.Path("nodes"), nil)
			if err != nil {
				return err
			}
			return table(t.printer, each(list), "SITE NODE STATE SINCE ROLE PARTICIPANTS CAPACITY SIP HTTP", func(n v1.Node) []any {
				return []any{n.Site, n.Node, stateOf(n), n.Since, n.Role, n.Participants, orNone(n.Capacity), n.SIP, n.HTTP}
			})
		})}
}

func stateOf(n v1.Node) string {
	switch {
	case !n.Alive:
		return "dead"
	case n.Draining:
		return "draining"
	}
	return "alive"
}

func drainNode(c *connection, use, short string, on bool) *cobra.Command {
	return &cobra.Command{Use: use + " NODE", Short: short, Args: cobra.ExactArgs(1),
		RunE: c.run(func(t task) error {
			return client.Send(t, t.node, http.MethodPut, client.Path("nodes", t.args[0], "draining"), v1.Draining{Draining: on}, nil)
		})}
}

func sitesCommand() *cobra.Command {
	return group("sites", "See the sites, and say whether one is to be used",
		"Each node probes the other sites and decides by itself where it sends calls. An operator's word counts more, at\nall nodes of the site of the node that is asked, until it is auto again. A site that drains refuses new calls;\nanother takes its rooms, with their conferences and callers, and the calls that came in by it go on. Both outlive\nrestarts.",
		func(c *connection) []*cobra.Command {
			return []*cobra.Command{listSites(c), drainSite(c), undrainSite(c), forceSite(c, "force-up", "Use a site whatever the probes say", "up"),
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
