// Command conclave-load starts a node on one processor, puts callers on it from
// another, and tells how they fared.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/conclave-voice/conclave/testenv/load"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := rootCommand(defaultPorts()).ExecuteContext(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "conclave-load:", err)
		os.Exit(1)
	}
}

// options are what the commands share.
type options struct {
	shape
	node               string
	first, step        int // callers of the first step, and more in each
	duration           time.Duration
	json               bool
	bad                float64
	limit              time.Duration
	nodeCPU, callerCPU int
	profiles           string
	busy               bool
	ports              ports
}

func rootCommand(p ports) *cobra.Command {
	o := &options{ports: p}
	root := &cobra.Command{Use: "conclave-load", Short: "Measure how many callers a node holds on one processor",
		Long: `Starts "node dev" with GOMAXPROCS=1 on one processor and calls it from another. Speakers
speak all the time. A packet's lateness is how much later it came, by the kernel's time of
arrival, than the promptest packet of its stream, against the cadence of 20 ms; it is bad if
it was lost or more than 20 ms late. What some callers hear is decoded by ffmpeg when all
have left, and judged: the tones of their room and no others, level, clipping, gaps.`,
		SilenceUsage: true, SilenceErrors: true}
	f := root.PersistentFlags()
	o.shape.flags(f)
	f.StringVar(&o.node, "node", "", "the node `PROGRAM`; left out: built from ./cmd/node")
	f.BoolVar(&o.json, "json", false, "print JSON lines")
	f.Float64Var(&o.bad, "bad", 1, "`PERCENT` of the packets that may be bad")
	f.DurationVar(&o.limit, "limit", 0, "lateness that 99.9 % of the packets may have besides; 0: any")
	f.IntVar(&o.nodeCPU, "node-cpu", 0, "processor of the node; -1: any")
	f.IntVar(&o.callerCPU, "caller-cpu", 1, "processor of the callers; -1: any")
	f.StringVar(&o.profiles, "profiles", "", "`DIRECTORY` for the node's profiles: cpu, memory, goroutines")
	f.BoolVar(&o.busy, "busy", false, "go on if the tool itself was late, because the machine does other things: memory and processor time are true, lateness is not")
	root.AddCommand(holdCommand(o), rampCommand(o), soakCommand(o))
	return root
}

func holdCommand(o *options) *cobra.Command {
	c := &cobra.Command{Use: "hold", Short: "Hold so many callers and tell how they fared", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.hold(cmd.Context(), cmd.OutOrStdout()) }}
	c.Flags().IntVar(&o.first, "callers", 100, "how many")
	o.stepFlags(c)
	return c
}

func rampCommand(o *options) *cobra.Command {
	c := &cobra.Command{Use: "ramp", Short: "Add callers until audio is late", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := o.ramp(cmd.Context(), cmd.OutOrStdout())
			return err
		}}
	o.rampFlags(c)
	o.stepFlags(c)
	return c
}

func (o *options) stepFlags(c *cobra.Command) {
	c.Flags().DurationVar(&o.duration, "for", 20*time.Second, "how long each step is measured")
}

func (o *options) rampFlags(c *cobra.Command) {
	c.Flags().IntVar(&o.first, "from", 100, "callers of the first step")
	c.Flags().IntVar(&o.step, "step", 100, "callers added in each step")
}

// bare measures the system calls beside a run with so many callers.
func (o *options) bare(ctx context.Context, callers int) (time.Duration, error) {
	const span = 300 * time.Millisecond
	return load.Bare(ctx, o.nodeCPU, callers, span)
}
