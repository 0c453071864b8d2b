package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"os"
	"slices"
	"sync"

	"github.com/hashicorp/go-hclog"
	"golang.org/x/sync/errgroup"

	"github.com/conclave-voice/conclave/testenv/caller"
	"github.com/conclave-voice/conclave/testenv/netns"
	postgres "github.com/conclave-voice/conclave/testenv/postgres/server"
	"github.com/conclave-voice/conclave/testenv/wan"
)

// Spec says what lab to make.
type Spec struct {
	Sites []SiteSpec
	// Database is the site that PostgreSQL is at; one that is not in Sites is made for it
	// alone. Empty: there is no database.
	Database string
	// Store is the URL of a database that is there already; the site Database is then
	// where the nodes reach it, over the WAN, by a connection of this program. Empty:
	// PostgreSQL is started at that site.
	Store   string
	Dir     string         // for data and logs; it is made, and kept
	WAN     wan.Impairment // of all directions between sites, at first
	Seed    uint64         // of the WAN's decisions
	Classes []wan.Class    // nil: [Classes]
	// Command says how to run the node at a place. It is called for each node before
	// any of them runs.
	Command func(p Plan, n Node) Command
	// Prepare, if not nil, is called when the network and the database are there, and no
	// node runs yet: to make the tables, say.
	Prepare func(ctx context.Context, l *Lab) error
	Log     hclog.Logger
}

// Lab is a lab that runs.
type Lab struct {
	Plan
	spec     Spec
	network  *network
	router   *wan.Router
	stop     context.CancelFunc // of the router
	routed   chan error         // its end
	database io.Closer          // PostgreSQL, or the way to one that was there
	nodes    map[string]*Process

	mu     sync.Mutex
	phones map[string]*caller.Phone // by site, opened when first asked for
	tones  []int                    // that phones listen for besides their own
}

// Start makes a lab and starts its nodes. They may not be ready yet: see WaitReady. The
// lab must be closed; when Start fails it has closed what it had made.
func Start(ctx context.Context, spec Spec) (*Lab, error) {
	if spec.Store != "" && spec.Database == "" {
		return nil, errors.New("plan the lab: it has a Store: say at which site the nodes reach it (Database)")
	}
	plan, database, err := newPlan(spec.Sites, spec.Database, spec.Dir)
	if err != nil {
		return nil, fmt.Errorf("plan the lab: %w", err)
	}
	if spec.Classes == nil {
		spec.Classes = Classes()
	}
	if spec.Log == nil {
		spec.Log = hclog.NewNullLogger()
	}
	if err := os.MkdirAll(spec.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the lab's directory: %w", err)
	}
	l := &Lab{Plan: plan, spec: spec, nodes: map[string]*Process{}, phones: map[string]*caller.Phone{}}
	if err := l.start(ctx, database); err != nil {
		return nil, errors.Join(fmt.Errorf("start the lab: %w", err), l.Close())
	}
	return l, nil
}

func (l *Lab) start(ctx context.Context, database netip.Addr) (err error) {
	if l.network, err = newNetwork(ctx, l.Plan, database); err != nil {
		return err
	}
	if err := l.startRouter(); err != nil {
		return err
	}
	if l.network.database != nil {
		if err := l.startDatabase(database); err != nil {
			return err
		}
	}
	if l.spec.Prepare != nil {
		if err := l.spec.Prepare(ctx, l); err != nil {
			return fmt.Errorf("prepare: %w", err)
		}
	}
	for _, n := range l.Plan.Nodes() {
		l.nodes[n.Name] = newProcess(n, l.network.hosts[n.Name], l.spec.Command(l.Plan, n), l.spec.Log)
	}
	for _, p := range l.nodes {
		if err := p.Start(); err != nil {
			return err
		}
	}
	return nil
}

// startDatabase starts PostgreSQL, or lets nodes reach the one that there is.
func (l *Lab) startDatabase(at netip.Addr) error {
	if l.spec.Store == "" {
		s, err := postgres.Listen(at, l.network.database.Start)
		if err != nil {
			return err
		}
		l.database, l.Plan.Database = s, s.DSN()
		return nil
	}
	listener, err := l.network.database.ListenTCP(netip.AddrPortFrom(at, DatabasePort))
	if err != nil {
		return err
	}
	p, err := postgres.Forward(listener, l.spec.Store)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	l.database, l.Plan.Database = p, p.DSN()
	return nil
}

func (l *Lab) startRouter() (err error) {
	l.router, err = wan.New(wan.Options{Sites: l.network.ends, Classes: l.spec.Classes, Seed: l.spec.Seed, MTU: mtu, Log: l.spec.Log})
	if err != nil {
		return err
	}
	for _, link := range l.Links() {
		if err := l.router.Impair(link, "", l.spec.WAN); err != nil {
			return err
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	l.stop, l.routed = stop, make(chan error, 1)
	go func() { l.routed <- l.router.Run(ctx) }()
	return nil
}

// Close kills the nodes, ends the database and the callers, and deletes the network.
// The directory stays. A second Close does nothing.
func (l *Lab) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var errs []error
	for _, p := range l.phones {
		errs = append(errs, p.Close())
	}
	clear(l.phones)
	for _, p := range l.nodes {
		p.Kill()
	}
	if l.database != nil {
		errs = append(errs, l.database.Close())
		l.database = nil
	}
	if l.stop != nil {
		l.stop()
		errs = append(errs, <-l.routed)
		l.stop = nil
	} else if l.network != nil {
		l.network.closeDevices()
	}
	if l.network != nil {
		errs = append(errs, l.network.close())
	}
	return errors.Join(errs...)
}

// ID is in the names of the lab's namespaces: `ip netns list` shows conclave-ID-...
func (l *Lab) ID() string { return l.network.set.ID() }

// Dir is where data and logs are.
func (l *Lab) Dir() string { return l.spec.Dir }

// WAN is the router between the sites, to impair, cut, heal and count.
func (l *Lab) WAN() *wan.Router { return l.router }

// Node finds the process of a node by its name, such as alpha-1.
func (l *Lab) Node(name string) (*Process, error) {
	if p := l.nodes[name]; p != nil {
		return p, nil
	}
	return nil, fmt.Errorf("there is no node %q: there are %v", name, slices.Sorted(maps.Keys(l.nodes)))
}

// WaitReady waits until all nodes that run are ready.
func (l *Lab) WaitReady(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, p := range l.nodes {
		if p.Running() {
			group.Go(func() error { return p.WaitReady(ctx) })
		}
	}
	return group.Wait()
}

// Links are all directions between sites.
func (l *Lab) Links() (links []wan.Link) {
	for _, from := range l.Sites {
		for _, to := range l.Sites {
			if from.Name != to.Name {
				links = append(links, wan.Link{From: from.Name, To: to.Name})
			}
		}
	}
	return links
}

// Isolate cuts a site off from all others, in both directions.
func (l *Lab) Isolate(site string) error { return l.around(site, l.router.Cut) }

// Reconnect heals all cuts around a site.
func (l *Lab) Reconnect(site string) error { return l.around(site, l.router.Heal) }

func (l *Lab) around(site string, do func(wan.Link, string) error) error {
	if _, err := l.Site(site); err != nil {
		return err
	}
	for _, link := range l.Links() {
		if link.From == site || link.To == site {
			if err := do(link, ""); err != nil {
				return err
			}
		}
	}
	return nil
}

// Readdress gives a node that does not run another address of its site, with which it
// starts next. Plan keeps the one that it had first.
func (l *Lab) Readdress(ctx context.Context, name string, to netip.Addr) error {
	p, err := l.Node(name)
	if err != nil {
		return err
	}
	site, err := l.Site(p.Site)
	if err != nil {
		return err
	}
	if p.Running() || !site.Network.Contains(to) {
		return fmt.Errorf("give %s the address %v: it must not run, and the address must be of %v", name, to, site.Network)
	}
	if err := l.network.hosts[name].IP(ctx, "address flush dev eth0", fmt.Sprintf("address add %s dev eth0", netip.PrefixFrom(to, site.Network.Bits())),
		fmt.Sprintf("route add default via %s", site.Gateway)); err != nil {
		return fmt.Errorf("give %s the address %v: %w", name, to, err)
	}
	p.Address = to
	p.command = l.spec.Command(l.Plan, p.Node).withDefaults(p.Node)
	return nil
}

// Callers is the namespace in which callers of a site live, for SIPp and baresip, and
// for sockets of one's own.
func (l *Lab) Callers(site string) (*netns.Namespace, error) {
	if _, err := l.Site(site); err != nil {
		return nil, err
	}
	return l.network.callers[site], nil
}

// Phone is the telephone of a site, for any number of calls. It is the lab's: Close
// closes it.
func (l *Lab) Phone(site string) (*caller.Phone, error) {
	s, err := l.Site(site)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if p := l.phones[site]; p != nil {
		return p, nil
	}
	p, err := caller.Open(caller.Options{Listen: l.network.callers[site].ListenUDP, Address: s.Callers, Log: l.spec.Log})
	if err != nil {
		return nil, err
	}
	l.phones[site] = p
	for _, t := range l.tones {
		p.ListenFor(t)
	}
	return p, nil
}

// ListenFor adds a tone, in Hz, to those that the phones of all sites listen for.
func (l *Lab) ListenFor(tone int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tones = append(l.tones, tone)
	for _, p := range l.phones {
		p.ListenFor(tone)
	}
}

// Run runs a program to its end where the callers of a site live, and returns what it
// wrote. It is killed when ctx ends.
func (l *Lab) Run(ctx context.Context, site string, c Command) (string, error) {
	namespace, err := l.Callers(site)
	if err != nil {
		return "", err
	}
	cmd := c.build()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := namespace.Start(cmd); err != nil {
		return "", fmt.Errorf("run %s at %s: %w", c.Path, site, err)
	}
	release := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() }) // it may just have ended
	defer release()
	if err := cmd.Wait(); err != nil {
		return out.String(), fmt.Errorf("run %s at %s: %w\n%s", c.Path, site, err, out.String())
	}
	return out.String(), nil
}
