package probe

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/jonboulle/clockwork"
	"go.uber.org/goleak"

	"github.com/conclave-voice/conclave/sites/reach"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const delay = 20 * time.Millisecond // one way

// network is a few sites in memory, whose paths can be cut. A cut swallows packets; a
// node that is off refuses at once.
type network struct {
	t       *testing.T
	mu      sync.Mutex
	nodes   []Target
	cut     map[[2]string]bool // packets from the first to the second are lost
	off     map[string]bool    // nodes
	slow    time.Duration      // more, one way
	pings   map[string]int     // under way, by node
	most    int                // of them at once
	probers map[string]*Prober // by site
}

// newNetwork has nodes called "site" + number, a node per name.
func newNetwork(t *testing.T, nodes ...string) *network {
	n := &network{t: t, cut: map[[2]string]bool{}, off: map[string]bool{}, pings: map[string]int{},
		probers: map[string]*Prober{}}
	for _, node := range nodes {
		n.nodes = append(n.nodes, Target{Site: node[:1], Node: node, Addr: node + ":1", Alive: true})
	}
	return n
}

// run starts a prober in each of the sites and returns what stops them all.
func (n *network) run(sites ...string) (stop func()) {
	ctx, cancel := context.WithCancel(n.t.Context())
	var running sync.WaitGroup
	for _, site := range sites {
		p, err := New(Config{Site: site, Members: n.members, Clock: clockwork.NewRealClock(),
			Logger: hclog.NewNullLogger(),
			Ping:   func(ctx context.Context, t Target) error { return n.ping(ctx, site, t) },
			ThirdParty: func(ctx context.Context, via Target, about string) (bool, error) {
				if err := n.ping(ctx, site, via); err != nil {
					return false, err
				}
				return n.prober(via.Site).Verdict(about) == reach.Up, nil
			}})
		if err != nil {
			n.t.Fatal(err)
		}
		n.mu.Lock()
		n.probers[site] = p
		n.mu.Unlock()
		running.Go(func() {
			if err := p.Run(ctx); err != nil {
				n.t.Errorf("run: %v", err)
			}
		})
	}
	return func() {
		cancel()
		running.Wait()
	}
}

func (n *network) prober(site string) *Prober {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.probers[site]
}

func (n *network) members() []Target {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.nodes)
}

func (n *network) change(f func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	f()
}

func (n *network) ping(ctx context.Context, from string, t Target) error {
	n.count(t.Node, 1)
	defer n.count(t.Node, -1)
	for _, way := range [][2]string{{from, t.Site}, {t.Site, from}} {
		n.mu.Lock()
		lost, off, slow := n.cut[way], n.off[t.Node], n.slow
		n.mu.Unlock()
		if off {
			return errors.New("connection refused")
		}
		wait := delay + slow
		if lost {
			wait = time.Hour
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
	return nil
}

func (n *network) count(node string, d int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.pings[node] += d
	n.most = max(n.most, n.pings[node])
}

// status is a site's view of another.
func (n *network) status(of, about string) reach.Status {
	for _, st := range n.prober(of).All() {
		if st.Site == about {
			return st
		}
	}
	return reach.Status{}
}

// want wants a site's verdict to become so between two times from now.
func (n *network) want(of, about string, v reach.Verdict, least, most time.Duration) {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(n.t.Context(), most)
	defer cancel()
	start, changed := time.Now(), n.prober(of).Watch(ctx)
	for n.prober(of).Verdict(about) != v {
		select {
		case <-changed:
		case <-ctx.Done():
			n.t.Fatalf("%s thinks %s is not %s after %s: %+v", of, about, v, most, n.status(of, about))
		}
	}
	if took := time.Since(start); took < least {
		n.t.Errorf("%s thinks %s is %s after %s, want %s at least", of, about, v, took, least)
	}
}

// keeps wants a site's verdict to stay so.
func (n *network) keeps(of, about string, v reach.Verdict, d time.Duration) {
	n.t.Helper()
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if got := n.prober(of).Verdict(about); got != v {
			n.t.Fatalf("%s thinks %s is %s: %+v", of, about, got, n.status(of, about))
		}
	}
}

func (n *network) wantWhy(of, about, part string) {
	n.t.Helper()
	if st := n.status(of, about); !strings.Contains(st.Why, part) {
		n.t.Errorf("%s thinks of %s: %q, want %q in it", of, about, st.Why, part)
	}
}
