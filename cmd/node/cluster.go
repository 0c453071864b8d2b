package main

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/conclave-voice/conclave/cluster/certs"
	"github.com/conclave-voice/conclave/cmd/node/cli"
)

// clusterCommand is `node cluster`.
func clusterCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cluster",
		Short: "Make the certificates and secrets of a cluster's nodes",
		Long: `Nodes of a cluster know one another by certificates, and share secrets. node cluster init
makes an authority once; keep its directory where no node runs. node cluster add makes a
directory for each node, which is copied there and named with node run --cluster-dir. The
secrets are changed, while the nodes run, by node cluster rotate-key.`,
		Example: `  node cluster init --dir authority --name example
  node cluster add --dir authority --out m1 munich m1
  node run --cluster-dir m1 --sip 192.0.2.10:5060 --founders m1 --store postgresql://...
  node cluster rotate-key`,
	}
	cmd.AddCommand(clusterInitCommand(), clusterAddCommand(), cli.RotateKey())
	return cmd
}

func clusterInitCommand() *cobra.Command {
	var dir, name string
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Make a cluster's authority and secrets",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := certs.Init(dir, name, time.Now()); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "The authority of cluster %q is in %s. Who has that directory can make nodes: keep it safe.\nNext, for each node: node cluster add --dir %s SITE NODE\n", name, dir, dir)
			return nil
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "conclave-authority", "`DIRECTORY` of the authority")
	cmd.Flags().StringVar(&name, "name", "conclave", "`NAME` of the cluster")
	return cmd
}

func clusterAddCommand() *cobra.Command {
	var dir, out string
	cmd := &cobra.Command{
		Use:   "add SITE NODE",
		Short: "Make the certificates and secrets of a node",
		Long: `Makes a directory with the certificate of a node, its key and the cluster's secrets. The
certificate lasts for two years: make another in time, put its files in the place of the
old ones, and the running node takes them within seconds.`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if out == "" {
				out = filepath.Join(dir, "nodes", args[1])
			}
			if err := certs.Add(dir, out, certs.Identity{Site: args[0], Node: args[1]}, time.Now()); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "Copy %s to node %s of site %s, and start it there with --cluster-dir.\n", out, args[1], args[0])
			return nil
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "conclave-authority", "`DIRECTORY` of the authority")
	cmd.Flags().StringVar(&out, "out", "", "`DIRECTORY` to make; empty: nodes/NODE in that of the authority")
	return cmd
}
