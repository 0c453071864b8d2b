package probe

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/jonboulle/clockwork"

	"github.com/conclave-voice/conclave/sites/reach"
)

// Run probes until the context ends. It is called once. When it returns, nothing that
// it began is under way.
func (p *Prober) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	r := &running{prober: p, ctx: ctx, clock: p.config.Clock, outcomes: make(chan outcome),
		underWay: map[string]int{}, sites: map[string][]Target{}, wake: p.config.Clock.NewTimer(p.config.Interval)}
	defer r.begun.Wait()
	defer cancel()
	defer r.wake.Stop()
	ticker := p.config.Clock.NewTicker(p.config.Interval)
	defer ticker.Stop()
	r.round()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.Chan():
			r.round()
		case <-r.wake.Chan():
			r.step(reach.Tick{})
		case o := <-r.outcomes:
			if o.event != nil {
				r.step(o.event)
				continue
			}
			r.underWay[o.ended]--
			if r.underWay[o.ended] == 0 {
				delete(r.underWay, o.ended)
			}
		}
	}
}

// running is the state of Run, owned by its goroutine.
type running struct {
	prober   *Prober
	ctx      context.Context // ends with Run
	clock    clockwork.Clock
	wake     clockwork.Timer
	sites    map[string][]Target // as of the last round
	underWay map[string]int      // pings by node, questions by site
	begun    sync.WaitGroup
	outcomes chan outcome // those who send wait, unless Run has ended
}

// outcome is what a ping or a question has learnt, or that it has ended.
type outcome struct {
	event reach.Event
	ended string
}

// round takes the members as they are now and pings the chosen ones.
func (r *running) round() {
	before := r.sites
	r.sites = r.group(r.prober.config.Members())
	for site := range before {
		if r.sites[site] == nil {
			r.step(reach.Watching{Site: site})
		}
	}
	for site, targets := range r.sites {
		chosen := choose(targets, r.prober.status(site), r.prober.config.Reach.Failures)
		watching := reach.Watching{Site: site, Size: len(targets)}
		hint := reach.Gossip{Site: site, Known: len(targets)}
		for _, t := range chosen {
			watching.Nodes = append(watching.Nodes, t.Node)
		}
		for _, t := range targets {
			if t.Alive {
				hint.Alive++
			}
		}
		r.step(watching)
		r.step(hint)
		for _, t := range chosen {
			r.ping(t)
		}
	}
	r.step(reach.Tick{})
}

// group gives the targets of other sites that can be pinged, by site.
func (r *running) group(members []Target) map[string][]Target {
	sites := map[string][]Target{}
	for _, t := range members {
		if t.Site != r.prober.config.Site && t.Addr != "" {
			sites[t.Site] = append(sites[t.Site], t)
		}
	}
	return sites
}

func (r *running) step(e reach.Event) {
	out := r.prober.step(e)
	for _, site := range out.Ask {
		r.ask(site)
	}
	if !out.Wake.IsZero() {
		r.wake.Reset(max(out.Wake.Sub(r.clock.Now()), time.Millisecond))
	}
}

// errSlow is the failure of a ping whose answer is not there in time. It may come yet.
var errSlow = errors.New("no answer in time")

// ping begins one, unless too many of the node still wait. When the time-out is over it has
// failed; an answer that comes later all the same is told too: the site can be reached, and it
// is the machines or the path that are slow.
func (r *running) ping(t Target) {
	config := r.prober.config
	r.begin("ping "+t.Site+"/"+t.Node, pingsPerNode, time.Duration(lateness)*config.Reach.Timeout, func(ctx context.Context, tell func(reach.Event)) {
		sent := r.clock.Now()
		result := func(err error) reach.Probed {
			if err != nil {
				return reach.Probed{Site: t.Site, Node: t.Node, Sent: sent, Failure: err.Error()}
			}
			return reach.Probed{Site: t.Site, Node: t.Node, Sent: sent, RTT: r.clock.Since(sent)}
		}
		answer := make(chan error, 1)
		r.begun.Go(func() { answer <- config.Ping(ctx, t) })
		timeout := r.clock.NewTimer(config.Reach.Timeout)
		defer timeout.Stop()
		select {
		case err := <-answer:
			tell(result(err))
			return
		case <-timeout.Chan():
			tell(result(errSlow))
		}
		if <-answer == nil {
			tell(result(nil))
		}
	})
}

// ask asks one node each of a few other sites that answer.
func (r *running) ask(about string) {
	config := r.prober.config
	if config.ThirdParty == nil {
		return
	}
	for site := range r.sites {
		if site == about || !r.prober.Verdict(site).Usable() {
			continue
		}
		via, found := r.answering(site)
		if !found {
			continue
		}
		r.begin("ask about "+about, questionsEach, config.Reach.AskEvery, func(ctx context.Context, tell func(reach.Event)) {
			up, err := config.ThirdParty(ctx, via, about)
			if err != nil {
				r.prober.logger.Debug("a site did not say what it thinks of another", "asked", via.Site,
					"about", about, "error", err)
				return
			}
			tell(reach.Testimony{Site: about, Witness: via.Site, Up: up})
		})
	}
}

// answering gives a node of the site that answered its last ping.
func (r *running) answering(site string) (Target, bool) {
	for _, n := range r.prober.status(site).Nodes {
		if n.Failures > 0 || n.Answered.IsZero() {
			continue
		}
		for _, t := range r.sites[site] {
			if t.Node == n.Node {
				return t, true
			}
		}
	}
	return Target{}, false
}

// begin does something in a goroutine of its own for at most the time, unless as many
// of the same are under way. It tells what it learns.
func (r *running) begin(what string, most int, timeout time.Duration, do func(ctx context.Context, tell func(reach.Event))) {
	if r.underWay[what] >= most {
		return
	}
	r.underWay[what]++
	r.begun.Go(func() {
		ctx, cancel := clockwork.WithTimeout(r.ctx, r.clock, timeout)
		defer cancel()
		send := func(o outcome) {
			select {
			case r.outcomes <- o:
			case <-r.ctx.Done():
			}
		}
		do(ctx, func(e reach.Event) { send(outcome{event: e}) })
		send(outcome{ended: what})
	})
}
