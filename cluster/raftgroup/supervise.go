package raftgroup

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"

	"github.com/conclave-voice/conclave/cluster/registry"
)

const (
	lookEvery   = 100 * time.Millisecond
	changeTime  = time.Second // for Raft to take a change up
	closeEnough = 64          // entries that a new voter may be behind
)

// supervisor is what the supervising goroutine remembers.
type supervisor struct {
	g         *Group
	census    *census
	announced *Member
	led       uint64                   // the term in which this leader has seen the whole log
	warned    map[raft.ServerID]string // about a live node in this other group
}

// supervise looks after the group until ctx is done: every node keeps its own
// description up to date, a seed founds, the leader tends nodes and members.
func (g *Group) supervise(ctx context.Context) {
	s := &supervisor{g: g, census: newCensus(), warned: map[raft.ServerID]string{}}
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		s.look(ctx, time.Now())
		select {
		case <-ticker.C:
		case <-g.raft.LeaderCh():
		case <-ctx.Done():
			return
		}
	}
}

func (s *supervisor) look(ctx context.Context, now time.Time) {
	g := s.g
	g.leadership.agree(g.raft.LeaderWithID)
	if err := s.learnGroup(); err != nil {
		g.logger.Error("cannot write down the Raft group's id", "error", err)
	}
	self := s.announce()
	live := map[raft.ServerID]Member{}
	for _, m := range g.cfg.Live() {
		live[m.server()] = m
	}
	live[g.self] = self
	configuration := g.raft.GetConfiguration()
	servers := configuration.Configuration().Servers
	g.addresses.learn(servers)
	var nodes []registry.Node
	if g.View(func(r *registry.State) { nodes = r.Nodes() }) != nil {
		s.makeWay()
		return
	}
	s.census.update(now, live, servers, nodes)
	if self.Fresh && s.census.liveFor(g.cfg.Timing.Found, now)[g.self] && mayFound(g.cfg.Seeds, self, live) &&
		s.seedsConfirm(ctx) {
		s.found(self)
		return
	}
	if g.raft.State() == raft.Leader {
		if err := s.lead(ctx, now, live, nodes); err != nil && ctx.Err() == nil {
			g.logger.Warn("leading the Raft group", "error", err)
		}
	}
}

// makeWay hands over the lead when this node's program cannot read the log: another
// node may have been upgraded already.
func (s *supervisor) makeWay() {
	if err := s.g.handOver(); err != nil {
		s.g.logger.Warn("cannot lead and cannot hand over", "error", err)
	}
}

// learnGroup writes the group's id down when the registry first says it.
func (s *supervisor) learnGroup() error {
	var group string
	err := s.g.View(func(r *registry.State) { group = r.Group() })
	if err != nil || group == "" || group == s.g.disk.group {
		return err
	}
	return s.g.disk.join(group)
}

// announce describes this node, and tells the others if anything is new.
func (s *supervisor) announce() Member {
	g := s.g
	self := Member{
		Node: g.cfg.Node, Incarnation: g.cfg.Incarnation, Disk: g.disk.id, Addr: g.cfg.Advertise,
		Fresh: g.raft.LastIndex() == 0, Group: g.disk.group, Addresses: g.cfg.Addresses,
	}
	if s.announced == nil || !reflect.DeepEqual(*s.announced, self) {
		s.announced = &self
		g.cfg.Announce(self)
	}
	return self
}

// mayFound says whether this node should start a new group: it is the first seed,
// every seed is there, and nobody who is there has ever been in a group. A seed that
// lost its disk so finds the group that it was in.
func mayFound(seeds []string, self Member, live map[raft.ServerID]Member) bool {
	if len(seeds) == 0 || slices.Min(seeds) != self.Node {
		return false
	}
	there := map[string]int{}
	for _, m := range live {
		if !m.Fresh {
			return false
		}
		there[m.Node]++
	}
	for _, seed := range seeds {
		if there[seed] != 1 {
			return false
		}
	}
	return true
}

// seedsConfirm asks the other seeds themselves whether they have never been in a group:
// what gossip says of them may be from before.
func (s *supervisor) seedsConfirm(ctx context.Context) bool {
	for _, seed := range s.g.cfg.Seeds {
		if seed == s.g.cfg.Node {
			continue
		}
		if last, err := s.lastIndexOf(ctx, seed); err != nil || last > 0 {
			return false
		}
	}
	return true
}

// found starts a group of this node alone. As its leader it adds the others.
func (s *supervisor) found(self Member) {
	first := raft.Server{Suffrage: raft.Voter, ID: self.server(), Address: self.address()}
	err := s.g.raft.BootstrapCluster(raft.Configuration{Servers: []raft.Server{first}}).Error()
	s.g.logger.Info("founding the site's Raft group", "server", self.server(), "error", err)
}

// lead does what falls to the leader. It decides only by a registry that has
// everything that earlier leaders have committed.
func (s *supervisor) lead(ctx context.Context, now time.Time, live map[raft.ServerID]Member, nodes []registry.Node) error {
	g := s.g
	if term := g.raft.CurrentTerm(); s.led != term {
		if err := g.raft.Barrier(changeTime).Error(); err != nil {
			return fmt.Errorf("waiting for what earlier leaders have committed: %w", err)
		}
		s.led = term
		return nil // and look again
	}
	if g.disk.group == "" {
		if _, err := g.propose(ctx, registry.Found{Group: randomID()}); err != nil {
			return fmt.Errorf("naming the group: %w", err)
		}
		return nil // and look again
	}
	configuration := g.raft.GetConfiguration()
	servers := configuration.Configuration().Servers
	ours := s.withoutOutsiders(live, servers)
	for _, op := range s.census.rollCall(now, g.cfg.Timing.Gone, ours, servers, nodes, g.leadership.unanswered()) {
		g.logger.Info("a node of the site has changed", "change", hclog.Fmt("%T%+v", op, op))
		if _, err := g.propose(ctx, op); err != nil {
			g.logger.Warn("the registry does not take a change", "error", err)
		}
	}
	v := s.view(ctx, now, live, servers, nodes)
	return s.carryOut(decide(v), configuration.Index())
}

func (s *supervisor) view(ctx context.Context, now time.Time, live map[raft.ServerID]Member,
	servers []raft.Server, nodes []registry.Node) view {
	g := s.g
	v := view{self: g.self, group: g.disk.group, maxVoters: g.cfg.MaxVoters, servers: servers, live: live,
		left: map[string]uint64{}, stable: s.census.liveFor(g.cfg.Timing.Stable, now),
		dead: s.census.missingFor(g.cfg.Timing.Dead, now)}
	for _, n := range nodes {
		if n.Left {
			v.left[n.Node] = n.Incarnation
		}
	}
	for _, spare := range servers {
		if v.isStableSpare(spare) && !s.caughtUp(ctx, spare.ID) {
			v.stable[spare.ID] = false
		}
	}
	return v
}

// caughtUp asks a server how far its log goes. One that had all of it once has been
// fed ever since, for it is dropped from the census when it is missing.
func (s *supervisor) caughtUp(ctx context.Context, id raft.ServerID) bool {
	if _, ok := s.census.reached[id]; ok {
		return true
	}
	last, err := s.lastIndexOf(ctx, nodeOf(id))
	if err != nil || last+closeEnough < s.g.raft.LastIndex() {
		return false
	}
	s.census.reached[id] = struct{}{}
	return true
}

// lastIndexOf is the index of the last entry in another node's log.
func (s *supervisor) lastIndexOf(ctx context.Context, node string) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, lookEvery)
	defer cancel()
	a := s.g.forward(ctx, node, request{is: kindReached})
	if a.is != statusDone {
		return 0, errors.New(string(a.body))
	}
	return decodeIndex(a.body)
}

// withoutOutsiders leaves out who is in another group: it hosts nothing for this one.
func (s *supervisor) withoutOutsiders(live map[raft.ServerID]Member, servers []raft.Server) map[raft.ServerID]Member {
	ours := map[raft.ServerID]Member{}
	for id, m := range live {
		_, member := find(servers, id)
		if member || !(view{group: s.g.disk.group}).foreign(m) {
			ours[id] = m
			continue
		}
		if s.warned[id] == m.Group {
			continue
		}
		s.warned[id] = m.Group
		s.g.logger.Error("a node of this site is in another Raft group and is left out; "+
			"stop it, remove its Raft directory, and start it without seeds",
			"node", m.Node, "its_group", m.Group, "our_group", s.g.disk.group)
	}
	return ours
}

// carryOut makes one change. The index keeps it from overtaking another change.
func (s *supervisor) carryOut(c change, index uint64) error {
	if c.do == nothing {
		return nil
	}
	r := s.g.raft
	if c.do == handOver {
		return s.g.handOver()
	}
	var future raft.Future
	switch c.do {
	case remove:
		future = r.RemoveServer(c.server, index, changeTime)
	case add:
		future = r.AddNonvoter(c.server, c.address, index, changeTime)
	case promote:
		future = r.AddVoter(c.server, c.address, index, changeTime)
	case demote:
		future = r.DemoteVoter(c.server, index, changeTime)
	}
	err := future.Error()
	s.g.logger.Info("changing the Raft group", "change", c.do, "server", c.server, "because", c.why, "error", err)
	if err != nil && !errors.Is(err, raft.ErrNotLeader) {
		return fmt.Errorf("to %s %s: %w", c.do, c.server, err)
	}
	return nil
}
