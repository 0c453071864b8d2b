package acceptance

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/media/prompt"
	"github.com/conclave-voice/conclave/testenv/baresip"
	"github.com/conclave-voice/conclave/testenv/tone"
)

// focus is the node of the one open conference, and the others of its site.
func (c *cluster) focus(by string, site ...string) (focus string, others []string) {
	c.Helper()
	first := await(c.T, c.ctx, "the conference is open", func() (conference, bool) {
		list := c.open(by)
		return append(list, conference{})[0], len(list) == 1
	})
	return first.Focus.Node, slices.DeleteFunc(slices.Clone(site), func(n string) bool { return n == first.Focus.Node })
}

// hungUp waits for the usage records of n stays, and wants no more, each ended by its caller.
func (c *cluster) hungUp(by string, n int) {
	c.Helper()
	records := await(c.T, c.ctx, "a record of each stay", func() (string, bool) {
		text := command(c.T, c.ctx, c.nodes[by], "xdrs", "list", "-o", "json")
		return text, strings.Count(text, `"focus"`) >= n
	})
	if got := strings.Count(records, `"focus"`); got != n || strings.Count(records, `"cause": "hangup"`) != n {
		c.Errorf("%d records, want %d:\n%s", got, n, records)
	}
}

// MS10, MS16, BL6: the node that took two calls is killed; the conference is at another.
// Other nodes of the site go on with the calls: the callers, who do nothing, are told, and
// are back with the others, muted who was muted. Each has one record. The node comes back
// and changes nothing.
func TestIngressIsKilled(t *testing.T) {
	t.Parallel()
	ctx := within(t, 240*time.Second)
	c := startCluster(t, ctx, []string{"a1", "a2", "a3"}, []string{"b1"})
	w := loadWords(t)
	far := c.call(0, "b1")
	_, others := c.focus("b1", "a1", "a2", "a3")
	ingress := others[0]
	near, muted := c.call(1, ingress), c.call(2, ingress)
	must(t, far.Hears(ctx, tone.Caller(1), time.Second))
	must(t, far.Hears(ctx, tone.Caller(2), time.Second))
	must(t, muted.SendDigits(ctx, "*6"))
	must(t, far.HearsNone(ctx, time.Second, tone.Caller(2)))

	c.nodes[ingress].Kill9()
	w.hears(ctx, near, prompt.Reconnected)
	must(t, near.Hears(ctx, tone.Caller(0), time.Second))
	must(t, muted.Hears(ctx, tone.Caller(1), time.Second))
	must(t, far.Hears(ctx, tone.Caller(1), time.Second))
	must(t, far.HearsNone(ctx, time.Second, tone.Caller(2)))
	must(t, muted.SendDigits(ctx, "*6"))
	must(t, far.Hears(ctx, tone.Caller(2), time.Second))
	must(t, c.nodes[ingress].Restart(ctx))
	must(t, c.nodes[ingress].WaitReady(ctx))
	must(t, near.Hears(ctx, tone.Caller(2), time.Second))
	for _, p := range []*baresip.Phone{near, muted, far} {
		must(t, p.Hangup(ctx))
	}
	c.hungUp("b1", 3)
	c.balanced()
}

// MS10, MS8, MS4: the node is killed that has the conference and a caller. The caller's
// call and the conference go on at other nodes.
func TestFocusWithItsCallersIsKilled(t *testing.T) {
	t.Parallel()
	ctx := within(t, 240*time.Second)
	c := startCluster(t, ctx, []string{"a1", "a2", "a3"})
	first := c.call(0, "a1")
	focus, others := c.focus("a1", "a1", "a2", "a3")
	second, third := c.call(1, focus), c.call(2, others[0])
	must(t, first.Hears(ctx, tone.Caller(1), time.Second))
	must(t, second.Hears(ctx, tone.Caller(2), time.Second))
	c.nodes[focus].Kill9()
	now := await(t, ctx, "the conference is at another node", func() (conference, bool) {
		list := c.open(others[0])
		return append(list, conference{})[0], len(list) == 1 && list[0].Focus.Node != focus
	})
	if now.Kind != "main" {
		t.Errorf("%+v", now)
	}
	must(t, first.Hears(ctx, tone.Caller(1), time.Second))
	must(t, second.Hears(ctx, tone.Caller(0), time.Second))
	must(t, third.Hears(ctx, tone.Caller(1), time.Second))
	for _, p := range []*baresip.Phone{first, second, third} {
		must(t, p.Hangup(ctx))
	}
	c.hungUp(others[0], 3)
	c.balanced()
}

// MS14: the nodes of a site are stopped and started again one after the other, as for an
// upgrade. No call ends: who talks goes on talking, and each has one record.
func TestNodesAreRestartedUnderCalls(t *testing.T) {
	t.Parallel()
	ctx := within(t, 240*time.Second)
	c := startCluster(t, ctx, []string{"a1", "a2", "a3"})
	phones := []*baresip.Phone{c.call(0, "a1"), c.call(1, "a2"), c.call(2, "a3")}
	all := func(when string) {
		t.Helper()
		for i, p := range phones {
			if err := p.Hears(ctx, tone.Caller((i+1)%3), time.Second); err != nil {
				t.Fatalf("%s: %v", when, err)
			}
		}
	}
	all("at first")
	for _, name := range []string{"a1", "a2", "a3"} {
		must(t, c.nodes[name].Stop(ctx))
		all("after the stop of " + name)
		must(t, c.nodes[name].Restart(ctx))
		must(t, c.nodes[name].WaitReady(ctx))
	}
	all("in the end")
	for _, p := range phones {
		must(t, p.Hangup(ctx))
	}
	c.hungUp("a1", 3)
	c.balanced()
}

// MS10: the only node of a site is killed, and started again at once: it goes on with its own
// calls, for the telephones are still there.
func TestALoneNodeStartsAgain(t *testing.T) {
	t.Parallel()
	ctx := within(t, 240*time.Second)
	c := startCluster(t, ctx, []string{"a1"})
	first, second := c.call(0, "a1"), c.call(1, "a1")
	must(t, first.Hears(ctx, tone.Caller(1), time.Second))
	c.nodes["a1"].Kill9()
	must(t, c.nodes["a1"].Restart(ctx))
	must(t, c.nodes["a1"].AwaitMetric(ctx, "conclave_calls_taken_over_total", nil, func(v float64) bool { return v == 2 }))
	must(t, first.Hears(ctx, tone.Caller(1), time.Second))
	must(t, second.Hears(ctx, tone.Caller(0), time.Second))
	for _, p := range []*baresip.Phone{first, second} {
		must(t, p.Hangup(ctx))
	}
	c.hungUp("a1", 2)
	c.balanced()
}

// balanced waits until no money is reserved any more.
func (c *cluster) balanced() {
	c.Helper()
	for _, n := range c.nodes {
		if n.Running() {
			await(c.T, c.ctx, "no money is reserved", func() (string, bool) {
				text := command(c.T, context.WithoutCancel(c.ctx), n, "accounts", "list", "-o", "json")
				return text, strings.Contains(text, `"reserved": "0.00"`)
			})
			return
		}
	}
}
