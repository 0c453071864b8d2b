package cli

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/conclave-voice/conclave/api/client"
)

// connection is which node is asked, and how the answer is printed.
type connection struct {
	api, token, tokenFile, output string
}

// The environment variables that stand for flags.
const (
	apiVariable   = "CONCLAVE_API"
	tokenVariable = "CONCLAVE_TOKEN"
)

func (c *connection) flags(cmd *cobra.Command) {
	address := os.Getenv(apiVariable)
	if address == "" {
		address = "http://127.0.0.1:8080"
	}
	f := cmd.PersistentFlags()
	f.StringVar(&c.api, "api", address, "`URL` of a node's API (or "+apiVariable+")")
	f.StringVar(&c.token, "token", "", "API token (better "+tokenVariable+" or --token-file: flags can be seen by other users)")
	f.StringVar(&c.tokenFile, "token-file", "", "`FILE` with the API token")
	f.StringVarP(&c.output, "output", "o", "table", "table or json")
}

// client is the node that the flags name.
func (c *connection) client() (*client.Client, error) {
	if c.output != "table" && c.output != "json" {
		return nil, fmt.Errorf("--output %q: write table or json", c.output)
	}
	token := c.token
	switch {
	case token != "":
	case c.tokenFile != "":
		text, err := os.ReadFile(c.tokenFile)
		if err != nil {
			return nil, fmt.Errorf("--token-file: %w", err)
		}
		token = string(text)
	default:
		token = os.Getenv(tokenVariable)
	}
	return client.New(c.api, strings.TrimSpace(token))
}

// run makes what a command does: with the client, its arguments and a printer.
func (c *connection) run(do func(task) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		node, err := c.client()
		if err != nil {
			return err
		}
		return do(task{Context: cmd.Context(), cmd: cmd, args: args, node: node,
			printer: printer{w: cmd.OutOrStdout(), json: c.output == "json"}})
	}
}
