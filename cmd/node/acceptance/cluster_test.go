package acceptance

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/media/prompt"
	"github.com/conclave-voice/conclave/testenv/baresip"
	"github.com/conclave-voice/conclave/testenv/loopback"
	"github.com/conclave-voice/conclave/testenv/node"
	"github.com/conclave-voice/conclave/testenv/postgres"
	"github.com/conclave-voice/conclave/testenv/tone"
)

// cluster is nodes of several sites that share a database.
type cluster struct {
	*testing.T
	ctx   context.Context
	nodes map[string]*node.Node
}

// flags are added to those of every node.
type flags []string

// startCluster sets a cluster up from nothing with the program's commands: sites with
// the names of their nodes, the first site first. Each node is ready.
func startCluster(t *testing.T, ctx context.Context, sites ...[]string) *cluster {
	t.Helper()
	return startClusterWith(t, ctx, nil, sites...)
}

func startClusterWith(t *testing.T, ctx context.Context, more flags, sites ...[]string) *cluster {
	t.Helper()
	c := &cluster{T: t, ctx: ctx, nodes: map[string]*node.Node{}}
	dsn, authority := postgres.Start(t), filepath.Join(t.TempDir(), "authority")
	run := func(args ...string) string {
		t.Helper()
		out, err := exec.CommandContext(ctx, node.Several(t), args...).CombinedOutput()
		if err != nil {
			t.Fatalf("node %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	token := regexp.MustCompile(`cv_\w+`).FindString(run("init", "--store", dsn))
	run("cluster", "init", "--dir", authority, "--name", "test")
	join := ""
	for i, names := range sites {
		site := string(rune('a' + i))
		for _, name := range names {
			dir := filepath.Join(t.TempDir(), name)
			run("cluster", "add", "--dir", authority, "--out", dir, site, name)
			address := loopback.Address(loopback.Ports(t, 4))
			flags := []string{"--store", dsn, "--cluster-dir", dir, "--cluster", address, "--founders", strings.Join(names, ",")}
			flags = append(flags, more...)
			if join == "" {
				join = address
			} else {
				flags = append(flags, "--join", join)
			}
			c.nodes[name] = node.Start(t, node.Options{Name: name, Command: []string{"run"}, Flags: flags, Token: token, Several: true})
		}
	}
	for _, n := range c.nodes {
		must(t, n.WaitReady(ctx))
	}
	furnish(t, ctx, c.nodes[sites[0][0]])
	return c
}

// call lets a phone call a node and key the room's code.
func (c *cluster) call(n int, at string) *baresip.Phone {
	c.Helper()
	p := phone(c.T, n, baresip.Options{})
	must(c.T, p.Call(c.ctx, operatorNumber, c.nodes[at].SIP()))
	must(c.T, p.SendDigits(c.ctx, operatorCode+"#"))
	return p
}

// conference is an open one, as the API of a node tells it.
type conference struct {
	ID    string
	Kind  string
	Focus struct{ Site, Node string }
}

// open lists the open conferences, by any node.
func (c *cluster) open(by string) (list []conference) {
	c.Helper()
	must(c.T, c.nodes[by].Read(c.ctx, &list, "conferences", "list"))
	return list
}

// MS1, MS2, MS4, CA6, SE2, MS15: callers at three nodes of two sites are in one
// conference at one node, hear one another, and every node tells the same of it.
func TestOneRoomForAllSites(t *testing.T) {
	t.Parallel()
	ctx := within(t, 180*time.Second)
	c := startCluster(t, ctx, []string{"a1", "a2"}, []string{"b1"})
	phones := []*baresip.Phone{c.call(0, "a1"), c.call(1, "a2"), c.call(2, "b1")}
	for i, p := range phones {
		for j := range phones {
			if j != i {
				must(t, p.Hears(ctx, tone.Caller(j), time.Second))
			}
		}
	}
	want := c.open("a1")
	if len(want) != 1 || want[0].Kind != "main" || want[0].Focus.Site != "a" {
		t.Fatalf("%+v", want)
	}
	for name := range c.nodes {
		if got := c.open(name); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s tells %+v, and a1 %+v", name, got, want)
		}
	}
	for _, p := range phones {
		must(t, p.Hangup(ctx))
	}
	records := await(t, ctx, "a record of each stay", func() (string, bool) {
		text := command(t, ctx, c.nodes["b1"], "xdrs", "list", "-o", "json")
		return text, strings.Count(text, `"focus"`) == 3
	})
	for _, at := range []string{"a1", "a2", "b1"} {
		if !strings.Contains(records, fmt.Sprintf(`"node": %q`, at)) {
			t.Errorf("no record with the ingress %s:\n%s", at, records)
		}
	}
	for _, n := range c.nodes {
		must(t, n.Stop(ctx))
	}
}

// MS8, MS16, BL2: the node of the conference is killed. Its callers, who came in by other
// nodes, are told, and are back with each other, as they were; each has one record.
func TestFocusIsKilled(t *testing.T) {
	t.Parallel()
	ctx := within(t, 180*time.Second)
	c := startCluster(t, ctx, []string{"a1", "a2", "a3"}, []string{"b1"})
	w := loadWords(t)
	far := c.call(0, "b1")
	first := await(t, ctx, "the conference is open", func() (conference, bool) {
		if list := c.open("b1"); len(list) == 1 {
			return list[0], true
		}
		return conference{}, false
	})
	others := slices.DeleteFunc([]string{"a1", "a2", "a3"}, func(n string) bool { return n == first.Focus.Node })
	near, other := c.call(1, others[0]), c.call(2, others[1])
	must(t, far.Hears(ctx, tone.Caller(1), time.Second))
	must(t, near.Hears(ctx, tone.Caller(0), time.Second))
	for _, p := range []*baresip.Phone{far, other} {
		must(t, p.SendDigits(ctx, "*6"))
	}
	must(t, near.HearsNone(ctx, time.Second, tone.Caller(0), tone.Caller(2)))

	c.nodes[first.Focus.Node].Kill9()
	w.hears(ctx, near, prompt.Reconnected)
	for _, p := range []*baresip.Phone{far, other} {
		must(t, p.Hears(ctx, tone.Caller(1), time.Second))
	}
	must(t, near.HearsNone(ctx, time.Second, tone.Caller(0), tone.Caller(2)))
	now := c.open("b1")
	if len(now) != 1 || now[0].Focus.Node == first.Focus.Node || now[0].Kind != "main" {
		t.Errorf("%+v, was %+v", now, first)
	}
	for i, p := range map[int]*baresip.Phone{0: far, 2: other} {
		must(t, p.SendDigits(ctx, "*6"))
		must(t, near.Hears(ctx, tone.Caller(i), time.Second))
	}
	for _, p := range []*baresip.Phone{far, near, other} {
		must(t, p.Hangup(ctx))
	}
	records := await(t, ctx, "a record of each stay", func() (string, bool) {
		text := command(t, ctx, c.nodes["b1"], "xdrs", "list", "-o", "json")
		return text, strings.Count(text, `"focus"`) >= 3
	})
	if n := strings.Count(records, `"focus"`); n != 3 || strings.Count(records, `"cause": "hangup"`) != 3 {
		t.Errorf("%d records:\n%s", n, records)
	}
}

// MS14, CF7, MS12: the node of the conference is taken out of use. Its conference goes on
// at another, with its callers, who need not dial again; it takes no more calls; operators
// see so at any node, give commands to the conference there, and say which site is used.
func TestDrainANode(t *testing.T) {
	t.Parallel()
	ctx := within(t, 180*time.Second)
	c := startCluster(t, ctx, []string{"a1", "a2"}, []string{"b1"})
	far := c.call(0, "b1")
	first := await(t, ctx, "the conference is open", func() (conference, bool) {
		list := c.open("b1")
		return append(list, conference{})[0], len(list) == 1
	})
	near := c.call(1, first.Focus.Node)
	must(t, far.Hears(ctx, tone.Caller(1), time.Second))
	command(t, ctx, c.nodes["b1"], "nodes", "drain", first.Focus.Node)
	now := await(t, ctx, "the conference has moved", func() (conference, bool) {
		list := c.open("b1")
		return append(list, conference{})[0], len(list) == 1 && list[0].Focus.Node != first.Focus.Node
	})
	if now.Focus.Site != "a" || now.Kind != "main" {
		t.Errorf("moved to %+v", now)
	}
	must(t, near.Hears(ctx, tone.Caller(0), time.Second))
	must(t, far.Hears(ctx, tone.Caller(1), time.Second))
	if err := phone(t, 2, baresip.Options{}).Call(ctx, operatorNumber, c.nodes[first.Focus.Node].SIP()); err == nil || !strings.Contains(err.Error(), "503") {
		t.Errorf("a new call to the node that drains: %v", err)
	}
	for _, by := range []string{"a1", "b1"} {
		await(t, ctx, by+" tells that the node drains", func() (string, bool) {
			text := command(t, ctx, c.nodes[by], "nodes", "list")
			return text, strings.Contains(text, "draining")
		})
	}
	// By a node that does not host it.
	command(t, ctx, c.nodes["b1"], "conferences", "mute", "Weekly", "caller1")
	must(t, far.HearsNone(ctx, time.Second, tone.Caller(1)))

	command(t, ctx, c.nodes["b1"], "sites", "force-down", "a")
	if text := command(t, ctx, c.nodes["b1"], "sites", "list"); !strings.Contains(text, "down") {
		t.Errorf("sites:\n%s", text)
	}
	local := c.call(3, "b1")
	await(t, ctx, "a local conference", func() (string, bool) {
		list := c.open("b1")
		return fmt.Sprint(list), len(list) == 2 && (list[0].Kind == "local" || list[1].Kind == "local")
	})
	must(t, far.HearsNone(ctx, time.Second, tone.Caller(3))) // it stays where it is
	for _, p := range []*baresip.Phone{far, near, local} {
		must(t, p.Hangup(ctx))
	}
}
