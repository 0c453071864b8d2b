// Command conclave-load starts a node on one processor, puts callers on it from
// another, and tells how they fared.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/conclave-voice/conclave/testenv/load"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := rootCommand().ExecuteContext(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "conclave-load:", err)
		os.Exit(1)
	}
}

// options are what both commands share.
type options struct {
	node               string
	callers, roomSize  int
	step               int
	rate               float64
	duration           time.Duration
	json               bool
	limit              time.Duration
	nodeCPU, callerCPU int
	profiles           string
	busy               bool
}

func rootCommand() *cobra.Command {
	o := &options{}
	root := &cobra.Command{Use: "conclave-load", Short: "Measure how many callers a node holds on one processor",
		Long: `Starts "node dev" with GOMAXPROCS=1 on one processor and calls it from another. Every
caller speaks all the time. A packet's lateness is how much later it came, by the kernel's
time of arrival, than the promptest packet of its stream, against the cadence of 20 ms.`,
		SilenceUsage: true, SilenceErrors: true}
	f := root.PersistentFlags()
	f.StringVar(&o.node, "node", "", "the node `PROGRAM`; left out: built from ./cmd/node")
	f.IntVar(&o.roomSize, "room-size", 4, "callers in each room")
	f.Float64Var(&o.rate, "rate", 50, "calls begun in a second")
	f.DurationVar(&o.duration, "for", 20*time.Second, "how long each step is measured")
	f.BoolVar(&o.json, "json", false, "print JSON lines")
	f.DurationVar(&o.limit, "limit", 10*time.Millisecond, "lateness that 99.9 % of the packets may have")
	f.IntVar(&o.nodeCPU, "node-cpu", 0, "processor of the node; -1: any")
	f.IntVar(&o.callerCPU, "caller-cpu", 1, "processor of the callers; -1: any")
	f.StringVar(&o.profiles, "profiles", "", "`DIRECTORY` for the node's profiles of each step: cpu, memory, goroutines")
	f.BoolVar(&o.busy, "busy", false, "go on if the tool itself was late, because the machine does other things: memory and processor time are true, lateness is not")
	hold := &cobra.Command{Use: "hold", Short: "Hold so many callers and tell how they fared", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd, o.callers, o.callers) }}
	hold.Flags().IntVar(&o.callers, "callers", 100, "how many")
	ramp := &cobra.Command{Use: "ramp", Short: "Add callers until audio is late", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd, o.callers, 1<<20) }}
	ramp.Flags().IntVar(&o.callers, "from", 100, "callers of the first step")
	ramp.Flags().IntVar(&o.step, "step", 100, "callers added in each step")
	root.AddCommand(hold, ramp)
	return root
}

// line is what is told of a step.
type line struct {
	Callers       int      `json:"callers"`
	Good          bool     `json:"good"`
	LateP50       float64  `json:"lateP50Ms"`
	LateP99       float64  `json:"lateP99Ms"`
	LateP999      float64  `json:"lateP999Ms"`
	LateMax       float64  `json:"lateMaxMs"`
	LostPerMille  float64  `json:"lostPerMille"`
	LateTicks     uint64   `json:"lateTicks"`
	SkippedTicks  uint64   `json:"skippedTicks"`
	CPUShare      float64  `json:"cpuShare"`
	CPUPerSecond  float64  `json:"cpuMicrosecondsPerParticipantSecond"`
	Memory        float64  `json:"residentKilobytesPerParticipant"` // beyond what the node had without callers
	Checked       int      `json:"listenersChecked"`
	Wrong         int      `json:"listenersWrong"`
	SenderP999    float64  `json:"toolLateP999Ms"`
	Failed        int      `json:"callsFailed"`
	FirstProblems []string `json:"problems,omitempty"`
}

func (o *options) run(cmd *cobra.Command, from, to int) error {
	if o.nodeCPU >= 0 && o.callerCPU >= 0 && runtime.NumCPU() < 2 {
		return errors.New("this machine has one processor: the node and the callers would disturb one another")
	}
	program, clean, err := o.program(cmd.Context())
	if err != nil {
		return err
	}
	defer clean()
	if err := pin(o.callerCPU); err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	if !o.json {
		fmt.Fprintf(out, "rooms of %d, all speaking, %v a step; lateness in ms\n%8s %6s %6s %7s %6s %6s %6s %5s %7s %7s %6s %6s\n", o.roomSize, o.duration,
			"callers", "p50", "p99", "p99.9", "max", "lost‰", "ticks", "CPU", "µs/p·s", "kB/p", "wrong", "tool")
	}
	for n := from; n <= to; n += o.step {
		l, err := o.measure(cmd.Context(), program, n)
		if err != nil {
			return fmt.Errorf("%d callers: %w", n, err)
		}
		print(out, l, o.json)
		if !l.Good || o.step == 0 {
			return nil
		}
	}
	return nil
}

func print(out io.Writer, l line, asJSON bool) {
	if asJSON {
		_ = json.NewEncoder(out).Encode(l) // nobody reads
		return
	}
	verdict := ""
	if !l.Good {
		verdict = "  too many"
	}
	fmt.Fprintf(out, "%8d %6.1f %6.1f %7.1f %6.1f %6.2f %6d %4.0f%% %7.0f %7.0f %3d/%-3d %5.1f%s\n", l.Callers, l.LateP50, l.LateP99, l.LateP999, l.LateMax,
		l.LostPerMille, l.LateTicks+l.SkippedTicks, 100*l.CPUShare, l.CPUPerSecond, l.Memory, l.Wrong, l.Checked, l.SenderP999, verdict)
	for _, p := range l.FirstProblems {
		fmt.Fprintln(out, "        ", p)
	}
}

// program is the node's, built if need be.
func (o *options) program(ctx context.Context) (path string, clean func(), err error) {
	if o.node != "" {
		return o.node, func() {}, nil
	}
	dir, err := os.MkdirTemp("", "conclave-load-node-")
	if err != nil {
		return "", nil, fmt.Errorf("make a directory for the node: %w", err)
	}
	path = filepath.Join(dir, "node")
	if said, err := exec.CommandContext(ctx, "go", "build", "-o", path, "./cmd/node").CombinedOutput(); err != nil {
		os.RemoveAll(dir)
		return "", nil, fmt.Errorf("build ./cmd/node: %w: %s", err, said)
	}
	return path, func() { os.RemoveAll(dir) }, nil
}

// pin keeps this process on a processor: those of its threads that there are, from
// which the later ones inherit it.
func pin(cpu int) error {
	if cpu < 0 {
		return nil
	}
	var set unix.CPUSet
	set.Set(cpu)
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return fmt.Errorf("pin the callers to processor %d: %w", cpu, err)
	}
	for _, t := range threads {
		id, err := strconv.Atoi(t.Name())
		if err == nil {
			err = unix.SchedSetaffinity(id, &set)
		}
		if err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("pin the callers to processor %d: %w", cpu, err)
		}
	}
	return nil
}

// measure puts n callers on a fresh node.
func (o *options) measure(ctx context.Context, program string, n int) (line, error) {
	local := netip.MustParseAddr("127.0.0.1")
	target, err := load.StartTarget(ctx, program, o.nodeCPU, netip.AddrPortFrom(local, 25060), netip.AddrPortFrom(local, 28080), "30000-59999")
	if err != nil {
		return line{}, err
	}
	defer target.Stop()
	codes, err := target.AddRooms(ctx, (n+o.roomSize-1)/o.roomSize)
	if err != nil {
		return line{}, err
	}
	var before, after load.Figures
	var beforeErr, afterErr error
	idle, err := target.Figures(ctx)
	if err != nil {
		return line{}, err
	}
	profiled := make(chan error, 1)
	r, err := load.Run(ctx, load.Options{SIP: target.SIP, Local: local, Number: "18665552637", Codes: codes, Callers: n, RoomSize: o.roomSize,
		Rate: o.rate, Hold: o.duration, Settle: 5 * time.Second,
		Joined: func(ctx context.Context) (int, error) { f, err := target.Figures(ctx); return f.Participants, err },
		Begun: func() {
			before, beforeErr = target.Figures(ctx)
			go func() { profiled <- o.profile(ctx, target, n) }()
		},
		Done: func() { after, afterErr = target.Figures(ctx) },
	})
	if err == nil {
		err = <-profiled
	}
	if err = errors.Join(err, beforeErr, afterErr); err != nil {
		return line{}, errors.Join(append([]error{err}, problems(r)...)...)
	}
	if err := r.Blame(); err != nil && !o.busy {
		return line{}, err
	}
	return o.line(r, idle, before, after), nil
}

// profile keeps the node's profiles of a step. The figures of that step are those of a
// node that is looked at.
func (o *options) profile(ctx context.Context, target *load.Target, n int) error {
	if o.profiles == "" {
		return nil
	}
	path := func(what string) string {
		return filepath.Join(o.profiles, fmt.Sprintf("%d-callers-%s.pprof", n, what))
	}
	return errors.Join(
		target.Profile(ctx, fmt.Sprint("profile?seconds=", max(int(o.duration.Seconds())-2, 1)), path("cpu")),
		target.Profile(ctx, "heap", path("heap")),
		target.Profile(ctx, "goroutine", path("goroutine")))
}

func problems(r load.Report) (list []error) {
	for _, p := range r.Problems {
		list = append(list, errors.New(p))
	}
	return list
}

func (o *options) line(r load.Report, idle, before, after load.Figures) line {
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	cpu := after.CPU - before.CPU
	l := line{Callers: r.Callers, LateP50: ms(r.Late.Quantile(0.5)), LateP99: ms(r.Late.Quantile(0.99)), LateP999: ms(r.Late.Quantile(0.999)), LateMax: ms(r.Late.Max()),
		LateTicks: after.LateTicks - before.LateTicks, SkippedTicks: after.SkippedTicks - before.SkippedTicks,
		CPUShare: cpu.Seconds() / o.duration.Seconds(), CPUPerSecond: float64(cpu.Microseconds()) / o.duration.Seconds() / float64(r.Callers),
		Memory: float64(after.Memory-idle.Memory) / 1000 / float64(r.Callers), Checked: r.Checked, Wrong: r.Wrong, SenderP999: ms(r.SenderLate.Quantile(0.999)),
		Failed: r.Failed, FirstProblems: r.Problems}
	if r.Expected > 0 {
		l.LostPerMille = 1000 * float64(r.Lost) / float64(r.Expected)
	}
	l.Good = r.Failed == 0 && r.Wrong == 0 && r.Answered == r.Callers && l.LateP999 <= ms(o.limit) && l.LostPerMille < 0.1
	return l
}
