package reach

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestRules lets anything happen in any order and checks what must always hold (MS3,
// MS12). What it knows of the past it keeps by itself.
func TestRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := DefaultConfig()
		m, twin := New(c), New(c)
		now := epoch
		rules := rules{t: t, config: c, failures: map[string]int{}}
		nodes := []string{"b1", "b2", "b3"}[:rapid.IntRange(1, 3).Draw(t, "nodes")]
		script := []Event{Watching{"B", nodes, len(nodes)}}
		step := func(e Event) {
			out := m.Step(now, e)
			if again := twin.Step(now, e); !reflect.DeepEqual(out, again) {
				t.Fatalf("the same events had two effects: %v and %v", out, again)
			}
			rules.check(now, e, out)
			script = append(script, e)
		}
		step(script[0])
		for range rapid.IntRange(50, 400).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 1500).Draw(t, "ms")) * time.Millisecond)
			step(anything(t, nodes, now))
		}
		// Whatever happened, a site that answers is trusted in the end, one that does not
		// is Down.
		step(Forced{"B", Auto})
		last := rapid.Bool().Draw(t, "answers in the end")
		for range int((c.MaxHold + 10*time.Second) / interval) {
			now = now.Add(interval)
			for _, n := range nodes {
				step(probe(n, now, last))
			}
			step(Tick{})
		}
		if want := map[bool]Verdict{true: Up, false: Down}[last]; m.Verdict("B") != want {
			st, _ := m.Status(now, "B")
			t.Fatalf("%s in the end, want %s: %+v", m.Verdict("B"), want, st)
		}
	})
}

func anything(t *rapid.T, nodes []string, now time.Time) Event {
	switch rapid.IntRange(0, 12).Draw(t, "kind") {
	case 0:
		return Gossip{"B", rapid.IntRange(0, 3).Draw(t, "alive"), 3}
	case 1:
		return Testimony{"B", rapid.SampledFrom([]string{"C", "D"}).Draw(t, "witness"), rapid.Bool().Draw(t, "up")}
	case 2:
		return Forced{"B", Mode(rapid.IntRange(0, 2).Draw(t, "mode"))}
	case 3:
		return Tick{}
	case 4:
		return Probed{Site: "unheard of", Node: "x", Sent: now}
	default:
		return probe(rapid.SampledFrom(nodes).Draw(t, "node"), now, rapid.IntRange(0, 9).Draw(t, "luck") == 0)
	}
}

func probe(node string, now time.Time, answered bool) Probed {
	if answered {
		return Probed{Site: "B", Node: node, Sent: now.Add(-20 * time.Millisecond), RTT: 20 * time.Millisecond}
	}
	return Probed{Site: "B", Node: node, Sent: now.Add(-750 * time.Millisecond), Failure: "no answer"}
}

// rules are the ones that always hold.
type rules struct {
	t        *rapid.T
	config   Config
	failures map[string]int // in a row, by node
	mode     Mode
	verdict  Verdict
	down     time.Time // when the probes were last seen to say Down
}

func (r *rules) check(now time.Time, e Event, out Effects) {
	switch e := e.(type) {
	case Forced:
		r.mode = e.Mode
	case Watching:
		for _, n := range e.Nodes {
			r.failures[n] = 0
		}
	case Probed:
		if _, known := r.failures[e.Node]; !known {
			break
		}
		r.failures[e.Node]++
		if e.Failure == "" {
			r.failures[e.Node] = 0
		}
	}
	for _, c := range out.Changes {
		if c.From != r.verdict || c.From == c.To || c.Why == "" {
			r.t.Fatalf("after %s came %+v", r.verdict, c)
		}
		r.verdict = c.To
		if _, byOperator := e.(Forced); r.mode == Auto && !byOperator {
			r.checkChange(now, c)
		}
	}
	if want := map[Mode]Verdict{ForceUp: Up, ForceDown: Down}[r.mode]; r.mode != Auto && r.verdict != want {
		r.t.Fatalf("%s although forced %s", r.verdict, r.mode)
	}
	if r.verdict == Down && r.mode == Auto {
		r.down = now
	}
}

func (r *rules) checkChange(now time.Time, c Change) {
	silent, least := 0, 1<<30
	for _, n := range r.failures {
		least = min(least, n)
		if n >= r.config.Failures {
			silent++
		}
	}
	switch {
	case c.To == Down && least < r.config.Doubts:
		r.t.Fatalf("Down, and a node answers: %v", r.failures)
	case c.To == Down && c.From != Returning && silent < min(2, len(r.failures)):
		r.t.Fatalf("Down on too little: %v", r.failures)
	case c.To == Up && c.From == Down:
		r.t.Fatalf("trusted at once: %v", c)
	case c.To == Up && c.From == Returning && now.Sub(r.down) < r.config.Hold:
		r.t.Fatalf("trusted after %s", now.Sub(r.down))
	}
}

func ExampleMachine_Status() {
	m := New(DefaultConfig())
	now := time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)
	show := func() {
		st, _ := m.Status(now, "paris")
		fmt.Printf("%s: %s\n", st.Verdict, st.Why)
	}
	probe := func(failure string) {
		now = now.Add(500 * time.Millisecond)
		for _, node := range []string{"p1", "p2"} {
			m.Step(now, Probed{Site: "paris", Node: node, Sent: now.Add(-9 * time.Millisecond), Failure: failure})
		}
	}
	m.Step(now, Watching{Site: "paris", Nodes: []string{"p1", "p2"}, Size: 3})
	show()
	probe("")
	show()
	for range 4 {
		probe("connection refused")
	}
	m.Step(now, Testimony{Site: "paris", Witness: "tokyo", Up: true})
	show()
	for range 5 {
		probe("")
	}
	show()
	// Output:
	// unknown: no probe has ended yet
	// up: 2 of 2 probed nodes answering
	// down: p1: 4 failures in a row, last answer 2s ago (connection refused), p2: 4 failures in a row, last answer 2s ago (connection refused); tokyo can reach it: the path from here is cut, not the site down
	// returning: 2 of 2 probed nodes answering for 2s, trusted in 13s; tokyo can reach it: the path from here is cut, not the site down
}
