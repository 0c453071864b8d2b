package sites

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/conclave-voice/conclave/testenv/caller"
	"github.com/conclave-voice/conclave/testenv/lab"
	"github.com/conclave-voice/conclave/testenv/tone"
)

// MS14, MS15, MS2: one after the other, at two sites at once, all nodes are drained,
// stopped and started again, as with an upgrade, while callers at all of them come, talk
// and go. No call is refused by a node in use, none is lost, each caller hears another of
// its room, and there is one record of each stay.
func TestRollingUpgrade(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3, 3)
	traffic := &traffic{world: w, holds: long(6*time.Second, 15*time.Second), out: map[string]bool{}}
	coming, stop := context.WithCancel(w.ctx)
	defer stop()
	callers, ctx := errgroup.WithContext(coming)
	for n := range 4 {
		room, home, account := fmt.Sprintf("200000%d", n), names[n%2], fmt.Sprintf("account-%d", n)
		w.do("alpha-1", "accounts", "add", account, "--customer", "Lab", "--tariff", "Lab", "--balance", "10000.00")
		w.must(w.operator.AddRoom(w.ctx, w.Lab, "alpha-1", home, room, "--account", account))
		for k := range 5 {
			callers.Go(func() error { return traffic.comeAndGo(ctx, room, int(tone.Caller(k))) })
		}
	}
	began := time.Now()
	for n := range 3 {
		w.pass(2 * time.Second)
		if ctx.Err() != nil {
			break // a call was lost: no need to go on
		}
		both, _ := errgroup.WithContext(ctx)
		for _, site := range names[:2] {
			both.Go(func() error { return traffic.upgrade(ctx, fmt.Sprintf("%s-%d", site, n+1)) })
		}
		w.must(both.Wait())
		w.always()
	}
	took := time.Since(began)
	stop()
	if err := callers.Wait(); err != nil {
		t.Fatal(err)
	}
	w.took(fmt.Sprintf("rolling upgrade of %d nodes, with %d calls", len(w.Nodes()), traffic.calls), took)
	w.stays += traffic.calls
	w.over()
}

// traffic is callers who come and go.
type traffic struct {
	*world
	holds time.Duration // about how long each talks

	mu    sync.Mutex
	out   map[string]bool // nodes that are not to be called
	calls int             // that were in a conference
}

// upgrade takes a node out of use, waits until its calls have ended, and starts it anew.
func (t *traffic) upgrade(ctx context.Context, node string) error {
	p, err := t.Node(node)
	if err != nil {
		return err
	}
	t.use(node, false)
	defer t.use(node, true)
	if _, err := t.operator.Do(t.ctx, t.Lab, node, "nodes", "drain", node); err != nil {
		return err
	}
	if err := t.awaitNoCalls(ctx, p); err != nil {
		return err
	}
	stopping, cancel := context.WithTimeout(t.ctx, patience)
	defer cancel()
	if err := p.Stop(stopping); err != nil {
		return err
	}
	// The drain outlives the node, which another one of its site knows too.
	if _, err := t.operator.Do(t.ctx, t.Lab, t.neighbour(p), "nodes", "undrain", node); err != nil {
		return err
	}
	return p.Restart(t.ctx)
}

// neighbour is another node of a node's site.
func (t *traffic) neighbour(p *lab.Process) string {
	for _, n := range t.Nodes() {
		if n.Site == p.Site && n.Name != p.Name {
			return n.Name
		}
	}
	return p.Name
}

// awaitNoCalls waits until all callers of a node have hung up.
func (t *traffic) awaitNoCalls(ctx context.Context, p *lab.Process) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		m, err := metricsOf(ctx, p)
		if err != nil || m["conclave_calls"] == 0 {
			return err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("wait for the end of %v calls at %s: %w", m["conclave_calls"], p.Name, context.Cause(ctx))
		}
	}
}

// use says whether a node is to be called.
func (t *traffic) use(node string, on bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.out[node] = !on
}

// some is a node that is to be called.
func (t *traffic) some() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var list []string
	for _, n := range t.Nodes() {
		if !t.out[n.Name] {
			list = append(list, n.Name)
		}
	}
	return list[rand.IntN(len(list))]
}

func (t *traffic) isOut(node string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.out[node]
}

// comeAndGo calls a room again and again, with a tone that is its own in the room. A node
// that is taken out of use at this moment may refuse, and another is called, as carriers
// do (RFC 3263 section 4.3).
func (t *traffic) comeAndGo(coming context.Context, room string, hz int) error {
	for coming.Err() == nil {
		at := t.some()
		c, err := t.dial(at, room, hz)
		if refused := (*caller.Refused)(nil); errors.As(err, &refused) && refused.Status == 503 && t.isOut(at) {
			continue
		}
		if err != nil {
			return fmt.Errorf("call %s: %w", at, err)
		}
		t.mu.Lock()
		t.calls++
		t.mu.Unlock()
		if err := t.talk(c, t.holds/2+rand.N(t.holds)); err != nil {
			return fmt.Errorf("caller of room %s at %s: %w", room, at, err)
		}
	}
	return nil
}

// talk waits until the caller hears another, stays for a while, and hangs up.
func (t *traffic) talk(c one, while time.Duration) error {
	within, cancel := context.WithTimeout(t.ctx, patience)
	defer cancel()
	if err := c.awaitAnother(within); err != nil {
		return err
	}
	stay := time.NewTimer(while)
	defer stay.Stop()
	select {
	case <-stay.C:
	case <-c.Done():
		reason, _ := c.Ended()
		return fmt.Errorf("the call was ended: %s\n%s", reason, c.Timeline())
	case <-t.ctx.Done():
	}
	return c.HangUp(t.ctx)
}

// awaitAnother waits until some other caller is heard.
func (c one) awaitAnother(ctx context.Context) error {
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		line := c.Timeline()
		for _, s := range line.Heard {
			if s.Tone != c.tone && s.To.Sub(s.From) > steady/4 {
				return nil
			}
		}
		select {
		case <-ticker.C:
		case <-c.Done():
			reason, _ := c.Ended()
			return fmt.Errorf("the call was ended: %s\n%s", reason, line)
		case <-ctx.Done():
			return fmt.Errorf("nobody was heard: %w\n%s", context.Cause(ctx), line)
		}
	}
}
