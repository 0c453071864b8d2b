package sites

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/conclave-voice/conclave/testenv/caller"
	"github.com/conclave-voice/conclave/testenv/lab"
	"github.com/conclave-voice/conclave/testenv/node"
	"github.com/conclave-voice/conclave/testenv/tone"
	"github.com/conclave-voice/conclave/testenv/tools"
	"github.com/conclave-voice/conclave/testenv/wan"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	number = "4989123456"
	code   = "1234567" // of a room whose home is alpha
	// steady is for how long a tone must be there or not.
	steady = 500 * time.Millisecond
	// patience is far more than anything takes that works.
	patience = 40 * time.Second
)

// world is a lab whose nodes are one cluster: alpha, the home of the room, beta, and the
// database at a third place, 40 ms from one another.
type world struct {
	*testing.T
	*lab.Lab
	ctx      context.Context
	operator *lab.Operator
	callers  int
}

func newWorld(t *testing.T, alpha, beta int, flags ...string) *world {
	t.Helper()
	tools.NeedNamespaces(t)
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	t.Cleanup(cancel)
	spec, operator := lab.Cluster(lab.Spec{Sites: []lab.SiteSpec{{Name: "alpha", Nodes: alpha}, {Name: "beta", Nodes: beta}}, Database: "db",
		WAN: wan.Impairment{Delay: 20 * time.Millisecond}, Dir: t.ArtifactDir()}, node.Program(t), flags...)
	l, err := lab.Start(ctx, spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &world{T: t, Lab: l, ctx: ctx, operator: operator}
	w.must(l.WaitReady(ctx), operator.Open(ctx, l, "alpha-1", number), operator.AddRoom(ctx, l, "alpha-1", "alpha", code))
	return w
}

func (w *world) must(errs ...error) {
	w.Helper()
	for _, err := range errs {
		if err != nil {
			w.Fatal(err)
		}
	}
}

// one is a caller, with a tone that is its own.
type one struct {
	*caller.Call
	w    *world
	tone int
}

// call lets a new caller of the node's site call the node and key the code.
func (w *world) call(at string) one {
	w.Helper()
	c, err := w.tryCall(at)
	w.must(err)
	return c
}

func (w *world) tryCall(at string) (one, error) {
	p, err := w.Node(at)
	w.must(err)
	phone, err := w.Phone(p.Site)
	w.must(err)
	hz := int(tone.Caller(w.callers % 9)) // what phones listen for
	w.callers++
	c, err := phone.Call(w.ctx, caller.Dial{To: p.At(lab.SIPPort), Number: number, From: at, Keys: code + "#", Tone: hz})
	return one{c, w, hz}, err
}

// hear waits until each hears all the others.
func (w *world) hear(all ...one) {
	w.Helper()
	for _, a := range all {
		for _, b := range all {
			if a.tone != b.tone {
				within, cancel := context.WithTimeout(w.ctx, patience)
				err := a.AwaitTone(within, b.tone, steady)
				cancel()
				if err != nil {
					w.Fatalf("the caller with %d Hz does not hear %d Hz: %v\n%s", a.tone, b.tone, err, a.Timeline())
				}
			}
		}
	}
}

// deaf waits until none of the first hears any of the others.
func (w *world) deaf(those, others []one) {
	w.Helper()
	for _, a := range those {
		for _, b := range others {
			w.must(a.AwaitNoTone(w.ctx, b.tone, steady))
		}
	}
}

// cut cuts two sites off from each other, and heal undoes it.
func (w *world) cut(a, b string) {
	w.Helper()
	link := wan.Link{From: a, To: b}
	w.must(w.WAN().Cut(link, ""), w.WAN().Cut(link.Reverse(), ""))
}

func (w *world) heal(a, b string) {
	w.Helper()
	link := wan.Link{From: a, To: b}
	w.must(w.WAN().Heal(link, ""), w.WAN().Heal(link.Reverse(), ""))
}

// hangUp ends calls.
func (w *world) hangUp(all ...one) {
	w.Helper()
	for _, c := range all {
		w.must(c.HangUp(w.ctx))
	}
}

// conference is one that is open.
type conference struct {
	ID    string
	Kind  string
	Focus struct{ Site, Node string }
}

// open lists the open conferences by a node.
func (w *world) open(by string) (list []conference) {
	w.Helper()
	out, err := w.operator.Do(w.ctx, w.Lab, by, "conferences", "list", "-o", "json")
	w.must(err)
	w.must(json.Unmarshal([]byte(out), &list))
	return list
}

// theOne waits until one conference is open, by a node.
func (w *world) theOne(by string) conference {
	w.Helper()
	for {
		if list := w.open(by); len(list) == 1 {
			return list[0]
		}
		select {
		case <-w.ctx.Done():
			w.Fatal("no conference was opened")
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// record is of one stay.
type record struct {
	ID, Cause string
	Ingress   struct{ Site, Node string }
	Focus     struct{ Site, Node string }
}

// records waits for so many, and for no more.
func (w *world) records(by string, n int) (list []record) {
	w.Helper()
	for {
		out, err := w.operator.Do(w.ctx, w.Lab, by, "xdrs", "list", "-o", "json")
		w.must(err)
		w.must(json.Unmarshal([]byte(out), &list))
		if len(list) >= n {
			break
		}
		select {
		case <-w.ctx.Done():
			w.Fatalf("%d records, want %d: %s", len(list), n, out)
		case <-time.After(200 * time.Millisecond):
		}
	}
	seen := map[string]bool{}
	for _, r := range list {
		seen[r.ID] = true
	}
	if len(list) != n || len(seen) != n {
		w.Errorf("%d records of %d stays, want %d: %+v", len(list), len(seen), n, list)
	}
	return list
}

// took logs how long something has taken since, for the table in BENCHMARKS.md.
func (w *world) took(what string, since time.Time) {
	w.Logf("measured: %s: %v", what, time.Since(since).Round(10*time.Millisecond))
}
