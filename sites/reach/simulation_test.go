package reach

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

const interval = 500 * time.Millisecond

var epoch = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

// simulation probes one site over a path that the test makes up. Packets are lost for
// good: a real probe over TCP, which repeats them, fails less often.
type simulation struct {
	t       *testing.T
	machine *Machine
	rng     *rand.Rand
	nodes   []string
	now     time.Time
	queue   arrivals
	wake    time.Time // when the machine wants a Tick; zero: never
	changes []seen
	asked   int

	// lost tells whether a packet to the node, or back from it, is lost.
	lost  func(at time.Duration, node string, forth bool) bool
	delay time.Duration // one way
	// others is what a third site answers; nil: there is none.
	others func(at time.Duration) (up bool)
}

// seen is a change with its time since the start.
type seen struct {
	at time.Duration
	Change
}

func simulate(t *testing.T, nodes ...string) *simulation {
	s := &simulation{t: t, machine: New(DefaultConfig()), rng: rand.New(rand.NewPCG(1, 2)), nodes: nodes,
		now: epoch, delay: 10 * time.Millisecond,
		lost: func(time.Duration, string, bool) bool { return false }}
	s.step(Watching{Site: "B", Nodes: nodes, Size: len(nodes)})
	return s
}

func (s *simulation) at() time.Duration { return s.now.Sub(epoch) }

func (s *simulation) step(e Event) {
	out := s.machine.Step(s.now, e)
	for _, c := range out.Changes {
		s.changes = append(s.changes, seen{s.at(), c})
	}
	for range out.Ask {
		s.asked++
		if s.others != nil {
			s.later(4*s.delay, Testimony{"B", "C", s.others(s.at())})
		}
	}
	s.wake = out.Wake
}

// run goes on to the time since the start, probing every node at every interval.
func (s *simulation) run(until time.Duration) {
	for ; s.at() < until; s.advance(interval) {
		for _, node := range s.nodes {
			forth, back := s.lost(s.at(), node, true), s.lost(s.at()+s.delay, node, false)
			result := Probed{Site: "B", Node: node, Sent: s.now, RTT: 2 * s.delay}
			wait := 2 * s.delay
			if timeout := DefaultConfig().Timeout; forth || back || wait > timeout {
				result.RTT, result.Failure, wait = 0, "no answer in 750ms", timeout
			}
			s.later(wait, result)
		}
	}
}

func (s *simulation) later(d time.Duration, e Event) { heap.Push(&s.queue, arrival{s.now.Add(d), e}) }

// advance takes the events of the next while, in order.
func (s *simulation) advance(d time.Duration) {
	end := s.now.Add(d)
	for {
		next := arrival{end, nil}
		if len(s.queue) > 0 && s.queue[0].at.Before(end) {
			next = s.queue[0]
		}
		switch wake := s.wake; {
		case !wake.IsZero() && wake.Before(next.at):
			s.now = latest(s.now, wake)
			s.step(Tick{})
		case next.event != nil:
			heap.Pop(&s.queue)
			s.now = next.at
			s.step(next.event)
		default:
			s.now = end
			return
		}
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// verdicts are the changes so far, one word each.
func (s *simulation) verdicts() []Verdict {
	var list []Verdict
	for _, c := range s.changes {
		list = append(list, c.To)
	}
	return list
}

func (s *simulation) wantVerdicts(want ...Verdict) {
	s.t.Helper()
	if got := s.verdicts(); !slices.Equal(got, want) {
		s.t.Errorf("verdicts %v, want %v\n%s", got, want, s.log())
	}
}

// wantChange wants the first change to the verdict after a time to come within bounds.
func (s *simulation) wantChange(to Verdict, after, least, most time.Duration) {
	s.t.Helper()
	for _, c := range s.changes {
		if c.at < after || c.To != to {
			continue
		}
		if took := c.at - after; took < least || took > most {
			s.t.Errorf("%s after %s, want %s to %s\n%s", to, took, least, most, s.log())
		}
		return
	}
	s.t.Errorf("never %s\n%s", to, s.log())
}

func (s *simulation) log() string {
	text := ""
	for _, c := range s.changes {
		text += fmt.Sprintf("%s: %s → %s: %s\n", c.at, c.From, c.To, c.Why)
	}
	return text
}

// between loses all packets in a span of time.
func between(from, to time.Duration) func(time.Duration, string, bool) bool {
	return func(at time.Duration, _ string, _ bool) bool { return at >= from && at < to }
}

type arrival struct {
	at    time.Time
	event Event
}

type arrivals []arrival

func (q arrivals) Len() int           { return len(q) }
func (q arrivals) Less(i, j int) bool { return q[i].at.Before(q[j].at) }
func (q arrivals) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *arrivals) Push(x any)        { *q = append(*q, x.(arrival)) }
func (q *arrivals) Pop() any {
	old := *q
	last := old[len(old)-1]
	*q = old[:len(old)-1]
	return last
}
