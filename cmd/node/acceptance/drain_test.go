package acceptance

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/testenv/baresip"
	"github.com/conclave-voice/conclave/testenv/tone"
)

// refuses awaits that a node takes no call, and says when to try again.
func (c *cluster) refuses(n int, at string) {
	c.Helper()
	await(c.T, c.ctx, at+" refuses a call", func() (string, bool) {
		if _, err := c.nodes[at].Command(c.ctx, "nodes", "list"); err != nil {
			return err.Error(), false // it is starting
		}
		err := phone(c.T, n, baresip.Options{}).Call(c.ctx, operatorNumber, c.nodes[at].SIP())
		return fmt.Sprint(err), err != nil && strings.Contains(err.Error(), "503")
	})
}

// only awaits that the one open conference is a main one at a site.
func (c *cluster) only(by, site string) conference {
	c.Helper()
	return await(c.T, c.ctx, "one conference, at site "+site, func() (conference, bool) {
		list := c.open(by)
		return append(list, conference{})[0], len(list) == 1 && list[0].Focus.Site == site && list[0].Kind == "main"
	})
}

// hearAll awaits that each phone hears all others, by their numbers.
func hearAll(c *cluster, phones map[int]*baresip.Phone) {
	c.Helper()
	for i, p := range phones {
		for j := range phones {
			if j != i {
				must(c.T, p.Hears(c.ctx, tone.Caller(j), time.Second))
			}
		}
	}
}

// MS14, MS4, MS8, OP1: a home site is drained. Its conference goes on at another site, as
// one, with all callers, those too who came in by the drained site; its nodes refuse new
// calls, also one that crashes meanwhile and is back; callers of other sites join. When it
// is in use again, the conference comes home. Each caller has one record of one stay.
func TestDrainASite(t *testing.T) {
	t.Parallel()
	ctx := within(t, 240*time.Second)
	c := startCluster(t, ctx, []string{"a1", "a2"}, []string{"b1"}, []string{"c1"})
	phones := map[int]*baresip.Phone{0: c.call(0, "b1"), 1: c.call(1, "a1")}
	hearAll(c, phones)
	first := c.only("c1", "a")
	command(t, ctx, c.nodes["c1"], "sites", "drain", "a", "--to", "b")
	c.only("c1", "b")
	hearAll(c, phones)
	for _, at := range []string{"a1", "a2"} {
		c.refuses(7, at)
	}
	for _, by := range []string{"a1", "b1", "c1"} {
		if text := command(t, ctx, c.nodes[by], "sites", "list"); !strings.Contains(text, "to b") {
			t.Errorf("sites by %s:\n%s", by, text)
		}
	}
	for _, by := range []string{"a2", "c1"} {
		d := c.showsDrain(by, "a")
		if d.Drain.To != "b" || d.Calls != 1 || d.Raft.Leader == "" || d.Raft.Term == 0 || len(d.Members) != 2 || len(d.Views) != 2 || d.Members[0].Ready != "draining" || d.Members[0].Store != "ok" {
			t.Errorf("site a by %s: %+v", by, d)
		}
		if text := command(t, ctx, c.nodes[by], "sites", "show", "a"); !strings.Contains(text, "drains         to b") {
			t.Errorf("site a by %s:\n%s", by, text)
		}
	}
	c.nodes["a2"].Kill9()
	must(t, c.nodes["a2"].StartAgain())
	c.refuses(7, "a2")
	phones[2] = c.call(2, "c1")
	hearAll(c, phones)
	c.only("b1", "b")

	command(t, ctx, c.nodes["b1"], "sites", "undrain", "a")
	c.only("c1", "a")
	hearAll(c, phones)
	must(t, c.nodes["a2"].WaitReady(ctx))
	phones[3] = c.call(3, "a2")
	hearAll(c, phones)
	for _, p := range phones {
		must(t, p.Hangup(ctx))
	}
	records := await(t, ctx, "a record of each stay", func() (string, bool) {
		text := command(t, ctx, c.nodes["b1"], "xdrs", "list", "-o", "json")
		return text, strings.Count(text, `"focus"`) >= len(phones)
	})
	if n := strings.Count(records, `"focus"`); n != len(phones) || strings.Count(records, `"cause": "hangup"`) != n {
		t.Errorf("%d records:\n%s", n, records)
	}
	await(t, ctx, "the record of the first conference, "+first.ID+", tells of the drain", func() ([]string, bool) {
		ended := endReasons(c, "c1")
		return ended, slices.Contains(ended, store.EndDrain) && len(ended) == 3
	})
}

// endReasons awaits that no conference is open, and tells why each has ended.
func endReasons(c *cluster, by string) []string {
	c.Helper()
	return await(c.T, c.ctx, "all conferences have ended", func() (reasons []string, all bool) {
		var list []struct{ Phase, EndReason string }
		must(c.T, c.nodes[by].Read(c.ctx, &list, "conferences", "list", "--ended"))
		all = true
		for _, one := range list {
			reasons = append(reasons, one.EndReason)
			all = all && one.EndReason != ""
		}
		return reasons, all
	})
}

// siteShown is what `node sites show` tells.
type siteShown struct {
	Drain              struct{ To string }
	Conferences, Calls int
	Raft               struct {
		Leader string
		Term   int
	}
	Members []struct{ Node, Ready, Store string }
	Views   []struct{ From struct{ Site, Node string } }
}

// showsDrain awaits that the site has given its conferences away.
func (c *cluster) showsDrain(by, site string) siteShown {
	c.Helper()
	return await(c.T, c.ctx, "site "+site+" hosts nothing", func() (d siteShown, empty bool) {
		must(c.T, c.nodes[by].Read(c.ctx, &d, "sites", "show", site))
		return d, d.Conferences == 0
	})
}

// MS14, MS12: what operators order outlives the nodes that have heard it, and who was off
// learns it; until it is taken back.
func TestOrdersOutliveRestarts(t *testing.T) {
	t.Parallel()
	ctx := within(t, 180*time.Second)
	c := startCluster(t, ctx, []string{"a1"}, []string{"b1", "b2", "b3"})
	c.nodes["b2"].Kill9()
	command(t, ctx, c.nodes["b1"], "sites", "force-down", "a")
	command(t, ctx, c.nodes["a1"], "nodes", "drain", "b2")
	must(t, c.nodes["b2"].StartAgain())
	c.refuses(0, "b2")
	for _, name := range []string{"b1", "b3"} {
		c.nodes[name].Kill9()
		must(t, c.nodes[name].Restart(ctx))
	}
	mode := func(by string) string {
		var list []struct{ Site, Mode string }
		must(t, c.nodes[by].Read(ctx, &list, "sites", "list"))
		for _, s := range list {
			if s.Site == "a" {
				return s.Mode
			}
		}
		return ""
	}
	for _, by := range []string{"b1", "b2", "b3"} {
		await(t, ctx, by+" knows the verdict", func() (string, bool) { m := mode(by); return m, m == "down" })
	}
	c.refuses(0, "b2")
	command(t, ctx, c.nodes["b3"], "sites", "auto", "a")
	command(t, ctx, c.nodes["b3"], "nodes", "undrain", "b2")
	must(t, c.nodes["b2"].WaitReady(ctx))
	for _, by := range []string{"b1", "b2", "b3"} {
		if m := mode(by); m != "auto" {
			t.Errorf("at %s the verdict is still %s", by, m)
		}
	}
}

// MS14, CF9: without another site a drained one keeps its conferences; when the time of
// the drain is over, the calls that are left end, with a word.
func TestTheTimeOfADrainIsOver(t *testing.T) {
	t.Parallel()
	ctx := within(t, 120*time.Second)
	c := startCluster(t, ctx, []string{"a1", "a2"})
	p := c.call(0, "a1")
	c.only("a1", "a")
	command(t, ctx, c.nodes["a1"], "sites", "drain", "a")
	c.refuses(1, "a1")
	c.only("a1", "a")
	command(t, ctx, c.nodes["a1"], "sites", "drain", "a", "--within", "1s")
	if _, err := p.Closed(ctx); err != nil {
		t.Error(err)
	}
	if ended := endReasons(c, "a1"); len(ended) != 1 {
		t.Errorf("ended: %q", ended)
	}
	if given := c.nodes["a1"].Log(); strings.Contains(given, "another goes on") {
		t.Error("the call was given to another node that drains")
	}
}
