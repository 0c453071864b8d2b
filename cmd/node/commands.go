package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/jonboulle/clockwork"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/conclave-voice/conclave/api"
	"github.com/conclave-voice/conclave/cmd/node/cli"
	"github.com/conclave-voice/conclave/cmd/node/labcommands"
	"github.com/conclave-voice/conclave/cmd/node/server"
	"github.com/conclave-voice/conclave/cmd/node/settings"
	"github.com/conclave-voice/conclave/store/sqlstore"
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
	root.AddGroup(&cobra.Group{ID: "run", Title: "Run a node, or a lab of many:"}, &cobra.Group{ID: "use", Title: "See and change things of a node that runs:"})
	for _, c := range []*cobra.Command{devCommand(), runCommand(), initCommand(), clusterCommand(), labcommands.Command()} {
		c.GroupID = "run"
		root.AddCommand(c)
	}
	for _, c := range cli.Commands() {
		c.GroupID = "use"
		root.AddCommand(c)
	}
	return root
}

// devCommand is `node dev`.
func devCommand() *cobra.Command {
	config, log := server.DevConfig(), settings.Log{Level: "info"}
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Run a whole system on this machine, with a demo room",
		Long: `Runs one node with an embedded store. At its first start it puts in a demo customer, an
account with 100.00 USD, the access number 18665552637 and two rooms; what you change
afterwards stays. Calls from this machine need no password, the API no token.

The address after --sip is written into SIP and SDP: to be called from other machines,
name the one that they reach this machine by.`,
		Example: `  node dev
  node dev --sip 192.0.2.10:5060 --http 127.0.0.1:8081 --rtp 30000-30999 --data /var/lib/conclave`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return serve(cmd, config, log) },
	}
	settings.Bind(cmd.Flags(), &config, &log, "data", "sip", "http", "rtp", "max-speakers", "send-batching", "profiling", "prompts", "log-level", "log-json")
	return cmd
}

// runCommand is `node run`.
func runCommand() *cobra.Command {
	config, log := server.RunConfig(), settings.Log{Level: "info"}
	file := ""
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run a node that carriers call",
		Long: `Runs a node as a configuration file, the environment and flags say; a flag wins over the
environment, and that over the file. Each flag below is a key of the file by the same
name, and an environment variable: max-calls is CONCLAVE_MAX_CALLS.

Prepare the database once with node init, which also makes the first API token.`,
		Example: `  node run --config /etc/conclave/node.yaml
  node run --sip 192.0.2.10:5060 --store postgresql://conclave@db.example/conclave`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := settings.Read(cmd.Flags(), file, os.LookupEnv); err != nil {
				return err
			}
			return serve(cmd, config, log)
		},
	}
	settings.Bind(cmd.Flags(), &config, &log)
	cmd.Flags().StringVar(&file, "config", "", "configuration `FILE` (YAML)")
	return cmd
}

// serve runs a node until the program is told to stop.
func serve(cmd *cobra.Command, config server.Config, log settings.Log) error {
	level := hclog.LevelFromString(log.Level)
	if level == hclog.NoLevel {
		return fmt.Errorf("--log-level %q: write trace, debug, info, warn or error", log.Level)
	}
	logger := hclog.New(&hclog.LoggerOptions{Name: "node", Level: level, JSONFormat: log.JSON, Output: cmd.ErrOrStderr(),
		TimeFn: func() time.Time { return time.Now().UTC() }})
	node, err := server.New(cmd.Context(), config, clockwork.NewRealClock(), logger)
	if err != nil {
		return err
	}
	return node.Run(cmd.Context(), cmd.OutOrStdout())
}

// initCommand is `node init`.
func initCommand() *cobra.Command {
	config, log := server.RunConfig(), settings.Log{}
	file, name := "", "operator"
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Prepare the database, and make the first API token",
		Long: `Makes the tables in the database, or brings them to this program's version, and makes an
operator's API token, whose secret it prints. Whoever may write the database may run it
again, with another --token, when the first secret is lost.`,
		Example: "  node init --store postgresql://conclave@db.example/conclave\n  CONCLAVE_TOKEN=cv_... node rooms list",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := settings.Read(cmd.Flags(), file, os.LookupEnv); err != nil {
				return err
			}
			secret, err := prepare(cmd.Context(), config, name)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "The database is ready. The operator's token %q, told only now:\n\n  %s\n", name, secret)
			return nil
		},
	}
	settings.Bind(cmd.Flags(), &config, &log)
	cmd.Flags().VisitAll(func(f *pflag.Flag) { // the file may have all keys, but few matter here
		f.Hidden = !slices.Contains([]string{"data", "store", "store-file", "store-region"}, f.Name)
	})
	cmd.Flags().StringVar(&file, "config", "", "configuration `FILE` (YAML), as for node run")
	cmd.Flags().StringVar(&name, "token", name, "`NAME` of the token")
	return cmd
}

// prepare brings the database to this program's version and makes a token.
func prepare(ctx context.Context, config server.Config, token string) (secret string, err error) {
	dsn, err := config.DSN()
	if err != nil {
		return "", err
	}
	if config.Store == "" && config.StoreFile == "" {
		if err := os.MkdirAll(config.DataDir, 0o700); err != nil {
			return "", fmt.Errorf("--data %q: %w; name a directory that can be written", config.DataDir, err)
		}
	}
	s, err := sqlstore.Open(ctx, dsn)
	if err != nil {
		return "", err
	}
	defer s.Close()
	if err := s.Migrate(ctx); err != nil {
		return "", err
	}
	if config.StoreRegion != "" {
		if _, err := s.Localize(ctx, config.StoreRegion); err != nil {
			return "", fmt.Errorf("--store-region: %w", err)
		}
	}
	return api.MakeOperatorToken(ctx, s, token, time.Now())
}
