package labcommands

import (
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/conclave-voice/conclave/testenv/lab"
)

func execCommand(d *directory) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "exec SITE COMMAND...",
		Short: "Run a program where the callers of a site live",
		Long: `Runs a program in the network namespace of a site's callers, from where the nodes are
reached. The program's own commands find there the API of a node of the site, and a token;
a telephone such as SIPp or baresip reaches the nodes.`,
		Example: `  node lab exec a -- node conferences list
  node lab exec b -- node sites list
  node lab exec b -- bash`,
		Args: words(1, math.MaxInt, "name a site, and what to run there"),
		RunE: running(d, func(cmd *cobra.Command, args []string, c *lab.Client) error {
			site, err := findSite(c.State().Plan, args[0])
			if err != nil {
				return err
			}
			if args = args[1:]; len(args) > 0 && args[0] == "--" {
				args = args[1:]
			}
			if len(args) == 0 {
				return errors.New("say what to run: node lab exec SITE -- COMMAND")
			}
			has, err := d.read()
			if err != nil {
				return err
			}
			ip, err := exec.LookPath("ip")
			if err != nil {
				return fmt.Errorf("iproute2 is needed: apt-get install iproute2: %w", err)
			}
			env := map[string]string{"CONCLAVE_TOKEN": has.Token}
			if node, err := pick(cmd.Context(), c, site, ""); err == nil {
				env["CONCLAVE_API"] = "http://" + node.At(lab.HTTPPort).String()
			}
			if program, err := os.Executable(); err == nil { // "node" is this one, if it is so called
				env["PATH"] = filepath.Dir(program) + string(os.PathListSeparator) + os.Getenv("PATH")
			}
			for name, value := range env {
				if err := os.Setenv(name, value); err != nil { // of the program that this one becomes
					return fmt.Errorf("set %s: %w", name, err)
				}
			}
			line := append([]string{ip, "netns", "exec", c.State().CallersNamespace(site.Name)}, args...)
			return fmt.Errorf("run %s: %w", ip, unix.Exec(ip, line, os.Environ())) // it returns only if it fails
		}),
	}
	cmd.Flags().SetInterspersed(false) // the flags of COMMAND are not ours
	return cmd
}
