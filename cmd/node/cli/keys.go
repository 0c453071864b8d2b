package cli

import (
	"net/http"

	"github.com/spf13/cobra"

	"github.com/conclave-voice/conclave/api/client"
	"github.com/conclave-voice/conclave/api/v1"
)

// RotateKey is `node cluster rotate-key`, which asks a node that runs.
func RotateKey() *cobra.Command {
	c, without := &connection{}, false
	cmd := &cobra.Command{
		Use:   "rotate-key",
		Short: "Give all nodes new keys, while they run",
		Long: `Makes new keys for the gossip and for forwarded calls, and gives them to all nodes, which
write them into their directories: first every node reads with them, then every node
writes with them, then the old ones are forgotten. No node is lost meanwhile. Afterwards
copy gossip.keys and handover.keys from a node's directory into that of the authority,
for the nodes that are added later.`,
		Args: cobra.NoArgs,
		RunE: c.run(func(t task) error {
			var done v1.KeysRotated
			if err := client.Send(t, t.node, http.MethodPost, client.Path("cluster", "rotate-keys"), v1.KeyRotation{Without: without}, &done); err != nil {
				return err
			}
			t.done("%d nodes have new keys. Copy gossip.keys and handover.keys from the directory of one of them into that of the authority.", done.Nodes)
			return nil
		})}
	c.flags(cmd)
	cmd.Flags().BoolVar(&without, "without-dead", false, "go on although nodes are off; copy the two files to them before they start")
	return cmd
}
