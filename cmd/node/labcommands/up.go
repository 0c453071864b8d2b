package labcommands

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"

	"github.com/conclave-voice/conclave/testenv/lab"
	"github.com/conclave-voice/conclave/testenv/netns"
	"github.com/conclave-voice/conclave/testenv/postgres/server"
	"github.com/conclave-voice/conclave/testenv/wan"
)

// upFlags are those of `node lab up`.
type upFlags struct {
	sites, nodes, store, logLevel string
	delay                         time.Duration
	background, detached          bool
}

func upCommand(d *directory) *cobra.Command {
	var f upFlags
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Start a lab, with a room at each site",
		Long: `Starts the network, PostgreSQL and the nodes of all sites, and makes what callers need: a
customer, an account with money, an access number, and for each site a room whose home it
is. It says the codes and how to go on, and stays until Ctrl-C or node lab down; with
--background it returns when all is ready.

A node takes some 80 MB of memory. A site of one node has no fault tolerance of its own,
one of three goes on after the loss of any.`,
		Example: `  node lab up
  node lab up --sites 2 --nodes 1 --background
  node lab up --sites munich,paris --nodes 3,1 --delay 40ms
  node lab up --store postgresql://me:secret@127.0.0.1/postgres`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd, d) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.sites, "sites", "3", "how many `SITES`, or their names: munich,paris")
	flags.StringVar(&f.nodes, "nodes", "3", "how many `NODES` at each site, or for each its own: 3,1")
	flags.DurationVar(&f.delay, "delay", 20*time.Millisecond, "`TIME` from each place to each other, one way; node lab link changes it")
	flags.StringVar(&f.store, "store", "", "`URL` of a PostgreSQL server that is there already; a database of the lab's own is made on it, and dropped at the end")
	flags.StringVar(&f.logLevel, "log-level", "info", "`LEVEL` of the nodes' logs: trace, debug, info, warn or error")
	flags.BoolVar(&f.background, "background", false, "return when the lab is ready, and let it run")
	flags.BoolVar(&f.detached, "detached", false, "this is the program in the background")
	_ = flags.MarkHidden("detached") // the flag is there
	return cmd
}

func (f *upFlags) run(cmd *cobra.Command, d *directory) error {
	specs, err := sites(f.sites, f.nodes)
	if err != nil {
		return err
	}
	if f.delay < 0 {
		return fmt.Errorf("--delay %v: a time cannot be negative", f.delay)
	}
	if err := netns.Check(); err != nil {
		return err
	}
	if f.store == "" {
		if err := server.Check(); err != nil {
			return fmt.Errorf("the lab starts a database of its own (--store names one that is there): %w", err)
		}
	}
	if f.background {
		return detach(cmd, d)
	}
	lock, err := d.claim()
	if err != nil {
		return err
	}
	defer lock.Close()
	ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGHUP) // a terminal that is closed ends a lab like Ctrl-C
	defer stop()
	cmd.SetContext(ctx)
	if err := f.live(cmd, d, specs); err != nil {
		return fmt.Errorf("%w\n(the logs are in %s until node lab down removes what is left)", err, d.path)
	}
	if err := d.clean(); err != nil {
		return err
	}
	fmt.Fprintln(cmd.OutOrStdout(), "The lab is gone.")
	return nil
}

// live is the life of a lab whose directory has been claimed. Ctrl-C is a good end of it.
func (f *upFlags) live(cmd *cobra.Command, d *directory, specs []lab.SiteSpec) error {
	p := &progress{out: cmd.OutOrStdout(), began: time.Now()}
	l, has, err := f.start(cmd, d, specs, p)
	if err != nil {
		if cmd.Context().Err() != nil {
			return nil
		}
		return err
	}
	control, err := lab.Listen(l)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	introduce(p, d, l.Plan, has, f.delay)
	if f.detached {
		if err := logTo(d.file(logFile)); err != nil {
			return errors.Join(err, l.Close())
		}
	}
	err = control.Run(cmd.Context())
	if cmd.Context().Err() != nil {
		err = nil
	}
	p.say("ending")
	return errors.Join(err, l.Close())
}

// startTime is far more than a lab needs to start, on a slow machine too.
const startTime = 5 * time.Minute

// start starts the lab and furnishes it. When it fails nothing is left but the directory.
func (f *upFlags) start(cmd *cobra.Command, d *directory, specs []lab.SiteSpec, p *progress) (*lab.Lab, furnished, error) {
	has := furnished{Number: number}
	ctx, cancel := context.WithTimeoutCause(cmd.Context(), startTime, fmt.Errorf("the lab was not ready within %v: see the logs in %s, or start fewer nodes", startTime, d.path))
	defer cancel()
	if f.store != "" {
		store, err := server.Fresh(f.store, "conclave_lab_")
		if err != nil {
			return nil, has, fmt.Errorf("--store: make a database for the lab: %w", err)
		}
		has.Server, has.Store = f.store, store
		if err := d.write(has); err != nil { // first of all, so that it is dropped whatever happens
			return nil, has, errors.Join(err, server.Drop(f.store, store))
		}
	}
	program, err := os.Executable()
	if err != nil {
		return nil, has, fmt.Errorf("find this program, which the nodes run: %w", err)
	}
	log := hclog.New(&hclog.LoggerOptions{Name: "lab", Level: hclog.Info, Output: cmd.ErrOrStderr(), TimeFn: func() time.Time { return time.Now().UTC() }})
	spec, operator := lab.Cluster(lab.Spec{Sites: specs, Database: databaseSite, Store: has.Store, Dir: d.path,
		WAN: wan.Impairment{Delay: f.delay}, Log: log}, program, "--log-level", f.logLevel)
	p.say("starting the network, the database and the nodes (their logs are in %s)", d.path)
	l, err := lab.Start(ctx, spec)
	if err != nil {
		return nil, has, told(ctx, err)
	}
	p.say("waiting until the nodes are ready")
	if err := l.WaitReady(ctx); err != nil {
		return nil, has, errors.Join(told(ctx, err), l.Close())
	}
	p.say("making an account, an access number and the rooms")
	has.Token = operator.Token()
	if has.Rooms, err = furnish(ctx, operator, l); err == nil {
		err = d.write(has)
	}
	if err != nil {
		return nil, has, errors.Join(told(ctx, err), l.Close())
	}
	return l, has, nil
}

// told adds why ctx has ended, if it has.
func told(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return fmt.Errorf("%w: %w", cause, err)
	}
	return err
}

// progress says what is being done, and after how long.
type progress struct {
	out   io.Writer
	began time.Time
}

func (p *progress) say(format string, args ...any) {
	fmt.Fprintf(p.out, "%5.1fs  %s\n", time.Since(p.began).Seconds(), fmt.Sprintf(format, args...))
}

// databaseSite is the place of the database.
const databaseSite = "db"

// maxSites bounds the codes that can be made, and what a machine can bear.
const maxSites = 9

// sites reads --sites and --nodes.
func sites(sites, nodes string) ([]lab.SiteSpec, error) {
	names := strings.Split(strings.ToLower(sites), ",")
	if n, err := atoi(sites); err == nil {
		names = nil
		for i := range min(n, maxSites+1) {
			names = append(names, string(rune('a'+i)))
		}
	}
	if len(names) < 1 || len(names) > maxSites {
		return nil, fmt.Errorf("--sites %s: a lab has 1 to %d sites", sites, maxSites)
	}
	counts := strings.Split(nodes, ",")
	if len(counts) != 1 && len(counts) != len(names) {
		return nil, fmt.Errorf("--nodes %s: give one number for all sites, or one for each of the %d", nodes, len(names))
	}
	var specs []lab.SiteSpec
	for i, name := range names {
		n, err := atoi(counts[min(i, len(counts)-1)])
		if err != nil || n < 1 || n > maxNodes {
			return nil, fmt.Errorf("--nodes %s: a site has 1 to %d nodes", nodes, maxNodes)
		}
		if name == databaseSite {
			return nil, fmt.Errorf("--sites %s: %s is the place of the database: take another name", sites, databaseSite)
		}
		specs = append(specs, lab.SiteSpec{Name: name, Nodes: n})
	}
	return specs, nil
}

// maxNodes is as many as still make sense on one machine.
const maxNodes = 20
