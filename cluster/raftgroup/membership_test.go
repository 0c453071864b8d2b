package raftgroup

import (
	"fmt"
	"slices"
	"testing"

	"github.com/hashicorp/raft"
	"pgregory.net/rapid"
)

// group writes a view in a few words: "A" is a live voter, "a" a live non-voter that
// is stable, "?" behind either a live one that is not yet stable, "!" one that is
// dead, "-" one that has just gone missing. The first is the leader.
func group(maxVoters int, words ...string) view {
	v := view{group: "g", maxVoters: maxVoters, live: map[raft.ServerID]Member{}, left: map[string]uint64{},
		stable: map[raft.ServerID]bool{}, dead: map[raft.ServerID]bool{}}
	for i, word := range words {
		m := Member{Node: string(word[0] | 0x20), Disk: "1", Incarnation: 1, Group: "g", Addr: "host:1"}
		s := raft.Server{ID: m.server(), Address: m.address(), Suffrage: raft.Nonvoter}
		if word[0] < 'a' {
			s.Suffrage = raft.Voter
		}
		v.servers = append(v.servers, s)
		if i == 0 {
			v.self = s.ID
		}
		switch word[1:] {
		case "":
			v.live[s.ID], v.stable[s.ID] = m, true
		case "?":
			v.live[s.ID] = m
		case "!":
			v.dead[s.ID] = true
		}
	}
	return v
}

func (v view) with(m Member) view {
	v.live[m.server()] = m
	return v
}

func (v view) leaving(node string) view {
	v.left[node] = 1
	return v
}

// SPEC MS15, MS14.
func TestDecide(t *testing.T) {
	fresh := Member{Node: "d", Disk: "1", Incarnation: 1, Fresh: true, Addr: "host:2"}
	foreign := Member{Node: "d", Disk: "1", Incarnation: 1, Group: "other", Addr: "host:2"}
	known := Member{Node: "d", Disk: "1", Incarnation: 9, Group: "g", Addr: "host:2"}
	newDisk := Member{Node: "b", Disk: "2", Incarnation: 2, Fresh: true, Addr: "host:1"}
	doubled := Member{Node: "b", Disk: "2", Incarnation: 0, Fresh: true, Addr: "host:2"}
	for _, c := range []struct {
		name string
		view view
		want string // action and node
	}{
		{"one node is content", group(3, "A"), ""},
		{"three voters are content", group(3, "A", "B", "C"), ""},
		{"a live node is added", group(3, "A").with(fresh), "add as non-voter d"},
		{"a node that was in the group is added", group(3, "A").with(known), "add as non-voter d"},
		{"a node of another group is not", group(3, "A").with(foreign), ""},
		{"a node that left is not", group(3, "A").with(fresh).leaving("d"), ""},
		{"a node that left comes again", group(3, "A").with(known).leaving("d"), "add as non-voter d"},

		{"two of two are no better than one of one", group(3, "A", "b"), ""},
		{"two can become three", group(3, "A", "b", "c"), "make a voter b"},
		{"the third follows", group(3, "A", "B", "c"), "make a voter c"},
		{"who is not stable waits", group(3, "A", "b?", "c?"), ""},
		{"the third is waited for", group(3, "A", "B", "c?"), ""},
		{"and while it is away", group(3, "A", "B", "c-"), ""},
		{"but not when it is dead", group(3, "A", "B", "c!"), "make a non-voter b"},
		{"five nodes, three voters", group(3, "A", "B", "C", "d", "e"), ""},
		{"five nodes, five voters", group(5, "A", "B", "C", "d", "e"), "make a voter d"},
		{"four nodes, three voters", group(5, "A", "B", "C", "d"), ""},
		{"the limit was lowered", group(3, "A", "B", "C", "D", "E"), "make a non-voter b"},
		{"the dead go first", group(3, "A", "B", "C", "D", "E!"), "make a non-voter e"},

		{"a dead voter is replaced", group(3, "A", "B!", "C", "d"), "make a non-voter b"},
		{"and then there are three", group(3, "A", "b!", "C", "d"), "make a voter d"},
		{"one that is only missing is not", group(3, "A", "B-", "C", "d"), ""},
		{"not by one that is not stable", group(3, "A", "B!", "C", "d?"), ""},
		{"a dead voter without replacement stays", group(3, "A", "B!", "C"), ""},
		{"a dead non-voter stays", group(3, "A", "B", "C", "d!"), ""},
		{"nobody is taken away without a majority", group(5, "A", "B!", "C!", "D!", "E", "f"), ""},

		{"a new disk replaces the old", group(3, "A", "B-", "C").with(newDisk), "remove b"},
		{"the new disk is added", group(3, "A", "C").with(newDisk), "add as non-voter b"},
		{"of two with one name, the later run counts", group(3, "A", "B", "C").with(doubled), ""},

		{"a node that left is removed", group(3, "A", "B", "C").leaving("c"), "remove c"},
		{"two are left", group(3, "A", "B"), "make a non-voter b"},
		{"a leader that leaves hands over", group(3, "A", "B", "C").leaving("a"), "hand over the lead a"},
		{"the last voter finds a successor", group(3, "A", "b").leaving("a"), "make a voter b"},
		{"and hands over to it", group(3, "A", "B").leaving("a"), "hand over the lead a"},
		{"the last node cannot leave", group(3, "A").leaving("a"), ""},
	} {
		got := decide(c.view)
		text := ""
		if got.do != nothing {
			text = fmt.Sprintf("%s %s", got.do, nodeOf(got.server))
		}
		if text != c.want {
			t.Errorf("%s: %q (%s), want %q", c.name, text, got.why, c.want)
		}
	}
}

// Whatever the group, deciding comes to an end, never costs a majority that was there,
// never touches the leader's own vote, and ends with as many voters as are right.
func TestDecideSettles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := []string{"A"}
		for i := range rapid.IntRange(0, 7).Draw(t, "others") {
			letter := rapid.SampledFrom([]byte{byte('B' + i), byte('b' + i)}).Draw(t, "suffrage")
			words = append(words, string(letter)+rapid.SampledFrom([]string{"", "!"}).Draw(t, "health"))
		}
		v := group(rapid.SampledFrom([]int{1, 3, 5}).Draw(t, "max"), words...)
		for range rapid.IntRange(0, 2).Draw(t, "fresh") {
			v.with(Member{Node: "x", Disk: fmt.Sprint(len(v.live)), Incarnation: uint64(len(v.live)), Fresh: true})
		}
		hadMajority := majority(v)
		for step := 0; ; step++ {
			c := decide(v)
			if c.do == nothing {
				break
			}
			if step > 30 {
				t.Fatalf("still deciding: %+v in %+v", c, v.servers)
			}
			if c.server == v.self {
				t.Fatalf("%+v", c)
			}
			v.apply(c)
			if hadMajority && !majority(v) {
				t.Fatalf("%+v cost the majority: %+v", c, v.servers)
			}
		}
		if !hadMajority {
			return
		}
		live := v.count(func(s raft.Server) bool { return v.stable[s.ID] })
		if voters := v.count(v.isLiveVoter); voters < odd(min(v.maxVoters, live)) && v.count(v.isStableSpare) > 0 {
			t.Fatalf("%d live voters of %d live servers: %+v", voters, live, v.servers)
		}
	})
}

func majority(v view) bool { return 2*v.count(v.isLiveVoter) > v.count(isVoter) }

// apply does to a view what Raft and time do: who is added becomes stable.
func (v *view) apply(c change) {
	i := slices.IndexFunc(v.servers, func(s raft.Server) bool { return s.ID == c.server })
	switch c.do {
	case add:
		v.servers = append(v.servers, raft.Server{ID: c.server, Address: c.address, Suffrage: raft.Nonvoter})
		v.stable[c.server] = true
	case remove:
		v.servers = slices.Delete(v.servers, i, i+1)
	case promote:
		v.servers[i].Suffrage = raft.Voter
	case demote:
		v.servers[i].Suffrage = raft.Nonvoter
	}
}

// Only the first seed founds, and only when all seeds are there and none has a past.
func TestMayFound(t *testing.T) {
	member := func(node string, fresh bool) Member { return Member{Node: node, Disk: "1", Fresh: fresh} }
	a, b, old := member("a", true), member("b", true), member("c", false)
	for _, c := range []struct {
		name  string
		seeds []string
		self  Member
		live  []Member
		want  bool
	}{
		{"one node", []string{"a"}, a, []Member{a}, true},
		{"no seeds", nil, a, []Member{a}, false},
		{"all seeds", []string{"b", "a"}, a, []Member{a, b}, true},
		{"not the first", []string{"b", "a"}, b, []Member{a, b}, false},
		{"a seed is missing", []string{"a", "b"}, a, []Member{a}, false},
		{"a group exists", []string{"a"}, a, []Member{a, old}, false},
		{"two of one name", []string{"a"}, a, []Member{a, {Node: "a", Disk: "2", Fresh: true}}, false},
		{"not a seed", []string{"a"}, b, []Member{a, b}, false},
	} {
		live := map[raft.ServerID]Member{}
		for _, m := range c.live {
			live[m.server()] = m
		}
		if got := mayFound(c.seeds, c.self, live); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
