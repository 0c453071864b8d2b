package custody

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/jonboulle/clockwork"

	"github.com/conclave-voice/conclave/cluster/registry"
	"github.com/conclave-voice/conclave/store"
)

// site is the registry of a site, without Raft between its nodes and itself.
type site struct {
	*testing.T
	mu      sync.Mutex
	state   *registry.State
	index   uint64
	changed chan struct{}
	nodes   map[string]*node
}

// node is one of the site's nodes, and its calls.
type node struct {
	*site
	self    registry.Instance
	custody *Custody
	dumb    bool // others do not hear it
	mu      sync.Mutex
	away    error        // what the group answers, having done nothing
	deaf    error        // what the group answers, having done it
	puts    atomic.Int32 // that were done
	hang    func()       // before the group does anything
	has     map[store.CallID]string
	lost    []store.CallID
	cancel  context.CancelFunc
	done    chan error
}

func newSite(t *testing.T, names ...string) *site {
	s := &site{T: t, state: registry.New(), changed: make(chan struct{}), nodes: map[string]*node{}}
	for _, name := range names {
		n := &node{site: s, self: registry.Instance{Node: name, Incarnation: 1}, has: map[store.CallID]string{}, hang: func() {}}
		n.custody = New(Config{Self: n.self, Group: n, Clock: clockwork.NewRealClock(), Logger: hclog.NewNullLogger(), Takers: func() []string { return s.live() },
			Ask: func(ctx context.Context, to string, call store.CallID, from registry.Instance) error {
				if s.nodes[to].dumb {
					return errors.New("does not answer")
				}
				return s.nodes[to].custody.Take(ctx, s.nodes[to], call, from)
			}})
		s.nodes[name] = n
		s.do(registry.NodeUp{Instance: n.self})
	}
	return s
}

// live are the nodes that the site does not hold for gone.
func (s *site) live() (names []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.state.Nodes() {
		if !n.Gone {
			names = append(names, n.Node)
		}
	}
	return names
}

func (s *site) do(op registry.Op) registry.Result {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.index++
	r := s.state.Apply(s.index, registry.Command{Op: op})
	close(s.changed)
	s.changed = make(chan struct{})
	return r
}

func (n *node) run() {
	ctx, cancel := context.WithCancel(n.Context())
	n.cancel, n.done = cancel, make(chan error, 1)
	go func() { n.done <- n.custody.Run(ctx, n) }()
}

func (n *node) stop() {
	n.cancel()
	if err := <-n.done; err != nil {
		n.Error(err)
	}
}

// The methods of Group.

func (n *node) request(op registry.Op) (registry.Result, error) {
	n.mu.Lock()
	away, deaf, hang := n.away, n.deaf, n.hang
	n.mu.Unlock()
	if hang(); away != nil {
		return registry.Result{}, away
	}
	r := n.do(op)
	if deaf != nil {
		return registry.Result{}, deaf
	}
	if len(r.Items) == 1 && r.Items[0] != registry.None {
		return r, r.Items[0]
	}
	return r, r.Err()
}

func (n *node) PutDialog(_ context.Context, call string, version uint64, state []byte) error {
	_, err := n.request(registry.Dialogs{Owner: n.self, Changes: []registry.DialogChange{{Call: call, Version: version, State: state}}})
	if err == nil {
		n.puts.Add(1)
	}
	return err
}

func (n *node) DropDialog(_ context.Context, call string) error {
	_, err := n.request(registry.Dialogs{Owner: n.self, Changes: []registry.DialogChange{{Call: call, Drop: true}}})
	return err
}

func (n *node) TakeDialog(_ context.Context, call string, from registry.Instance) (registry.Dialog, error) {
	r, err := n.request(registry.TakeDialog{Call: call, From: from, To: n.self})
	return r.Dialog, err
}

func (n *node) Sync(context.Context) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.away
}

func (n *node) View(read func(*registry.State)) error {
	n.site.mu.Lock()
	defer n.site.mu.Unlock()
	read(n.state)
	return nil
}

func (n *node) Changed() <-chan struct{} {
	n.site.mu.Lock()
	defer n.site.mu.Unlock()
	return n.changed
}

// The methods of Calls.

func (n *node) TakeOver(_ context.Context, call store.CallID, state []byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if was, twice := n.has[call]; twice {
		n.Errorf("%s has call %s twice: %s, %s", n.self.Node, call, was, state)
	}
	n.has[call] = string(state)
}

func (n *node) Lost(call store.CallID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lost = append(n.lost, call)
}

// dialog is what the site has of a call.
func (s *site) dialog(call store.CallID) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, ok := s.state.Dialog(string(call))
	if !ok {
		return "none"
	}
	return d.Owner.Node + ":" + string(d.State)
}

func (s *site) is(call store.CallID, want string) {
	s.Helper()
	if got := s.dialog(call); got != want {
		s.Errorf("the site has %s of call %s, want %s", got, call, want)
	}
}

func calls(n int) (ids []store.CallID) {
	for i := range n {
		ids = append(ids, store.CallID(fmt.Sprint("call-", i)))
	}
	return ids
}

// MS10: the calls of a node that is gone are shared out: each is taken once, by one node,
// as it was kept last.
func TestOrphansAreSharedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, "a", "b", "c")
		a, b, c := s.nodes["a"], s.nodes["b"], s.nodes["c"]
		for _, id := range calls(60) {
			c.custody.Keep(id, []byte("first"))
		}
		synctest.Wait()
		for _, id := range calls(60) {
			c.custody.Keep(id, []byte("latest of "+id))
		}
		synctest.Wait()
		a.run()
		b.run()
		synctest.Wait()
		if len(a.has)+len(b.has) != 0 {
			t.Fatalf("taken from a live node: %v %v", a.has, b.has)
		}
		s.do(registry.NodeGone{Instance: c.self})
		time.Sleep(lookEvery)
		synctest.Wait()
		if len(a.has)+len(b.has) != 60 || len(a.has) < 15 || len(b.has) < 15 {
			t.Errorf("%d and %d calls are taken", len(a.has), len(b.has))
		}
		for _, n := range []*node{a, b} {
			for id, state := range n.has {
				if state != "latest of "+string(id) {
					t.Errorf("%s is taken as %q", id, state)
				}
				s.is(id, n.self.Node+":"+state)
				n.custody.Keep(id, []byte("on"))
			}
		}
		synctest.Wait()
		s.is("call-7", s.dialog("call-7")[:1]+":on")
		// c was not dead: it learns what it has lost, once, and drops nothing of it.
		s.do(registry.NodeUp{Instance: c.self})
		c.run()
		time.Sleep(2 * lookEvery)
		synctest.Wait()
		if len(c.lost) != 60 || c.custody.Own() != 0 || c.custody.Mine(t.Context(), "call-7") {
			t.Errorf("%d calls are known to be lost, %d kept", len(c.lost), c.custody.Own())
		}
		c.custody.Release("call-7")
		synctest.Wait()
		s.is("call-7", s.dialog("call-7")[:1]+":on")
		for _, n := range s.nodes {
			n.stop()
		}
	})
}

// MS10: a node whose turn it is and that does nothing does not keep the others for long;
// a node that starts again takes its own calls, where there is no other.
func TestEachHasItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, "a", "b", "c")
		a, c := s.nodes["a"], s.nodes["c"]
		for _, id := range calls(20) {
			c.custody.Keep(id, []byte("x"))
		}
		synctest.Wait()
		s.do(registry.NodeGone{Instance: c.self})
		a.run()
		time.Sleep(turnTime + 2*lookEvery)
		synctest.Wait()
		if len(a.has) != 20 {
			t.Errorf("%d are taken", len(a.has))
		}
		a.stop()
	})
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, "a")
		before := s.nodes["a"]
		before.custody.Keep("1", []byte("x"))
		synctest.Wait()
		now := &node{site: s, self: registry.Instance{Node: "a", Incarnation: 2}, has: map[store.CallID]string{}, hang: func() {}}
		now.custody = New(Config{Self: now.self, Group: now, Clock: clockwork.NewRealClock(), Logger: hclog.NewNullLogger(), Takers: s.live})
		s.do(registry.NodeUp{Instance: now.self})
		now.run()
		time.Sleep(lookEvery)
		synctest.Wait()
		if now.has["1"] != "x" {
			t.Errorf("has %v", now.has)
		}
		now.stop()
	})
}

// Of what comes faster than the group takes it, the latest is kept; what it does not take
// is told again; a call that has ended is dropped in the end.
func TestTheLatestStateIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, "a")
		a := s.nodes["a"]
		a.run()
		a.hang = func() { time.Sleep(time.Second) }
		for i := range 100 {
			a.custody.Keep("1", fmt.Append(nil, i))
		}
		time.Sleep(5 * time.Second)
		s.is("1", "a:99")
		if n := a.puts.Load(); n > 3 {
			t.Errorf("%d requests", n)
		}
		a.mu.Lock()
		a.hang, a.away = func() {}, errors.New("no quorum")
		a.mu.Unlock()
		a.custody.Keep("1", []byte("later"))
		a.custody.Keep("2", []byte("new"))
		a.custody.Keep("3", []byte("short"))
		time.Sleep(10 * time.Second)
		a.custody.Release("3")
		s.is("1", "a:99")
		a.mu.Lock()
		a.away = nil
		a.mu.Unlock()
		time.Sleep(2 * retryTime)
		s.is("1", "a:later")
		s.is("2", "a:new")
		a.mu.Lock()
		a.away = errors.New("no quorum")
		a.mu.Unlock()
		a.custody.Release("1")
		a.custody.Release("2")
		time.Sleep(10 * time.Second)
		a.mu.Lock()
		a.away = nil
		a.mu.Unlock()
		time.Sleep(2 * retryTime)
		s.is("1", "none")
		s.is("2", "none")
		s.is("3", "none")
		if a.custody.Own() != 0 {
			t.Errorf("%d calls are kept", a.custody.Own())
		}
		a.stop()
	})
}

// A call too large to be kept is not told of again and again.
func TestRefusedStateIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, "a")
		a := s.nodes["a"]
		var asked atomic.Int32
		a.hang = func() { asked.Add(1) }
		a.away = registry.Invalid
		a.run()
		a.custody.Keep("1", []byte("x"))
		time.Sleep(time.Minute)
		if n := asked.Load(); n != 1 {
			t.Errorf("asked %d times", n)
		}
		a.stop()
	})
}

// MS14: a node that stops gives its calls to others, in their latest state: to the next
// where one does not answer, and to nobody where there is none.
func TestCallsAreGiven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, "a", "b", "c")
		a := s.nodes["a"]
		s.nodes["b"].dumb = true
		for _, id := range calls(10) {
			a.custody.Keep(id, []byte("first"))
			a.custody.Keep(id, []byte("last"))
			if !a.custody.Give(t.Context(), id) {
				t.Errorf("%s is not given", id)
			}
			s.is(id, "c:last")
		}
		if len(s.nodes["c"].has) != 10 || a.custody.Own() != 0 {
			t.Errorf("has %v, and a %d", s.nodes["c"].has, a.custody.Own())
		}
		s.nodes["c"].dumb = true
		a.custody.Keep("x", []byte("y"))
		if a.custody.Give(t.Context(), "x") || a.custody.Give(t.Context(), "unknown") {
			t.Error("given to nobody")
		}
		s.is("x", "a:y")
		s.do(registry.NodeGone{Instance: s.nodes["b"].self})
		s.do(registry.NodeGone{Instance: s.nodes["c"].self})
		if a.custody.Give(t.Context(), "x") {
			t.Error("given to nobody")
		}
	})
}

// An answer that is lost leaves no call without a node: whoever owns it has it.
func TestLostAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, "a", "b")
		a, b := s.nodes["a"], s.nodes["b"]
		a.custody.Keep("1", []byte("x"))
		synctest.Wait()
		b.deaf = errors.New("unknown outcome")
		if err := b.custody.Take(t.Context(), b, "1", a.self); err != nil || b.has["1"] != "x" {
			t.Errorf("%v, has %v", err, b.has)
		}
		if err := b.custody.Take(t.Context(), b, "1", a.self); err == nil {
			t.Error("taken twice")
		}
		b.deaf, b.away = nil, errors.New("no quorum")
		if err := b.custody.Take(t.Context(), b, "2", a.self); err == nil || len(b.has) != 1 {
			t.Errorf("%v, has %v", err, b.has)
		}
		if !b.custody.Mine(t.Context(), "1") {
			t.Error("a group that does not answer has taken the call away")
		}
	})
}

func TestOrder(t *testing.T) {
	nodes := []string{"a", "b", "c", "d"}
	firsts := map[string]int{}
	for _, id := range calls(400) {
		got := order(nodes, id)
		firsts[got[0]]++
		again := order([]string{"d", "c", "b", "a"}, id)
		if !slices.Equal(got, again) {
			t.Fatalf("%v and %v", got, again)
		}
		without := order(slices.DeleteFunc(slices.Clone(nodes), func(n string) bool { return n == got[0] }), id)
		if !slices.Equal(without, got[1:]) {
			t.Errorf("%v, and without the first %v", got, without)
		}
		for i, n := range got {
			due := time.Duration(i) * turnTime
			if !isDue(nodes, n, id, due) || i > 0 && isDue(nodes, n, id, due-1) {
				t.Errorf("the turn of %s is not at %v", n, due)
			}
		}
		if isDue(nodes, "stranger", id, time.Hour) {
			t.Error("a stranger has a turn")
		}
	}
	for n, count := range firsts {
		if count < 60 {
			t.Errorf("%s is the first of %d calls of 400", n, count)
		}
	}
}
