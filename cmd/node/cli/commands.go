package cli

import "github.com/spf13/cobra"

// Commands are the groups of commands, for the program's root.
func Commands() []*cobra.Command {
	return []*cobra.Command{
		roomsCommand(), conferencesCommand(), recordingsCommand(), accountsCommand(), xdrsCommand(), callsCommand(),
		customersCommand(), tariffsCommand(), numbersCommand(), rulesCommand(), usersCommand(), tokensCommand(), nodesCommand(), sitesCommand(), journalCommand(), codecsCommand(),
	}
}

// group makes a command that holds others, which share the connection's flags.
func group(use, short, long string, commands func(*connection) []*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Long: long, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	c := &connection{}
	c.flags(cmd)
	cmd.AddCommand(commands(c)...)
	return cmd
}
