package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/conclave-voice/conclave/testenv/load"
	"github.com/conclave-voice/conclave/testenv/load/soak"
)

// soakOptions are those of the soak alone.
type soakOptions struct {
	*options
	callers      int
	share        float64
	length, stay time.Duration
	record       int
	every        time.Duration
	out          string
	floor        time.Duration
	floorCallers int
}

func soakCommand(o *options) *cobra.Command {
	s := &soakOptions{options: o}
	c := &cobra.Command{Use: "soak", Short: "Hold callers who come and go for a long time, and look for what grows, is late or sounds wrong", Args: cobra.NoArgs,
		Long: `First a handful of callers is measured, for the noise of the machine. Then so many callers
are held, each of whom stays a random time and is followed by another. Some rooms are
recorded. Every minute there is a line. At the end all leave; recordings are downloaded;
what was heard and recorded is judged; growth is the line of least squares through the
second half. It ends with exit code 1 and the reasons if anything is wrong.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return s.run(cmd.Context(), cmd.OutOrStdout()) }}
	f := c.Flags()
	f.IntVar(&s.callers, "callers", 0, "how many; 0: --share of those that a ramp finds first")
	f.Float64Var(&s.share, "share", 80, "`PERCENT` of the callers that a ramp finds")
	f.DurationVar(&s.length, "for", 45*time.Minute, "how long")
	f.DurationVar(&s.stay, "stay", 5*time.Minute, "how long callers stay on average")
	f.IntVar(&s.record, "record", 3, "`N` rooms that are recorded")
	f.DurationVar(&s.every, "every", time.Minute, "time between two lines")
	f.StringVar(&s.out, "out", "", "`FILE` for the lines as JSON lines")
	f.DurationVar(&s.floor, "floor", 30*time.Second, "how long the noise of the machine is measured; 0: not at all")
	f.IntVar(&s.floorCallers, "floor-callers", 8, "with how many callers")
	f.IntVar(&o.first, "from", 200, "callers of the first step of the ramp")
	f.IntVar(&o.step, "step", 100, "callers added in each step")
	f.DurationVar(&o.duration, "step-for", 10*time.Second, "how long each step is measured")
	return c
}

// sampling is how often the node is looked at, several times for each line.
const sampling = 5 * time.Second

func (s *soakOptions) run(ctx context.Context, out io.Writer) error {
	callers, err := s.howMany(ctx, out)
	if err != nil {
		return err
	}
	l, err := s.shape.load(callers)
	if err != nil {
		return err
	}
	l.Stay = s.stay
	program, clean, err := s.ready(ctx)
	if err != nil {
		return err
	}
	defer clean()
	file, err := s.open()
	if err != nil {
		return err
	}
	bare, err := s.bare(ctx, callers)
	if err != nil {
		return err
	}
	target, rooms, err := s.start(ctx, program, &l)
	if err != nil {
		return err
	}
	defer target.Stop()
	s.announce(out, callers, len(rooms))
	r, err := soak.Run(ctx, soak.Config{Target: target, Rooms: rooms, Load: l, For: s.length, Record: s.record,
		FloorCallers: min(s.floorCallers, callers), FloorFor: s.floor, Sample: min(sampling, s.every/2), Every: s.every, Busy: s.busy,
		Line: func(l soak.Line) { s.told(out, file, l) },
		Profile: func(ctx context.Context, name string, span time.Duration) error {
			return s.profile(ctx, target, name, span)
		}})
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	s.report(out, r, bare)
	if len(r.Wrong) > 0 {
		return errors.New("the soak has failed")
	}
	return nil
}

// howMany is how many callers are held.
func (s *soakOptions) howMany(ctx context.Context, out io.Writer) (int, error) {
	if s.callers > 0 {
		return s.callers, nil
	}
	found, err := s.ramp(ctx, out)
	if err != nil {
		return 0, err
	}
	n := int(float64(found) * s.share / 100)
	if n < 1 {
		return 0, fmt.Errorf("%d callers are too many already: begin the ramp with fewer (--from)", s.first)
	}
	return n, nil
}

// open is where the lines are kept.
func (s *soakOptions) open() (io.WriteCloser, error) {
	if s.out == "" {
		return nowhere{io.Discard}, nil
	}
	f, err := os.Create(s.out)
	if err != nil {
		return nil, fmt.Errorf("keep the lines: %w", err)
	}
	return f, nil
}

type nowhere struct{ io.Writer }

func (nowhere) Close() error { return nil }

func (s *soakOptions) announce(out io.Writer, callers, rooms int) {
	if s.json {
		return
	}
	fmt.Fprintf(out, "soak: %d callers in %d rooms (%v) for %v, each stays %v on average; lateness in ms\n", callers, rooms, &s.shape, s.length, s.stay)
	fmt.Fprintf(out, "%8s %8s %6s %6s %7s %6s %7s %6s %5s %7s %7s %7s %6s %6s %6s %7s %6s\n", "time", "callers", "p50", "p99", "p99.9", "max", "bad", "ticks", "CPU",
		"µs/p·s", "RSS MB", "heap MB", "gorout", "descr", "ports", "calls", "tool")
}

func (s *soakOptions) told(out, file io.Writer, l soak.Line) {
	_ = json.NewEncoder(file).Encode(l) // a full disk shows when the file is closed
	if s.json {
		_ = json.NewEncoder(out).Encode(l)
		return
	}
	at := time.Duration(l.Seconds * float64(time.Second)).Round(time.Second)
	fmt.Fprintf(out, "%8v %8.0f %6.1f %6.1f %7.1f %6.1f %6.3f%% %6d %4.0f%% %7.0f %7.1f %7.1f %6d %6d %6d %7d %6.1f\n", at, l.Callers, l.LateP50, l.LateP99, l.LateP999, l.LateMax,
		l.BadPercent, l.LateTicks+l.SkippedTicks, 100*l.CPUShare, l.CPUPerCaller, l.Memory, l.Heap, l.Goroutines, l.Descriptors, l.Ports, l.Calls, l.ToolP999)
}

// report tells the end.
func (s *soakOptions) report(out io.Writer, r soak.Result, bare time.Duration) {
	window := func(name string, w load.Window) {
		if w.Expected > 0 {
			fmt.Fprintf(out, "%s: %d packets, late p50 %.1f, p99 %.1f, p99.9 %.1f, max %.1f ms; %d lost, %d more than %v late: %.4f %% bad\n", name, w.Expected,
				ms(w.Late.Quantile(0.5)), ms(w.Late.Quantile(0.99)), ms(w.Late.Quantile(0.999)), ms(w.Late.Max()), w.Lost, w.Late.Beyond(load.TooLate), load.TooLate, 100*w.Bad())
		}
	}
	window("noise floor", r.Floor)
	window("soak", r.Load)
	system := ticksPerSecond * float64(bare) / float64(time.Microsecond)
	fmt.Fprintf(out, "processor: %.0f µs of a second for each participant; the bare system calls alone: %.0f µs; ratio %.2f\n", r.CPU, system, r.CPU/system)
	fmt.Fprintf(out, "calls: %d begun, %d answered, %d failed\n", r.Calls.Begun, r.Calls.Answered, r.Calls.Failed)
	v := r.Heard
	fmt.Fprintf(out, "heard: %v of %d listeners and recordings, %d faulty; %.4f %% of the tones missing, %d s of foreign ones, %d frames missing, %d gaps of up to %v, %.4f %% clipped, tones within %.1f dB\n",
		v.Heard.Round(time.Second), v.Listeners, len(v.Faulty), 100*v.Absent, v.Foreign, v.Missing, v.Gaps, v.Longest, 100*v.Clipped, v.Spread)
	printFaults(out, v)
	for _, g := range r.Growths {
		fmt.Fprintln(out, "growth:", g)
	}
	fmt.Fprintf(out, "without callers, before and after: %d and %d goroutines, %d and %d descriptors, %d and %d pairs of ports, %.1f and %.1f MB resident\n",
		r.Before.Goroutines, r.After.Goroutines, r.Before.Descriptors, r.After.Descriptors, r.Before.Ports, r.After.Ports, float64(r.Before.Memory)/1e6, float64(r.After.Memory)/1e6)
	verdict := "passed"
	if len(r.Wrong) > 0 {
		verdict = "FAILED: " + strings.Join(r.Wrong, "\n  ")
	}
	fmt.Fprintln(out, verdict)
}
