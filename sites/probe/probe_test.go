package probe

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	"github.com/hashicorp/go-hclog"
	"github.com/jonboulle/clockwork"

	"github.com/conclave-voice/conclave/sites/reach"
)

// The tests run in a synctest bubble: its clock is what all of them wait for.

// MS3: a dead site is known within 3 s, and found again by itself.
func TestADeadSiteIsKnownAndFoundAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, "a1", "b1", "b2")
		defer n.run("a")()
		n.want("a", "b", reach.Up, 0, time.Second)
		n.change(func() { n.off["b1"], n.off["b2"] = true, true })
		n.want("a", "b", reach.Down, time.Second, 3*time.Second)
		if !n.prober("a").Cut("b") || n.prober("a").Cut("a") {
			t.Error("a dead site does not count as cut, or the own one does")
		}
		n.change(func() { n.off["b1"], n.off["b2"] = false, false })
		n.want("a", "b", reach.Returning, 0, time.Second)
		n.want("a", "b", reach.Up, 14*time.Second, 17*time.Second)
	})
}

// MS3: machines or paths that are slow all at once, by up to two seconds, are not down; and when
// they die of it, that is known as soon as ever.
func TestASlowSiteIsNotDown(t *testing.T) {
	for _, slow := range []time.Duration{500 * time.Millisecond, 900 * time.Millisecond} { // one way
		synctest.Test(t, func(t *testing.T) {
			n := newNetwork(t, "a1", "b1", "b2")
			defer n.run("a")()
			n.want("a", "b", reach.Up, 0, time.Second)
			n.change(func() { n.slow = slow })
			for range 600 {
				if v := n.prober("a").Verdict("b"); !v.Usable() {
					t.Fatalf("%s with a round trip of %v", v, 2*slow)
				}
				time.Sleep(100 * time.Millisecond)
			}
			n.change(func() { n.cut[[2]string{"a", "b"}] = true })
			n.want("a", "b", reach.Down, time.Second, 2*slow+3*time.Second)
		})
	}
}

// MS12: with A-B cut, in one direction or both, A and B lose each other, nobody loses C,
// and both learn that C reaches the other.
func TestACutBetweenTwoOfThreeSites(t *testing.T) {
	for name, cuts := range map[string][][2]string{
		"both ways": {{"a", "b"}, {"b", "a"}},
		"one way":   {{"a", "b"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork(t, "a1", "a2", "b1", "b2", "c1")
				defer n.run("a", "b", "c")()
				n.want("a", "b", reach.Up, 0, time.Second)
				n.want("b", "a", reach.Up, 0, time.Second)
				n.want("b", "c", reach.Up, 0, time.Second)
				n.change(func() {
					for _, c := range cuts {
						n.cut[c] = true
					}
				})
				n.want("a", "b", reach.Down, 2*time.Second, 3*time.Second)
				n.want("b", "a", reach.Down, 0, time.Second)
				n.keeps("a", "b", reach.Down, time.Minute)
				n.wantWhy("a", "b", "c can reach it: the path from here is cut")
				n.wantWhy("b", "a", "c can reach it: the path from here is cut")
				for _, pair := range [][2]string{{"a", "c"}, {"b", "c"}, {"c", "a"}, {"c", "b"}} {
					if v := n.prober(pair[0]).Verdict(pair[1]); v != reach.Up {
						t.Errorf("%s thinks %s is %s", pair[0], pair[1], v)
					}
				}
			})
		})
	}
}

// MS12: one node that answers is the site, however large, whichever it is.
func TestTheLastNodeThatAnswersIsFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nodes := []string{"b0", "b1", "b2", "b3", "b4", "b5", "b6", "b7", "b8", "b9"}
		n := newNetwork(t, append(nodes, "a1")...)
		defer n.run("a")()
		n.want("a", "b", reach.Up, 0, time.Second)
		n.change(func() {
			for _, node := range nodes[:9] {
				n.off[node] = true
			}
		})
		// Gossip does not know. Five nodes are tried before the verdict, the others after
		// it, so that the site may have been given up meanwhile.
		time.Sleep(2 * time.Minute)
		if st := n.status("a", "b"); st.Verdict != reach.Up {
			t.Errorf("%+v", st)
		}
	})
}

// Gossip knows which nodes are left before the pings do.
func TestLivingNodesAreTriedFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, "a1", "b0", "b1", "b2", "b3", "b4", "b5", "b6", "b7", "b8", "b9")
		defer n.run("a")()
		n.want("a", "b", reach.Up, 0, time.Second)
		n.change(func() {
			for i := range n.nodes {
				if dead := n.nodes[i].Site == "b" && n.nodes[i].Node != "b9"; dead {
					n.nodes[i].Alive = false
					n.off[n.nodes[i].Node] = true
				}
			}
		})
		n.keeps("a", "b", reach.Up, time.Minute)
	})
}

func TestASiteThatLeavesIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, "a1", "b1")
		defer n.run("a")()
		n.want("a", "b", reach.Up, 0, time.Second)
		n.change(func() { n.nodes = n.nodes[:1] })
		n.want("a", "b", reach.Unknown, 0, time.Second)
	})
}

// SPEC MS12: the operator's word holds whatever the probes find.
func TestTheOperatorForcesAVerdict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, "a1", "b1", "b2")
		defer n.run("a")()
		n.want("a", "b", reach.Up, 0, time.Second)
		p := n.prober("a")
		if err := p.Force("b", reach.ForceDown); err != nil {
			t.Fatal(err)
		}
		n.keeps("a", "b", reach.Down, time.Minute)
		if p.Cut("b") {
			t.Error("what the operator does not use counts as cut")
		}
		if err := p.Force("b", reach.Auto); err != nil {
			t.Fatal(err)
		}
		n.want("a", "b", reach.Up, 0, 0)
		for _, site := range []string{"", "a"} {
			if p.Force(site, reach.ForceDown) == nil {
				t.Errorf("site %q could be forced", site)
			}
		}
		if v := p.Verdict("a"); v != reach.Up {
			t.Errorf("the own site is %s", v)
		}
	})
}

func TestPingsOfADeafNodeAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, "a1", "b1", "b2")
		n.cut[[2]string{"a", "b"}] = true
		stop := n.run("a")
		time.Sleep(time.Minute)
		stop() // waits for what is under way
		n.mu.Lock()
		defer n.mu.Unlock()
		if n.most > pingsPerNode || n.pings["b1"]+n.pings["b2"] != 0 {
			t.Errorf("%d pings of a node at once; %v after the end", n.most, n.pings)
		}
	})
}

// A ping that does not end in time must not pile up.
func TestSlowPingsDoNotPileUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var under, most atomic.Int32
		p, err := New(Config{Site: "a", Clock: clockwork.NewRealClock(), Logger: hclog.NewNullLogger(),
			Members: func() []Target { return []Target{{Site: "b", Node: "b1", Addr: "b1:1"}} },
			Ping: func(ctx context.Context, _ Target) error {
				most.Store(max(most.Load(), under.Add(1)))
				defer under.Add(-1)
				<-ctx.Done()
				time.Sleep(5 * time.Second)
				return ctx.Err()
			}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := p.Run(ctx); err != nil {
			t.Error(err)
		}
		if most.Load() != pingsPerNode || under.Load() != 0 {
			t.Errorf("%d at once, %d after the end", most.Load(), under.Load())
		}
	})
}

func TestWhomToPing(t *testing.T) {
	answers := func(n string) reach.NodeStatus { return reach.NodeStatus{Node: n, Answered: time.Unix(1, 0)} }
	fails := func(n string, times int) reach.NodeStatus { return reach.NodeStatus{Node: n, Failures: times} }
	for name, test := range map[string]struct {
		known     string // the living in capitals
		own       reach.Verdict
		nodes     []reach.NodeStatus
		want      string // come first, in any order; the rest is chance
		wantCount int
	}{
		"at first two":                     {"ABCDEF", reach.Unknown, nil, "", 2},
		"at first the living":              {"abcD", reach.Unknown, nil, "D", 2},
		"two that answer are enough":       {"ABCDEF", reach.Up, []reach.NodeStatus{answers("E"), answers("F")}, "", 2},
		"one that fails calls for more":    {"ABCDEF", reach.Up, []reach.NodeStatus{answers("E"), fails("F", 1)}, "EF", 5},
		"the living come first":            {"abcdEf", reach.Up, []reach.NodeStatus{fails("a", 3), fails("b", 2)}, "abE", 5},
		"the given up make room":           {"abcdeF", reach.Down, []reach.NodeStatus{fails("a", 9), fails("b", 8), fails("c", 4), fails("d", 4), fails("e", 4)}, "abF", 5},
		"what has not failed enough stays": {"abcdEF", reach.Down, []reach.NodeStatus{fails("a", 9), fails("b", 8), fails("c", 3), fails("d", 4)}, "abc", 5},
		"there are no more":                {"a", reach.Down, []reach.NodeStatus{fails("a", 9)}, "a", 1},
	} {
		var targets []Target
		for _, n := range test.known {
			targets = append(targets, Target{Site: "b", Node: string(n), Alive: unicode.IsUpper(n)})
		}
		for range 20 { // whatever chance does
			var got []string
			for _, target := range choose(targets, reach.Status{Own: test.own, Nodes: test.nodes}, 4) {
				got = append(got, target.Node)
			}
			want := strings.Split(test.want, "")
			if first := got[:len(want)]; len(got) != test.wantCount || !sameSet(first, want) {
				t.Errorf("%s: %q, want %d, first %q", name, got, test.wantCount, test.want)
				break
			}
		}
	}
}

func sameSet(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

func TestConfigIsChecked(t *testing.T) {
	good := Config{Site: "a", Members: func() []Target { return nil }, Clock: clockwork.NewFakeClock(),
		Ping: func(context.Context, Target) error { return nil }, Logger: hclog.NewNullLogger()}
	if _, err := New(good); err != nil {
		t.Errorf("refused: %v", err)
	}
	for name, spoil := range map[string]func(*Config){
		"no site":    func(c *Config) { c.Site = "" },
		"no members": func(c *Config) { c.Members = nil },
		"no clock":   func(c *Config) { c.Clock = nil },
		"interval":   func(c *Config) { c.Interval = -1 },
		"reach":      func(c *Config) { c.Reach.Failures = 1 },
	} {
		c := good
		spoil(&c)
		if _, err := New(c); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
