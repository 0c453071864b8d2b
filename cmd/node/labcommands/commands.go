package labcommands

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/conclave-voice/conclave/testenv/lab"
)

// dirVariable is the environment variable that stands for --dir.
const dirVariable = "CONCLAVE_LAB"

// Command is `node lab`.
func Command() *cobra.Command {
	d := &directory{path: defaultPath()}
	cmd := &cobra.Command{
		Use:   "lab",
		Short: "Run several sites on this machine, call them, and break them",
		Long: `Runs a cluster of several sites on this machine: each node is a real process in a network
namespace of its own, and a network between the sites delays, loses and cuts as it is told.
The database is at a place of its own, called db. Callers at any site call, speak a tone,
and say which tones they hear: those of the others in their conference.

It needs root, TUN devices, iproute2 and PostgreSQL (Debian's package postgresql). Nothing
outside of the lab is changed, and node lab down leaves nothing.`,
		Example: `  node lab up --background                   # three sites a, b, c of three nodes each
  node lab call --site a --code 123456       # in one terminal
  node lab call --site b --code 123456       # in another: each says what it hears
  node lab status --watch                    # in a third
  node lab cut a b                           # what do they hear now?
  node lab heal
  node lab kill a-1
  node lab down`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if os.Geteuid() != 0 && cmd.Name() != "lab" {
				return errors.New("a lab is network namespaces, which need root: run node lab with sudo")
			}
			return d.absolute()
		},
	}
	cmd.PersistentFlags().StringVar(&d.path, "dir", d.path, "`DIRECTORY` of the lab (or "+dirVariable+"); another one is another lab")
	cmd.AddCommand(upCommand(d), statusCommand(d), callCommand(d),
		cutCommand(d), healCommand(d), linkCommand(d),
		killCommand(d), freezeCommand(d), thawCommand(d), stopCommand(d), startCommand(d),
		execCommand(d), downCommand(d))
	return cmd
}

// running is what commands for a lab that runs begin with.
func running(d *directory, do func(*cobra.Command, []string, *lab.Client) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		c, err := d.client()
		if err != nil {
			return err
		}
		return do(cmd, args, c)
	}
}

// words wants so many arguments, and says what they are for.
func words(least, most int, want string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < least || len(args) > most {
			return fmt.Errorf("%s with %d arguments: %s", cmd.CommandPath(), len(args), want)
		}
		return nil
	}
}
