package labcommands

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/conclave-voice/conclave/testenv/lab"
)

// nodeCommand is a command that does something to nodes.
type nodeCommand struct {
	use, short, long string
	action           lab.Action
	from             []string // the states of package lab in which it can be done
	done             string
}

func killCommand(d *directory) *cobra.Command {
	return nodeCommand{use: "kill", short: "Kill nodes at once, as a crash does (SIGKILL)",
		long:   "Other nodes of its site go on with its calls. Its data stays: node lab start brings it back.",
		action: lab.KillNode, from: []string{"running", "paused"}, done: "killed"}.command(d)
}

func freezeCommand(d *directory) *cobra.Command {
	return nodeCommand{use: "freeze", short: "Stop nodes where they are, as a machine that hangs (SIGSTOP)",
		long:   "It neither answers nor ends, until node lab thaw.",
		action: lab.PauseNode, from: []string{"running"}, done: "frozen"}.command(d)
}

func thawCommand(d *directory) *cobra.Command {
	return nodeCommand{use: "thaw", short: "Let frozen nodes go on (SIGCONT)",
		long:   "It goes on as if no time had passed, and has to find out what has happened.",
		action: lab.ResumeNode, from: []string{"paused"}, done: "goes on"}.command(d)
}

func stopCommand(d *directory) *cobra.Command {
	return nodeCommand{use: "stop", short: "Stop nodes in good order (SIGTERM), and wait for their end",
		long:   "It gives its calls to other nodes of its site. Its data stays: node lab start brings it back.",
		action: lab.StopNode, from: []string{"running"}, done: "stopped"}.command(d)
}

func startCommand(d *directory) *cobra.Command {
	return nodeCommand{use: "start", short: "Start nodes again that were killed or stopped, and wait until they are ready",
		long:   "It has its data and addresses, and catches up with the others.",
		action: lab.StartNode, from: []string{"ended"}, done: "ready"}.command(d)
}

func (w nodeCommand) command(d *directory) *cobra.Command {
	return &cobra.Command{Use: w.use + " NODE...", Short: w.short,
		Long:    w.short + ".\n" + w.long + "\nA site's name stands for all of its nodes.",
		Example: fmt.Sprintf("  node lab %[1]s a-1\n  node lab %[1]s b", w.use),
		Args:    words(1, math.MaxInt, "name nodes or sites; node lab status lists them"),
		RunE:    running(d, w.run),
	}
}

// run does it to all nodes at once: a site cannot start one after the other, for a node
// is ready when it has a quorum.
func (w nodeCommand) run(cmd *cobra.Command, args []string, c *lab.Client) error {
	nodes, err := findNodes(c.State().Plan, args)
	if err != nil {
		return err
	}
	status, err := c.Status(cmd.Context())
	if err != nil {
		return err
	}
	for _, n := range status.Nodes {
		if slices.Contains(nodes, n.Name) && !slices.Contains(w.from, n.State) {
			return wrongState(n)
		}
	}
	group, ctx := errgroup.WithContext(cmd.Context())
	lines := make(chan string, len(nodes))
	for _, n := range nodes {
		group.Go(func() error { return w.one(ctx, c, n, lines) })
	}
	err = group.Wait()
	close(lines)
	for line := range lines {
		fmt.Fprintln(cmd.OutOrStdout(), line)
	}
	return err
}

func (w nodeCommand) one(ctx context.Context, c *lab.Client, node string, lines chan<- string) error {
	began := time.Now()
	if err := c.Node(ctx, node, w.action); err != nil {
		return err
	}
	line := node + ": " + w.done
	if w.action == lab.StartNode || w.action == lab.StopNode {
		line += fmt.Sprintf(" after %.1fs", time.Since(began).Seconds())
	}
	lines <- line
	return nil
}

// wrongState says what can be done to a node as it is.
func wrongState(n lab.NodeStatus) error {
	switch n.State {
	case "running":
		return fmt.Errorf("%s runs: it can be frozen, stopped or killed", n.Name)
	case "paused":
		return fmt.Errorf("%s is frozen: it can go on (node lab thaw %[1]s) or be killed", n.Name)
	}
	return fmt.Errorf("%s does not run: it can be started (node lab start %[1]s)", n.Name)
}

// findNodes are the names of nodes that words name, or of all nodes of a site.
func findNodes(p lab.Plan, words []string) (nodes []string, err error) {
	for _, word := range words {
		if site, err := homeSite(p, word); err == nil {
			for _, n := range site.Nodes {
				nodes = append(nodes, n.Name)
			}
			continue
		}
		n, err := findNode(p, word)
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, n.Name)
	}
	slices.SortFunc(nodes, strings.Compare)
	return slices.Compact(nodes), nil
}
