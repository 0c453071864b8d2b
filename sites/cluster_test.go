package sites

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/jonboulle/clockwork"

	"github.com/conclave-voice/conclave/cluster/registry"
	"github.com/conclave-voice/conclave/store"
)

// site is a site's registry without Raft around it, and what its nodes know.
type site struct {
	name     string
	state    *registry.State
	index    uint64
	nodes    []Node
	down     error // the registry cannot be asked
	epochs   map[store.RoomID]uint64
	others   map[string]*site
	cut      map[string]bool // sites that do not answer
	verdict  map[string]bool // sites that count as unreachable
	mu       sync.Mutex      // a locator asks several nodes at once
	registry sync.Mutex
	asked    int
	clock    *clockwork.FakeClock
}

func newSite(name string, clock *clockwork.FakeClock, nodes ...string) *site {
	s := &site{name: name, state: registry.New(), epochs: map[store.RoomID]uint64{}, others: map[string]*site{}, cut: map[string]bool{}, verdict: map[string]bool{}, clock: clock}
	for _, n := range nodes {
		s.nodes = append(s.nodes, Node{Place: store.Place{Site: name, Node: n}, Incarnation: 1, Alive: true, Hosts: true})
		s.apply(registry.NodeUp{Instance: registry.Instance{Node: n, Incarnation: 1}})
	}
	return s
}

func (s *site) apply(op registry.Op) registry.Result {
	s.registry.Lock()
	defer s.registry.Unlock()
	s.index++
	return s.state.Apply(s.index, registry.Command{Request: registry.RequestID{From: registry.Instance{Node: "test", Incarnation: 1}, Seq: s.index}, Op: op})
}

func (s *site) Assign(_ context.Context, a registry.Assign) (registry.Assignment, error) {
	if s.down != nil {
		return registry.Assignment{}, s.down
	}
	r := s.apply(a)
	return r.Assignment, r.Err()
}

func (s *site) Release(_ context.Context, room string, epoch uint64) error {
	s.apply(registry.Release{Room: room, Epoch: epoch})
	return s.down
}

func (s *site) View(look func(*registry.State)) error {
	s.registry.Lock()
	defer s.registry.Unlock()
	look(s.state)
	return nil
}

func (s *site) RoomEpoch(_ context.Context, room store.RoomID) (uint64, error) {
	return s.epochs[room], nil
}

func (s *site) WhereIs(ctx context.Context, node store.Place, room store.Room, over uint64) (Assignment, error) {
	s.mu.Lock()
	s.asked++
	cut := s.cut[node.Site]
	s.mu.Unlock() // the other may ask back
	if cut {
		return Assignment{}, errors.New("cut")
	}
	return s.others[node.Site].cluster(node.Node).WhereIs(ctx, room, over)
}

func (s *site) askings() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

func (s *site) Ping(_ context.Context, node store.Place) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cut[node.Site] {
		return errors.New("cut")
	}
	return nil
}

func (s *site) setCut(site string, cut bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cut[site] = cut
}

func (s *site) known() []Node {
	all := s.nodes
	for _, o := range s.others {
		all = append(all, o.nodes...)
	}
	return all
}

// cluster is the locator of a node of the site.
func (s *site) cluster(node string) *Cluster {
	return NewCluster(Config{Self: store.Place{Site: s.name, Node: node}, Incarnation: 1000, Registry: s, Peers: s, Epochs: s,
		Nodes: s.known, Reachable: func(site string) bool { return !s.verdict[site] }, Learn: s.learn, Clock: s.clock, Logger: hclog.NewNullLogger()})
}

// two are sites that know each other.
func two() (a, b *site) {
	clock := clockwork.NewFakeClock()
	a, b = newSite("a", clock, "a1", "a2", "a3"), newSite("b", clock, "b1", "b2")
	a.others["b"], b.others["a"] = b, a
	return a, b
}

// drain has the site drained, or no longer, and tells nobody else.
func (s *site) drain(on bool, deputy string, floor uint64) {
	s.apply(registry.Order{Kind: registry.DrainSite, Name: s.name, Own: true, On: on, Deputy: deputy, Floor: floor})
}

// learn takes what the others know of drains.
func (s *site) learn(context.Context) {
	for _, o := range s.others {
		var orders []registry.Order
		_ = o.View(func(state *registry.State) { orders = state.Orders() })
		for _, order := range orders {
			order.Own = order.Name == s.name
			s.apply(order)
		}
	}
}

func room(id, home string) store.Room { return store.Room{ID: store.RoomID(id), HomeSite: home} }

func locate(t *testing.T, c *Cluster, r store.Room, over Assignment) Assignment {
	t.Helper()
	got, err := c.Locate(t.Context(), r, over)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// MS2, MS4: all nodes of all sites name one focus, of the room's home site.
func TestOneFocusForAll(t *testing.T) {
	a, b := two()
	r := room("r", "a")
	want := locate(t, a.cluster("a1"), r, Assignment{})
	if want.Kind != store.KindMain || want.Focus.Site != "a" || want.Epoch == 0 {
		t.Fatalf("%+v", want)
	}
	for _, c := range []*Cluster{a.cluster("a2"), a.cluster("a3"), b.cluster("b1"), b.cluster("b2")} {
		if got := locate(t, c, r, Assignment{}); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	if got, ok := a.cluster("a2").Current("r"); !ok || got != want {
		t.Errorf("current: %+v %v", got, ok)
	}
}

// MS5, MS6: the home site is cut off: one local conference for the site; after the heal
// new callers go home.
func TestLocalConference(t *testing.T) {
	_, b := two()
	r := room("r", "a")
	home := locate(t, b.cluster("b1"), r, Assignment{})
	b.setCut("a", true)
	b1, b2 := b.cluster("b1"), b.cluster("b2")
	local := locate(t, b1, r, Assignment{})
	if local.Kind != store.KindLocal || local.Focus.Site != "b" {
		t.Fatalf("%+v", local)
	}
	if again := locate(t, b2, r, Assignment{}); again != local {
		t.Errorf("another local conference: %+v and %+v", again, local)
	}
	// It was two nodes that were asked; after that it is remembered.
	asked := b.askings()
	locate(t, b1, r, Assignment{})
	if b.askings() != asked {
		t.Error("the silent site was asked again at once")
	}
	b.setCut("a", false)
	b.clock.Advance(remember + time.Second)
	if got := locate(t, b1, r, Assignment{}); got != home {
		t.Errorf("after the heal: %+v, want %+v", got, home)
	}
	// The verdict alone is enough not to ask.
	b.verdict["a"] = true
	asked = b.askings()
	if got := locate(t, b2, r, Assignment{}); got != local || b.askings() != asked {
		t.Errorf("against the verdict: %+v", got)
	}
}

// MS12: who cannot hear the home site, though it answers, gets the site's local
// conference; at home there is none.
func TestLocalThoughHomeAnswers(t *testing.T) {
	a, b := two()
	r := room("r", "a")
	got, err := b.cluster("b1").Local(t.Context(), r)
	if err != nil || got.Kind != store.KindLocal || got.Focus.Site != "b" {
		t.Errorf("%+v %v", got, err)
	}
	if again, err := b.cluster("b2").Local(t.Context(), r); err != nil || again != got {
		t.Errorf("another local conference: %+v %v", again, err)
	}
	if _, err := a.cluster("a1").Local(t.Context(), r); !errors.Is(err, ErrAtHome) {
		t.Errorf("at home: %v", err)
	}
	if home := locate(t, b.cluster("b2"), r, Assignment{}); home.Kind != store.KindMain {
		t.Errorf("whoever can reach home: %+v", home)
	}
}

// MS5: without a quorum each node hosts for itself, and callers talk.
func TestNoQuorum(t *testing.T) {
	a, b := two()
	a.down = errors.New("no quorum")
	got := locate(t, a.cluster("a2"), room("r", "a"), Assignment{})
	if got.Kind != store.KindLocal || got.Focus.Node != "a2" || got.Epoch < 1000 {
		t.Errorf("%+v", got)
	}
	if next := locate(t, a.cluster("a2"), room("r", "a"), got); next.Epoch <= got.Epoch {
		t.Errorf("epoch %d after %d", next.Epoch, got.Epoch)
	}
	// Another site does not take that for an answer.
	if got := locate(t, b.cluster("b1"), room("r", "a"), Assignment{}); got.Kind != store.KindLocal || got.Focus.Site != "b" {
		t.Errorf("%+v", got)
	}
	// When the quorum is back, an epoch that was given without it changes nothing: neither
	// at home, nor in another site that has been without one too.
	a.down = nil
	main := locate(t, a.cluster("a1"), room("r", "a"), Assignment{})
	if after := locate(t, a.cluster("a2"), room("r", "a"), got); after != main || after.Kind != store.KindMain {
		t.Errorf("%+v after %+v", after, main)
	}
	b.setCut("a", true)
	local := locate(t, b.cluster("b1"), room("r", "a"), Assignment{})
	b.down = errors.New("no quorum")
	lone := locate(t, b.cluster("b1"), room("r", "a"), Assignment{})
	if b.down = nil; !lone.Alone || local.Alone {
		t.Errorf("alone: %+v and %+v", local, lone)
	}
	for _, over := range []Assignment{main, lone} {
		if after := locate(t, b.cluster("b2"), room("r", "a"), over); after != local {
			t.Errorf("%+v after %+v, want %+v", after, over, local)
		}
	}
}

// MS4: what is over is replaced, under a higher epoch, also one that only the database
// knows of.
func TestOverIsReplaced(t *testing.T) {
	a, _ := two()
	r := room("r", "a")
	first := locate(t, a.cluster("a1"), r, Assignment{})
	a.epochs["r"] = 500
	second := locate(t, a.cluster("a1"), r, first)
	if second.Epoch <= 500 {
		t.Errorf("epoch %d, and the database has seen 500", second.Epoch)
	}
	if late := locate(t, a.cluster("a2"), r, first); late != second {
		t.Errorf("who comes late replaced %+v by %+v", second, late)
	}
	a.apply(registry.NodeGone{Instance: registry.Instance{Node: second.Focus.Node, Incarnation: 1}})
	for i := range a.nodes {
		a.nodes[i].Alive = a.nodes[i].Node != second.Focus.Node
	}
	if third := locate(t, a.cluster("a1"), r, Assignment{}); third.Epoch <= second.Epoch || third.Focus == second.Focus {
		t.Errorf("%+v after its node was gone: %+v", second, third)
	}
}

// MS14: a node that drains is given nothing; one that only gossip thinks so of, neither.
func TestDrainingNodesAreLeftOut(t *testing.T) {
	a, _ := two()
	a.nodes[0].Draining = true
	a.apply(registry.Drain{Instance: registry.Instance{Node: "a2", Incarnation: 1}, Draining: true})
	for i := range 20 {
		if got := locate(t, a.cluster("a1"), room(fmt.Sprint(i), "a"), Assignment{}); got.Focus.Node != "a3" {
			t.Errorf("room %d at %s", i, got.Focus.Node)
		}
	}
}

// OP3: rooms spread over nodes, and full ones get less.
func TestPlacement(t *testing.T) {
	var nodes []Node
	for i := range 6 {
		nodes = append(nodes, Node{Place: store.Place{Site: "a", Node: fmt.Sprint("n", i)}, Alive: true, Hosts: true, Capacity: 100})
	}
	placed := func() map[string]int {
		count := map[string]int{}
		for i := range 3000 {
			count[candidates(nodes, nodes[0].Place, store.RoomID(fmt.Sprint("room", i)))[0].Node]++
		}
		return count
	}
	for node, n := range placed() {
		if n < 350 || n > 650 {
			t.Errorf("%d of 3000 rooms at %s of 6", n, node)
		}
	}
	nodes[2].Seats = 50
	if n := placed()["n2"]; n > 150 {
		t.Errorf("%d rooms for a node that is half full when the others are empty", n)
	}
	before := candidates(nodes, nodes[0].Place, "r")[0]
	nodes[(int(before.Node[1]-'0')+1)%6].Seats = 3
	if after := candidates(nodes, nodes[0].Place, "r")[0]; after.Node != before.Node {
		t.Error("a few seats elsewhere moved a room")
	}
}

// Conferences that have ended are released in the background.
func TestRelease(t *testing.T) {
	a, _ := two()
	c := a.cluster("a1")
	got := locate(t, c, room("r", "a"), Assignment{})
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	c.Release("r", got.Epoch)
	go func() { done <- c.Run(ctx) }()
	for len(c.releases) > 0 {
		time.Sleep(0)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, assigned := c.Current("r"); assigned {
		t.Error("still assigned")
	}
}
