package callflow

import (
	"context"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/cluster/registry"
	"github.com/conclave-voice/conclave/media/session"
	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/money"
	"github.com/conclave-voice/conclave/testenv/baresip"
	"github.com/conclave-voice/conclave/testenv/tone"
)

// keeping is what the nodes of a pair keep of their calls; keeper is one node's.
type keeping struct {
	mu     sync.Mutex
	owner  map[store.CallID]string
	states map[store.CallID][]byte
}

type keeper struct {
	*keeping
	node string
}

func (k keeper) Keep(call store.CallID, state []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if owner, known := k.owner[call]; !known || owner == k.node {
		k.owner[call], k.states[call] = k.node, state
	}
}

func (k keeper) Release(call store.CallID) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.owner[call] == k.node {
		delete(k.owner, call)
		delete(k.states, call)
	}
}

func (k keeper) Give(context.Context, store.CallID) bool { return false }

func (k keeper) Mine(_ context.Context, call store.CallID) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.owner[call] == k.node
}

// take gives the one call that is kept to a node, without a word to the one that has it.
func (p *pair) take(ctx context.Context, by string) store.CallID {
	p.site.mu.Lock()
	var id store.CallID
	for id = range p.site.owner {
	}
	p.site.owner[id] = by
	state := p.site.states[id]
	p.site.mu.Unlock()
	p.nodes[by].engine.TakeOver(ctx, id, state)
	return id
}

// kept is what is kept of the one call; ok is false if that is not one.
func (p *pair) kept() (k keptCall, ok bool) {
	p.site.mu.Lock()
	defer p.site.mu.Unlock()
	for _, state := range p.site.states {
		p.must(json.Unmarshal(state, &k))
	}
	return k, len(p.site.states) == 1
}

// MS10, MS12, BL6: a node's call is taken over while the node lives, and does not know.
// It is told by the conference's node, which gives a seat to the last node only, and lets
// go of the call without a word; the caller stays in, with one seat and one stay, and can
// be taken over again.
func TestTakenCallHasOneNode(t *testing.T) {
	p := newPair(t, 100*money.Unit)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	caller := p.dial(ctx, 0, "a", baresip.Options{})
	p.eventually("it is in", func() bool { k, ok := p.kept(); return ok && k.Stay != nil && !k.Standing.Muted })
	for _, by := range []string{"b", "a", "b"} {
		p.take(ctx, by)
		other := map[string]string{"a": "b", "b": "a"}[by]
		p.eventually("the node that had it has let go", func() bool { return p.nodes[other].engine.Calls() == 0 })
		p.eventually("one seat", func() bool { return p.nodes["b"].host.Load().Seats == 1 })
		p.eventually("the stay is known", func() bool { k, ok := p.kept(); return ok && k.Where.Focus == p.focus && k.Call.Node.Node == by })
		if n := len(p.xdrs()); n != 0 {
			t.Fatalf("%d records of a stay that goes on", n)
		}
	}
	near := p.dial(ctx, 1, "b", baresip.Options{})
	p.must(near.Hears(ctx, tone.Caller(0), time.Second))
	p.must(caller.Hears(ctx, tone.Caller(1), time.Second))
	p.must(near.Hangup(ctx))
	p.must(caller.Hangup(ctx))
	p.eventually("one record of each", func() bool { return len(p.xdrs()) == 2 })
	for _, x := range p.xdrs() {
		if x.Cause != store.CauseHangup || x.Ingress.Node != "b" {
			t.Errorf("%+v", x)
		}
	}
	p.nothingLeft()
	if got := p.nodes["b"].engine.TakeOvers(); got.Reached != 2 {
		t.Errorf("%+v", got)
	}
}

// MS10, CA5: a caller who has not keyed the code in yet is taken over, and is asked again;
// one that has hung up meanwhile is not called, and its stay is settled.
func TestTakenCallerIsAskedAgain(t *testing.T) {
	p := newPair(t, 100*money.Unit)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	phone := baresip.Start(p, baresip.Options{Name: "caller0", Tone: tone.Caller(0)})
	p.must(phone.Call(ctx, testNumber, p.nodes["a"].sip.Addrs()[0].Addr.String()))
	p.eventually("it is kept", func() bool { _, ok := p.kept(); return ok })
	id := p.take(ctx, "b")
	p.nodes["a"].engine.Lost(id)
	p.eventually("the node that had it has let go", func() bool { return p.nodes["a"].engine.Calls() == 0 })
	p.must(phone.SendDigits(ctx, testCode+"#"))
	p.eventually("it is in", func() bool { k, ok := p.kept(); return ok && k.Stay != nil })
	k, _ := p.kept()
	p.must(phone.Hangup(ctx))
	p.eventually("it is settled", func() bool { return len(p.xdrs()) == 1 })
	p.nothingLeft()

	// As kept by a node that died: nobody is there any more.
	p.site.mu.Lock()
	p.site.owner[k.Call.ID] = "a"
	p.site.states[k.Call.ID], _ = json.Marshal(k)
	p.site.mu.Unlock()
	p.take(ctx, "a")
	p.eventually("it is forgotten", func() bool { _, ok := p.kept(); return !ok })
	if got := p.nodes["a"].engine.TakeOvers(); got.Unreached != 1 || len(p.xdrs()) != 1 {
		t.Errorf("%+v, %d records", got, len(p.xdrs()))
	}
	p.nothingLeft()
}

// MS10: a node that has no port left for a call that it takes over ends it, and the caller
// knows.
func TestTakenCallWithoutAPort(t *testing.T) {
	p := newPair(t, 100*money.Unit)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	phone := p.dial(ctx, 0, "a", baresip.Options{})
	p.eventually("it is in", func() bool { k, ok := p.kept(); return ok && k.Stay != nil })
	taker := p.nodes["b"].engine.config
	for err := error(nil); err == nil; {
		var s *session.Session
		if s, err = session.Open(taker.Ports, taker.Registry); err == nil {
			defer s.Close()
		}
	}
	id := p.take(ctx, "b")
	p.nodes["a"].engine.Lost(id)
	_, err := phone.Closed(ctx)
	p.must(err)
	p.eventually("it is settled", func() bool { return len(p.xdrs()) == 1 })
	if x := p.xdrs()[0]; x.Cause != store.CauseLost {
		t.Errorf("%+v", x)
	}
	if got := p.nodes["b"].engine.TakeOvers(); got.Unreached != 1 || p.nodes["b"].engine.Calls() != 0 {
		t.Errorf("%+v", got)
	}
}

// What is kept of a call fits into what the site keeps of each.
func TestKeptCallIsSmall(t *testing.T) {
	p := newPair(t, 100*money.Unit)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	phone := p.dial(ctx, 0, "a", baresip.Options{})
	p.eventually("it is in", func() bool { k, ok := p.kept(); return ok && k.Stay != nil })
	p.site.mu.Lock()
	for _, state := range p.site.states {
		if t.Logf("%d bytes", len(state)); len(state) > registry.MaxDialogState/2 {
			t.Errorf("%d bytes are kept of a call: %s", len(state), state)
		}
	}
	p.site.mu.Unlock()
	p.must(phone.Hangup(ctx))
	p.eventually("it is settled", func() bool { return len(p.xdrs()) == 1 })
	p.nothingLeft()
}
