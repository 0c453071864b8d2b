package main

import (
	"github.com/hashicorp/go-hclog"
	"github.com/jonboulle/clockwork"
	"github.com/spf13/cobra"

	"github.com/conclave-voice/conclave/cmd/node/cli"
	"github.com/conclave-voice/conclave/cmd/node/server"
)

// rootCommand is `node` with all its commands.
func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "node",
		Short: "Conclave: voice conferencing for carriers",
		Long: `Conclave takes calls by SIP, asks callers for an access code, and joins them to a
room where they talk. The room's owner pays for every participant.

To try it on this machine, with nothing else installed:

  node dev

and then call it as the banner says. The other commands see and change things of a node
that runs, through its API: they find it at http://127.0.0.1:8080, or where --api says.`,
		SilenceUsage: true, SilenceErrors: true,
	}
	root.AddCommand(devCommand())
	root.AddCommand(cli.Commands()...)
	return root
}

// devCommand is `node dev`.
func devCommand() *cobra.Command {
	config := server.DevConfig()
	level := "info"
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Run a whole system on this machine, with a demo room",
		Long: `Runs one node with an embedded store. At its first start it puts in a demo customer, an
account with 100.00 USD, the access number 18665552637 and two rooms; what you change
afterwards stays. Calls from this machine need no password.

The address after --sip is written into SIP and SDP: to be called from other machines,
name the one that they reach this machine by.`,
		Example: `  node dev
  node dev --sip 192.0.2.10:5060 --http 127.0.0.1:8081 --rtp 30000-30999 --data /var/lib/conclave`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			logger := hclog.New(&hclog.LoggerOptions{Name: "node", Level: hclog.LevelFromString(level), Output: cmd.ErrOrStderr()})
			node, err := server.New(cmd.Context(), config, clockwork.NewRealClock(), logger)
			if err != nil {
				return err
			}
			return node.Run(cmd.Context(), cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringVar(&config.DataDir, "data", config.DataDir, "directory that the data is kept in")
	f.StringVar(&config.SIP, "sip", config.SIP, "`HOST:PORT` for SIP, UDP and TCP")
	f.StringVar(&config.HTTP, "http", config.HTTP, "`HOST:PORT` for the API")
	f.StringVar(&config.RTP, "rtp", config.RTP, "`FROM-TO`: ports for RTP, on the host of --sip")
	f.StringVar(&config.Prompts, "prompts", config.Prompts, "`DIR` with prompts of your own: DIR/en/enter-code.wav replaces that one, DIR/de/... adds\na language, DIR/numbers/NUMBER/en/... and DIR/customers/ID/en/... speak for those alone")
	f.StringVar(&level, "log-level", level, "trace, debug, info, warn or error")
	return cmd
}
