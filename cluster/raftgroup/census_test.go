package raftgroup

import (
	"fmt"
	"testing"
	"time"

	"github.com/hashicorp/raft"

	"github.com/conclave-voice/conclave/cluster/registry"
)

// SPEC MS3, MS8: who counts as gone, and when.
func TestRollCall(t *testing.T) {
	const gone = time.Second
	start := time.Unix(1000, 0)
	member := func(node string, incarnation uint64) Member {
		return Member{Node: node, Incarnation: incarnation, Disk: "1"}
	}
	known := func(m Member) registry.Node { return registry.Node{Instance: m.instance()} }
	server := func(node string) raft.Server { return raft.Server{ID: serverID(node, "1")} }
	a, b, later := member("a", 1), member("b", 1), member("b", 2)
	left := known(b)
	left.Gone, left.Left = true, true
	falseAlarm := known(b)
	falseAlarm.Gone = true
	older := known(later)

	for _, c := range []struct {
		name       string
		nodes      []registry.Node
		live       []Member
		unanswered []string
		after      time.Duration
		want       string
	}{
		{"all is known", []registry.Node{known(a), known(b)}, []Member{a, b}, nil, time.Hour, "[]"},
		{"a node that is new", []registry.Node{known(a)}, []Member{a, b}, nil, 0, "[up b 1]"},
		{"a later run", []registry.Node{known(a), known(b)}, []Member{a, later}, nil, 0, "[up b 2]"},
		{"old gossip of an earlier run", []registry.Node{known(a), older}, []Member{a, b}, nil, 0, "[]"},
		{"a false alarm", []registry.Node{known(a), falseAlarm}, []Member{a, b}, nil, 0, "[up b 1]"},
		{"one that left lingers in gossip", []registry.Node{known(a), left}, []Member{a, b}, nil, time.Hour, "[]"},
		{"missing, but not for long", []registry.Node{known(a), known(b)}, []Member{a}, []string{"b"}, gone - 1, "[]"},
		{"missing for long enough", []registry.Node{known(a), known(b)}, []Member{a}, []string{"b"}, gone, "[gone b 1]"},
		{"missing, but Raft reaches it", []registry.Node{known(a), known(b)}, []Member{a}, nil, gone, "[]"},
		{"even so, some time", []registry.Node{known(a), known(b)}, []Member{a}, nil, raftKnowsBetter * gone, "[gone b 1]"},
	} {
		live := map[raft.ServerID]Member{}
		for _, m := range c.live {
			live[m.server()] = m
		}
		unanswered := map[raft.ServerID]bool{}
		for _, node := range c.unanswered {
			unanswered[serverID(node, "1")] = true
		}
		servers := []raft.Server{server("a"), server("b")}
		census := newCensus()
		census.update(start, live, servers, c.nodes)
		now := start.Add(c.after)
		census.update(now, live, servers, c.nodes)
		got := []string{}
		for _, op := range census.rollCall(now, gone, live, servers, c.nodes, unanswered) {
			switch op := op.(type) {
			case registry.NodeUp:
				got = append(got, fmt.Sprintf("up %s %d", op.Node, op.Incarnation))
			case registry.NodeGone:
				got = append(got, fmt.Sprintf("gone %s %d", op.Node, op.Incarnation))
			}
		}
		if fmt.Sprint(got) != c.want {
			t.Errorf("%s: %v, want %s", c.name, got, c.want)
		}
	}
}

// A node that flaps is never stable and never dead.
func TestFlappingStartsTheClocksAnew(t *testing.T) {
	m := Member{Node: "a", Disk: "1"}
	there := map[raft.ServerID]Member{m.server(): m}
	servers := []raft.Server{{ID: m.server()}}
	c, now := newCensus(), time.Unix(1000, 0)
	for range 100 {
		c.update(now, there, servers, nil)
		now = now.Add(time.Second)
		c.update(now, nil, servers, nil)
		now = now.Add(time.Second)
		if c.liveFor(2*time.Second, now)[m.server()] || c.missingFor(2*time.Second, now)[m.server()] {
			t.Fatal("counted over an interruption")
		}
	}
}
