package probe

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/jonboulle/clockwork"

	"github.com/conclave-voice/conclave/cluster/gossip/watch"
	"github.com/conclave-voice/conclave/sites/reach"
)

// Target is a node that can be pinged.
type Target struct {
	Site, Node string
	Addr       string // host:port of its RPC; empty: it cannot be pinged
	Alive      bool   // by gossip
}

// Config is what a Prober needs.
type Config struct {
	Site string // this node's own, which is not probed
	// Members are the nodes known now, dead ones too; without those that have left.
	Members func() []Target
	// Ping asks the node for an answer over the path that calls depend on. It returns
	// soon after the context ends.
	Ping func(context.Context, Target) error
	// ThirdParty asks a node of another site whether it holds the site for reachable,
	// by its own probes. It returns soon after the context ends. Nil: nobody is asked.
	ThirdParty func(ctx context.Context, via Target, site string) (up bool, err error)
	// Interval between pings of one node; 0: 500 ms.
	Interval time.Duration
	Reach    reach.Config // zero: reach.DefaultConfig
	Clock    clockwork.Clock
	Logger   hclog.Logger
}

func (c Config) validate() error {
	var errs []error
	if c.Site == "" {
		errs = append(errs, errors.New("no name of this node's site"))
	}
	if c.Members == nil || c.Ping == nil || c.Clock == nil || c.Logger == nil {
		errs = append(errs, errors.New("want members, ping, clock and logger"))
	}
	if c.Interval <= 0 {
		errs = append(errs, fmt.Errorf("interval %s: want more than 0", c.Interval))
	}
	return errors.Join(append(errs, c.Reach.Validate())...)
}

// Prober probes the other sites and has the verdicts. Its methods are safe for
// concurrent use.
type Prober struct {
	config  Config
	logger  hclog.Logger
	changed watch.Set

	mu      sync.Mutex
	machine *reach.Machine
}

// New makes a prober that has no verdict yet.
func New(c Config) (*Prober, error) {
	if c.Interval == 0 {
		c.Interval = 500 * time.Millisecond
	}
	if c.Reach == (reach.Config{}) {
		c.Reach = reach.DefaultConfig()
	}
	if err := c.validate(); err != nil {
		return nil, fmt.Errorf("probing other sites: %w", err)
	}
	return &Prober{config: c, logger: c.Logger.Named("reach"), machine: reach.New(c.Reach)}, nil
}

// Verdict is what this node thinks of a site; its own is Up.
func (p *Prober) Verdict(site string) reach.Verdict {
	if site == p.config.Site {
		return reach.Up
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.machine.Verdict(site)
}

// Cut tells whether a site is down by the probes and by the verdict: what runs through
// it is lost, or heard in one direction only. One that the operator takes out of use, and
// that answers, is not.
func (p *Prober) Cut(site string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.machine.Own(site) == reach.Down && p.machine.Verdict(site) == reach.Down
}

// All explains the verdicts on all other sites, by name.
func (p *Prober) All() []reach.Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.machine.All(p.config.Clock.Now())
}

// Force takes the operator's word on a site, until it is Auto again or the node ends.
// A site that is not known yet may be forced too.
func (p *Prober) Force(site string, mode reach.Mode) error {
	if site == "" || site == p.config.Site {
		return fmt.Errorf("force site %q: name another site; this node's own is %s", site, p.config.Site)
	}
	if mode > reach.ForceDown {
		return fmt.Errorf("force site %s: %s is none of auto, up and down", site, mode)
	}
	p.logger.Info("the operator decides on a site", "site", site, "mode", mode)
	p.step(reach.Forced{Site: site, Mode: mode})
	return nil
}

// Watch signals, until the context ends, that a verdict has changed. Signals melt
// together; the last change is never missed. The channel is not closed.
func (p *Prober) Watch(ctx context.Context) <-chan struct{} { return p.changed.Watch(ctx) }

// step lets the machine take an event, and tells of changes.
func (p *Prober) step(e reach.Event) reach.Effects {
	p.mu.Lock()
	out := p.machine.Step(p.config.Clock.Now(), e)
	p.mu.Unlock()
	for _, c := range out.Changes {
		level := hclog.Info
		if c.To == reach.Down {
			level = hclog.Warn
		}
		p.logger.Log(level, "a site's verdict has changed", "site", c.Site, "was", c.From, "is", c.To,
			"why", c.Why)
	}
	if len(out.Changes) > 0 {
		p.changed.Signal()
	}
	return out
}

// status explains the verdict on a site; the zero Status for one not known.
func (p *Prober) status(site string) reach.Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	st, _ := p.machine.Status(p.config.Clock.Now(), site)
	return st
}
