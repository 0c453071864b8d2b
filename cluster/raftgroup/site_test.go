package raftgroup_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"go.uber.org/goleak"

	"github.com/conclave-voice/conclave/cluster/raftgroup"
	"github.com/conclave-voice/conclave/cluster/registry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must happen. No test measures time
// against it: a machine that is slow only makes the test slow.
const patience = 2 * time.Minute

// site is the nodes of a test: real groups, sockets and files. Gossip is played by
// the test: a node is live for another when it runs and the link is whole both ways.
type site struct {
	t       testing.TB
	dir     string // removed after the nodes have ended
	network *network
	ca      *authority
	logger  hclog.Logger
	timing  raftgroup.Timing
	entries uint64 // SnapshotEntries
	seeds   []string

	// started is told of each new run of a node, and when it may have begun.
	started func(began time.Time, run registry.Instance)

	mu          sync.Mutex
	nodes       map[string]*node
	incarnation uint64
}

// newSite starts a site whose seeds are all of these nodes.
func newSite(t testing.TB, names ...string) *site {
	s := idleSite(t, names...)
	for _, name := range names {
		s.start(name)
	}
	return s
}

func idleSite(t testing.TB, names ...string) *site {
	s := &site{t: t, dir: t.TempDir(), network: newNetwork(), ca: newAuthority(t), logger: logger(t), seeds: names,
		nodes: map[string]*node{}, incarnation: 100,
		timing: raftgroup.Timing{Election: 250 * time.Millisecond, Stable: 200 * time.Millisecond, Dead: 500 * time.Millisecond,
			Found: 50 * time.Millisecond, Snapshot: 50 * time.Millisecond}}
	t.Cleanup(func() {
		s.network.close()
		for _, n := range s.running() {
			s.crash(n.name)
		}
	})
	return s
}

func logger(t testing.TB) hclog.Logger {
	if os.Getenv("RAFT_LOG") == "" {
		return hclog.NewNullLogger()
	}
	return hclog.New(&hclog.LoggerOptions{Name: t.Name(), Level: hclog.LevelFromString(os.Getenv("RAFT_LOG"))})
}

// start starts a node, again with its disk if it had one.
func (s *site) start(name string) *node {
	s.t.Helper()
	if err := s.tryStart(name, nil); err != nil {
		s.t.Fatal(err)
	}
	return s.node(name)
}

// startAll starts the seeds that do not run.
func (s *site) startAll() {
	s.t.Helper()
	for _, name := range s.seeds {
		if n := s.node(name); n == nil || n.running() == nil {
			s.start(name)
		}
	}
}

func (s *site) tryStart(name string, alter func(*raftgroup.Config)) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.mu.Lock()
	n, ok := s.nodes[name]
	if !ok {
		number := byte(len(s.nodes) + 1)
		n = &node{site: s, name: name, ip: net.IPv4(127, 0, 1, number), dir: filepath.Join(s.dir, name)}
		s.nodes[name] = n
	}
	s.incarnation++
	incarnation := s.incarnation
	s.mu.Unlock()
	front := s.network.front(s.t, name, listener.Addr().String(), s.nameOf)
	server, client := s.ca.configs(name)
	cfg := raftgroup.Config{
		Node: name, Incarnation: incarnation, Addresses: []string{"rpc " + name},
		Dir: filepath.Join(n.dir, "raft"), Listener: listener, Advertise: front.addr(),
		ServerTLS: server, ClientTLS: client, Dialer: n.dialer(),
		Seeds: s.seeds, Forwarder: forwarder{n}, Live: n.live, Announce: n.announce,
		Timing: s.timing, SnapshotEntries: s.entries, Logger: s.logger.Named(name),
	}
	if alter != nil {
		alter(&cfg)
	}
	if s.started != nil {
		s.started(time.Now(), registry.Instance{Node: name, Incarnation: incarnation})
	}
	group, err := raftgroup.Start(cfg)
	if err != nil {
		front.close()
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n.group, n.front = group, front
	return nil
}

// nameOf finds the node of a source address.
func (s *site) nameOf(addr net.Addr) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.nodes {
		if n.ip.Equal(addr.(*net.TCPAddr).IP) {
			return n.name
		}
	}
	return addr.String()
}

// crash ends a node without a word to the others.
func (s *site) crash(name string) {
	s.t.Helper()
	s.mu.Lock()
	n := s.nodes[name]
	group, front := n.group, n.front
	n.group, n.front = nil, nil
	s.mu.Unlock()
	front.close()
	if err := group.Close(); err != nil {
		s.t.Errorf("closing %s: %v", name, err)
	}
	s.mu.Lock()
	n.member = raftgroup.Member{} // and announces nothing any more
	s.mu.Unlock()
}

// loseDisk makes a crashed node forget everything.
func (s *site) loseDisk(name string) {
	if err := os.RemoveAll(s.node(name).dir); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) node(name string) *node {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.nodes[name]
}

func (s *site) running() []*node {
	s.mu.Lock()
	defer s.mu.Unlock()
	var running []*node
	for _, n := range s.nodes {
		if n.group != nil {
			running = append(running, n)
		}
	}
	slices.SortFunc(running, func(a, b *node) int { return strings.Compare(a.name, b.name) })
	return running
}

// isolate cuts a node off from all others, both ways; rejoin heals that.
func (s *site) isolate(name string) { s.setLinks(name, true) }
func (s *site) rejoin(name string)  { s.setLinks(name, false) }

func (s *site) setLinks(name string, cut bool) { s.setDirections(name, cut, cut) }

// healAll heals all links.
func (s *site) healAll() {
	for _, n := range s.running() {
		s.rejoin(n.name)
	}
}

// cutPair cuts two nodes off from each other only.
func (s *site) cutPair(a, b string) {
	s.network.cut(a, b)
	s.network.cut(b, a)
}

// setDirections cuts or heals the links from a node and those to it.
func (s *site) setDirections(name string, from, to bool) {
	s.mu.Lock()
	var others []string
	for other := range s.nodes {
		if other != name {
			others = append(others, other)
		}
	}
	s.mu.Unlock()
	for _, other := range others {
		s.network.set(name, other, from)
		s.network.set(other, name, to)
	}
}

// eventually waits until what is said holds.
func (s *site) eventually(what string, holds func() bool) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for !holds() {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			for _, n := range s.running() {
				s.t.Logf("%s: %+v", n.name, n.running().Status())
			}
			s.t.Fatalf("in vain: %s", what)
		}
	}
}

// leader waits until the running nodes agree on a leader, and is that node.
func (s *site) leader() *node {
	s.t.Helper()
	var leader string
	s.eventually("all nodes agree on a leader", func() bool {
		leader = ""
		for _, n := range s.running() {
			status := n.running().Status()
			if status.Leader == "" || leader != "" && leader != status.Leader {
				return false
			}
			leader = status.Leader
		}
		return s.node(leader).running() != nil && s.node(leader).running().Status().Leading
	})
	return s.node(leader)
}

// voters waits until these nodes, and no others, are the voters, as all running
// nodes see it, and all nodes named are up in the registry.
func (s *site) voters(names ...string) {
	s.t.Helper()
	s.eventually(fmt.Sprintf("the voters are %v", names), func() bool {
		for _, n := range s.running() {
			voters := n.running().Status().Voters
			slices.Sort(voters)
			if !slices.Equal(voters, names) {
				return false
			}
		}
		return true
	})
}

// voting waits until there are so many voters, as all running nodes see it, and is
// their names.
func (s *site) voting(count int) []string {
	s.t.Helper()
	var voters []string
	s.eventually(fmt.Sprintf("there are %d voters", count), func() bool {
		voters = nil
		for _, n := range s.running() {
			own := n.running().Status().Voters
			slices.Sort(own)
			if len(own) != count || voters != nil && !slices.Equal(own, voters) {
				return false
			}
			voters = own
		}
		return true
	})
	return voters
}

// up waits until the registry of every running node has all running nodes.
func (s *site) up() {
	s.t.Helper()
	s.eventually("all running nodes are up in all registries", func() bool {
		running := s.running()
		for _, n := range running {
			for _, other := range running {
				known, _ := registered(n, other.name)
				if known.Instance != other.instance() || known.Gone {
					return false
				}
			}
		}
		return true
	})
}

func registered(n *node, name string) (known registry.Node, ok bool) {
	_ = n.running().View(func(r *registry.State) { known, ok = r.Node(name) })
	return known, ok
}

// others are the running nodes but for these.
func (s *site) others(but ...*node) []*node {
	var others []*node
	for _, n := range s.running() {
		if !slices.Contains(but, n) {
			others = append(others, n)
		}
	}
	return others
}

// assign has a room assigned to candidate, asked for at n, however often it takes.
func (s *site) assign(n *node, room string, candidate *node) registry.Assignment {
	s.t.Helper()
	return s.replace(n, room, candidate, 0)
}

// replace is assign in place of the assignment with this epoch.
func (s *site) replace(n *node, room string, candidate *node, epoch uint64) registry.Assignment {
	s.t.Helper()
	var a registry.Assignment
	s.eventually("room "+room+" is assigned", func() bool {
		var err error
		a, err = n.running().Assign(s.t.Context(), registry.Assign{
			Room: room, Candidate: candidate.instance(), Kind: registry.KindMain, Replace: epoch})
		if err != nil && !transient(err) {
			s.t.Fatalf("assigning %s: %v", room, err)
		}
		return err == nil
	})
	return a
}

// settled asks until the answer is not one that time heals, and is that answer.
func (s *site) settled(what string, ask func() error) (err error) {
	s.t.Helper()
	s.eventually(what, func() bool {
		err = ask()
		return !transient(err)
	})
	return err
}

// has checks what a read at n says of the room.
func (s *site) has(n *node, room string, want registry.Assignment) {
	s.t.Helper()
	var now registry.Assignment
	err := s.settled("reading who hosts "+room, func() (err error) {
		now, _, err = n.running().Assignment(s.t.Context(), room)
		return err
	})
	if err != nil || now != want {
		s.t.Errorf("%s has %+v, %v at %s, want %+v", room, now, err, n.name, want)
	}
}

// transient are errors that time heals: elections, and gossip not yet through.
func transient(err error) bool {
	return errors.Is(err, raftgroup.ErrNoQuorum) || errors.Is(err, registry.Unknown)
}

// same waits until the registries of all running nodes are equal, byte for byte.
func (s *site) same() {
	s.t.Helper()
	s.eventually("all registries are equal", func() bool {
		var first string
		for i, n := range s.running() {
			var b strings.Builder
			err := n.running().View(func(r *registry.State) { _, _ = r.WriteTo(&b) })
			if err != nil {
				s.t.Fatal(err)
			}
			if i == 0 {
				first = b.String()
			}
			if b.String() != first {
				return false
			}
		}
		return true
	})
}
