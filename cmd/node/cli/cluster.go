package cli

import (
	"net/http"

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
