package raftgroup

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/hashicorp/raft"
)

// view is what the leader decides membership by.
type view struct {
	self      raft.ServerID
	group     string
	maxVoters int
	servers   []raft.Server            // the group's members now
	live      map[raft.ServerID]Member // this server among them
	left      map[string]uint64        // nodes that left: up to which incarnation
	stable    map[raft.ServerID]bool   // live for Timing.Stable, with the whole log
	dead      map[raft.ServerID]bool   // missing for Timing.Dead
}

// change is one step: a group changes by one server at a time.
type change struct {
	do      action
	server  raft.ServerID
	address raft.ServerAddress
	why     string
}

type action string

const (
	nothing  action = ""
	remove   action = "remove"
	add      action = "add as non-voter"
	promote  action = "make a voter"
	demote   action = "make a non-voter"
	handOver action = "hand over the lead"
)

// decide says what the leader should do next. In order:
//
//  1. A member that left is removed; the leader itself hands over first.
//  2. A member whose node is live with another disk is removed: it will not come
//     back with what it has lost.
//  3. A live node that is not a member becomes a non-voter, if it has never been in
//     another group.
//  4. Voters are an odd number, at most maxVoters. Stable non-voters become voters
//     until there are as many as there can be; voters become non-voters where there
//     are more than there can be even when every non-voter that is not dead becomes
//     stable.
//  5. A dead voter becomes a non-voter when a stable non-voter can take its place.
//
// No voter is taken away unless a majority of those that stay is live.
func decide(v view) change {
	for _, step := range []func() change{
		v.removeLeft, v.removeReplaced, v.addLive, v.fitVoters, v.replaceDead,
	} {
		if c := step(); c.do != nothing {
			return c
		}
	}
	return change{}
}

func (v view) removeLeft() change {
	for _, s := range v.servers {
		if !v.hasLeft(s.ID) {
			continue
		}
		if s.ID == v.self {
			if v.count(v.isOtherLiveVoter) > 0 {
				return change{do: handOver, server: s.ID, why: "this node leaves"}
			}
			continue
		}
		if v.canSpare(s) {
			return change{do: remove, server: s.ID, why: "the node has left"}
		}
	}
	return change{}
}

func (v view) removeReplaced() change {
	for _, s := range v.servers {
		if s.ID == v.self || !v.canSpare(s) {
			continue
		}
		if by, ok := v.replacedBy(s.ID); ok {
			return change{do: remove, server: s.ID,
				why: fmt.Sprintf("the node is back with another disk, %s", by.Disk)}
		}
	}
	return change{}
}

func (v view) addLive() change {
	for _, m := range v.sortedLive() {
		if _, member := find(v.servers, m.server()); member || v.hasLeft(m.server()) || v.foreign(m) {
			continue
		}
		if _, replaced := v.replacedBy(m.server()); replaced {
			continue
		}
		return change{do: add, server: m.server(), address: m.address(), why: "it is live"}
	}
	return change{}
}

func (v view) fitVoters() change {
	voters := v.count(func(s raft.Server) bool { return isVoter(s) && !v.hasLeft(s.ID) })
	canBe := odd(min(v.maxVoters, voters+v.count(v.isStableSpare)))
	couldBe := odd(min(v.maxVoters, voters+v.count(v.isHopefulSpare)))
	switch {
	case voters < canBe:
		s, _ := v.first(v.isStableSpare)
		return change{do: promote, server: s.ID, address: s.Address,
			why: fmt.Sprintf("there are %d voters, there can be %d", voters, canBe)}
	case voters > couldBe:
		return v.demoteOne(fmt.Sprintf("there are %d voters, there can be %d", voters, couldBe))
	}
	return change{}
}

// demoteOne takes a dead voter, else a live one, but never the leader.
func (v view) demoteOne(why string) change {
	s, ok := v.first(func(s raft.Server) bool { return v.isDeadVoter(s) && v.canSpare(s) })
	if !ok {
		s, ok = v.first(func(s raft.Server) bool { return v.isOtherLiveVoter(s) && v.canSpare(s) })
	}
	if !ok {
		return change{}
	}
	return change{do: demote, server: s.ID, why: why}
}

func (v view) replaceDead() change {
	if v.count(v.isStableSpare) == 0 {
		return change{}
	}
	s, ok := v.first(func(s raft.Server) bool { return v.isDeadVoter(s) && v.canSpare(s) })
	if !ok {
		return change{}
	}
	return change{do: demote, server: s.ID, why: "it is dead, and another can take its place"}
}

// canSpare says whether the group has a live majority of voters without s.
func (v view) canSpare(s raft.Server) bool {
	if !isVoter(s) {
		return true
	}
	stay := v.count(func(o raft.Server) bool { return isVoter(o) && o.ID != s.ID })
	live := v.count(func(o raft.Server) bool { return v.isLiveVoter(o) && o.ID != s.ID })
	return 2*live > stay
}

// replacedBy finds a later run of the server's node on another disk.
func (v view) replacedBy(id raft.ServerID) (Member, bool) {
	self, live := v.live[id]
	for _, m := range v.sortedLive() {
		if m.Node == nodeOf(id) && m.server() != id && (!live || m.Incarnation > self.Incarnation) {
			return m, true
		}
	}
	return Member{}, false
}

// hasLeft says whether the node left and no later run of it is live.
func (v view) hasLeft(id raft.ServerID) bool {
	incarnation, left := v.left[nodeOf(id)]
	if !left {
		return false
	}
	for _, m := range v.live {
		if m.Node == nodeOf(id) && m.Incarnation > incarnation {
			return false
		}
	}
	return true
}

// foreign says whether a node has been in another group, or in one that it does not
// remember: its log must not be mixed with ours.
func (v view) foreign(m Member) bool { return !m.Fresh && m.Group != v.group }

func (v view) sortedLive() []Member {
	var members []Member
	for _, m := range v.live {
		members = append(members, m)
	}
	slices.SortFunc(members, func(a, b Member) int { return cmp.Compare(a.server(), b.server()) })
	return members
}

func isVoter(s raft.Server) bool { return s.Suffrage == raft.Voter }

func (v view) isLiveVoter(s raft.Server) bool {
	_, live := v.live[s.ID]
	return isVoter(s) && live
}

func (v view) isOtherLiveVoter(s raft.Server) bool { return v.isLiveVoter(s) && s.ID != v.self }
func (v view) isDeadVoter(s raft.Server) bool      { return isVoter(s) && v.dead[s.ID] && s.ID != v.self }
func (v view) isStableSpare(s raft.Server) bool    { return !isVoter(s) && v.stable[s.ID] }
func (v view) isHopefulSpare(s raft.Server) bool   { return !isVoter(s) && !v.dead[s.ID] }

func (v view) count(what func(raft.Server) bool) int {
	n := 0
	for _, s := range v.servers {
		if what(s) {
			n++
		}
	}
	return n
}

func (v view) first(what func(raft.Server) bool) (raft.Server, bool) {
	for _, s := range v.servers {
		if what(s) {
			return s, true
		}
	}
	return raft.Server{}, false
}

// odd is the largest odd number that is not above n, or 0.
func odd(n int) int { return max(0, n-1+n%2) }
