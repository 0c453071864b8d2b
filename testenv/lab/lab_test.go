package lab_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"github.com/conclave-voice/conclave/testenv/baresip"
	"github.com/conclave-voice/conclave/testenv/caller"
	"github.com/conclave-voice/conclave/testenv/lab"
	"github.com/conclave-voice/conclave/testenv/node"
	"github.com/conclave-voice/conclave/testenv/postgres"
	"github.com/conclave-voice/conclave/testenv/sipp"
	"github.com/conclave-voice/conclave/testenv/tools"
	"github.com/conclave-voice/conclave/testenv/wan"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The demo data of `node dev`.
const (
	number   = "18665552637"
	code     = "123456#"
	user     = "alice"
	password = "wonderland"
)

func must(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// dev is how `node dev` runs at a place. Its API is for programs on the node's own
// machine.
func dev(program string) func(lab.Plan, lab.Node) lab.Command {
	return func(_ lab.Plan, n lab.Node) lab.Command {
		api := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), lab.HTTPPort)
		return lab.Command{Path: program, Ready: api, Args: []string{"dev", "--data", n.Dir, "--sip", n.At(lab.SIPPort).String(),
			"--http", api.String(), "--rtp", fmt.Sprintf("%d-%d", lab.FirstRTPPort, lab.LastRTPPort)}}
	}
}

// start starts a lab that is closed, and whose logs are judged, when the test ends.
func start(t *testing.T, spec lab.Spec) *lab.Lab {
	t.Helper()
	tools.NeedNamespaces(t)
	spec.Dir, spec.Log = t.ArtifactDir(), hclog.NewNullLogger()
	if spec.Command == nil {
		spec.Command = dev(node.Program(t))
	}
	l, err := lab.Start(soon(t), spec)
	must(t, err)
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		for _, n := range l.Nodes() {
			p, err := l.Node(n.Name)
			must(t, err)
			log, err := os.ReadFile(p.Log)
			must(t, err)
			if strings.Contains(string(log), "DATA RACE") || strings.Contains(string(log), "panic:") {
				t.Errorf("the log of %s:\n%s", n.Name, log)
			}
		}
	})
	return l
}

// call joins a caller of a site to the demo room of a node.
func call(t *testing.T, l *lab.Lab, site, node string, tone int) *caller.Call {
	t.Helper()
	phone, err := l.Phone(site)
	must(t, err)
	p, err := l.Node(node)
	must(t, err)
	c, err := phone.Call(soon(t), caller.Dial{To: p.At(lab.SIPPort), Number: number, From: site, Keys: code, Tone: tone, User: user, Password: password})
	must(t, err)
	return c
}

const (
	toneA, toneB = 420, 1010
	steady       = 500 * time.Millisecond
)

// SPEC OP2, MS2: callers at two sites reach a node at a third over the WAN and hear each
// other; a cut silences exactly what it cuts; healing brings it back.
func TestCallersAtTwoSitesAndACut(t *testing.T) {
	l := start(t, lab.Spec{Sites: []lab.SiteSpec{{Name: "alpha", Nodes: 1}, {Name: "beta"}, {Name: "gamma"}},
		WAN: wan.Impairment{Delay: 30 * time.Millisecond}})
	ctx := soon(t)
	must(t, l.WaitReady(ctx))
	a, b := call(t, l, "beta", "alpha-1", toneA), call(t, l, "gamma", "alpha-1", toneB)
	must(t, a.AwaitTone(ctx, toneB, steady), b.AwaitTone(ctx, toneA, steady))

	// What gamma says is not heard any more, but gamma hears.
	must(t, l.WAN().Cut(wan.Link{From: "gamma", To: "alpha"}, ""))
	must(t, a.AwaitNoTone(ctx, toneB, steady))
	silent := time.Now()
	must(t, b.AwaitTone(ctx, toneA, 2*time.Second))
	if share := a.Timeline().Share(toneB, silent, time.Now()); share != 0 {
		t.Errorf("through the cut beta hears gamma for %v of the time", share)
	}
	must(t, l.WAN().Heal(wan.Link{From: "gamma", To: "alpha"}, ""))
	must(t, a.AwaitTone(ctx, toneB, steady))

	// Hold and mute are as a telephone's.
	must(t, b.Hold(ctx), a.AwaitNoTone(ctx, toneB, steady), b.Resume(ctx), a.AwaitTone(ctx, toneB, steady))
	b.Mute(true)
	must(t, a.AwaitNoTone(ctx, toneB, steady))
	b.Mute(false)
	must(t, a.AwaitTone(ctx, toneB, steady))

	// Only audio is cut, to gamma: it hears nothing, not even silence.
	must(t, l.WAN().Cut(wan.Link{From: "alpha", To: "gamma"}, "rtp"))
	must(t, b.AwaitNoTone(ctx, toneA, steady), a.AwaitTone(ctx, toneB, steady))
	now := time.Now()
	if gap := b.Timeline().Silence(now.Add(-steady), now); gap != steady {
		t.Errorf("through the cut gamma has audio: none for %v of %v\n%s", gap, steady, b.Timeline())
	}
	must(t, l.WAN().Heal(wan.Link{From: "alpha", To: "gamma"}, "rtp"))
	must(t, b.AwaitTone(ctx, toneA, steady), a.HangUp(ctx), b.HangUp(ctx))
}

// SPEC OP2: a node is paused, resumed, stopped, killed and started again.
func TestANodesLife(t *testing.T) {
	l := start(t, lab.Spec{Sites: []lab.SiteSpec{{Name: "alpha", Nodes: 2}}})
	ctx := soon(t)
	must(t, l.WaitReady(ctx))
	p, err := l.Node("alpha-2")
	must(t, err)
	if err := p.Start(); err == nil {
		t.Error("a node that runs is started again")
	}
	must(t, p.Pause())
	brief, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	if _, err := p.Get(brief, "/readyz"); err == nil || p.State() != "paused" {
		t.Errorf("a paused node answers, state %s: %v", p.State(), err)
	}
	must(t, p.Resume(), p.WaitReady(ctx), p.Stop(ctx), p.Restart(ctx))
	first := p.PID()
	p.Kill()
	if p.Running() || p.PID() != 0 || p.State() != "ended" {
		t.Errorf("after a kill: %s", p.State())
	}
	if err := p.Pause(); err == nil {
		t.Error("a dead node is paused")
	}
	must(t, p.Restart(ctx))
	if p.PID() == first {
		t.Error("it is the process that was killed")
	}
	if _, err := l.Node("alpha-3"); err == nil || !strings.Contains(err.Error(), "alpha-1 alpha-2") {
		t.Errorf("error %v", err)
	}
}

// SPEC OP2, MS7: PostgreSQL has a site of its own; nodes of other sites reach it over
// the WAN, and it can be cut off alone.
func TestDatabaseOverTheWAN(t *testing.T) {
	tools.NeedNamespaces(t)
	program := node.Several(t)
	l := start(t, lab.Spec{Sites: []lab.SiteSpec{{Name: "alpha", Nodes: 1}, {Name: "beta", Nodes: 1}}, Database: "db",
		WAN: wan.Impairment{Delay: 5 * time.Millisecond},
		Prepare: func(ctx context.Context, l *lab.Lab) error {
			_, err := l.Run(ctx, "db", lab.Command{Path: program, Args: []string{"init", "--store", l.Database}})
			return err
		},
		Command: func(p lab.Plan, n lab.Node) lab.Command {
			return lab.Command{Path: program, Args: []string{"run", "--site", n.Site, "--node", n.Name, "--data", n.Dir, "--store", p.Database,
				"--sip", n.At(lab.SIPPort).String(), "--http", n.At(lab.HTTPPort).String()}}
		}})
	ctx := soon(t)
	must(t, l.WaitReady(ctx))
	ask := func() error {
		at, err := l.Callers("alpha")
		must(t, err)
		config, err := pgx.ParseConfig(l.Database)
		must(t, err)
		config.DialFunc = at.DialContext
		brief, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		conn, err := pgx.ConnectConfig(brief, config)
		if err == nil {
			err = conn.Close(brief)
		}
		return err
	}
	must(t, ask())
	must(t, l.WAN().Cut(wan.Link{From: "alpha", To: "db"}, "database"))
	if ask() == nil {
		t.Error("the database is reached through a cut")
	}
	must(t, l.WAN().Heal(wan.Link{From: "alpha", To: "db"}, "database"))
	must(t, ask())
	must(t, l.Isolate("db"))
	if ask() == nil {
		t.Error("the database is reached at a site that is cut off")
	}
	must(t, l.Reconnect("db"), ask())
}

// SPEC OP2: nodes reach a database that is there already where the lab has it, and over
// the WAN like one of its own.
func TestDatabaseThatIsThere(t *testing.T) {
	tools.NeedNamespaces(t)
	store := postgres.Start(t)
	l := start(t, lab.Spec{Sites: []lab.SiteSpec{{Name: "alpha", Nodes: 1}}, Database: "db", Store: store,
		Command: func(lab.Plan, lab.Node) lab.Command { return lab.Command{Path: "/bin/true"} }})
	ctx := soon(t)
	at, err := l.Callers("alpha")
	must(t, err)
	config, err := pgx.ParseConfig(l.Database)
	must(t, err)
	if host := config.Host; host != "10.2.0.200" {
		t.Errorf("the database is at %s", host)
	}
	config.DialFunc = at.DialContext
	conn, err := pgx.ConnectConfig(ctx, config)
	must(t, err)
	_, err = conn.Exec(ctx, "CREATE TABLE through_the_wan (id TEXT)")
	must(t, err, conn.Close(ctx))
	direct, err := pgx.Connect(ctx, store)
	must(t, err)
	_, err = direct.Exec(ctx, "SELECT id FROM through_the_wan")
	must(t, err, direct.Close(ctx))
}

// SPEC OP2: the telephones that others make live at a site too.
func TestSIPpAndBaresipAtTheirSites(t *testing.T) {
	tools.Need(t, tools.SIPp, tools.Baresip)
	l := start(t, lab.Spec{Sites: []lab.SiteSpec{{Name: "alpha", Nodes: 1}, {Name: "beta"}, {Name: "gamma"}}})
	ctx := soon(t)
	must(t, l.WaitReady(ctx))
	p, err := l.Node("alpha-1")
	must(t, err)
	target := p.At(lab.SIPPort).String()
	beta, err := l.Site("beta")
	must(t, err)
	inBeta, err := l.Callers("beta")
	must(t, err)

	ours := call(t, l, "gamma", "alpha-1", toneA)
	phone := baresip.Start(t, baresip.Options{Name: "theirs", Local: beta.Callers.String(), In: inBeta, Tone: toneB, Username: user, Password: password})
	must(t, phone.Call(ctx, number, target), phone.SendDigits(ctx, code), ours.AwaitTone(ctx, toneB, steady))

	result := sipp.Call(t, ctx, sipp.Caller{Target: target, Number: number, Local: beta.Callers.String(), In: inBeta, Username: user, Password: password})
	if result.Successful != 1 {
		t.Errorf("SIPp: %+v", result)
	}
}

// SPEC OP2: many callers in one process, at two sites, all hear the one who speaks.
func TestManyCallers(t *testing.T) {
	const callers = 40
	l := start(t, lab.Spec{Sites: []lab.SiteSpec{{Name: "alpha", Nodes: 1}, {Name: "beta"}, {Name: "gamma"}}})
	ctx := soon(t)
	must(t, l.WaitReady(ctx))
	var calls []*caller.Call
	for i := range callers {
		tone := 0
		if i == 0 {
			tone = toneB
		}
		calls = append(calls, call(t, l, []string{"beta", "gamma"}[i%2], "alpha-1", tone))
	}
	for _, c := range calls[1:] {
		must(t, c.AwaitTone(ctx, toneB, steady/2))
	}
	must(t, calls[0].AwaitNoTone(ctx, toneB, steady)) // nobody hears itself
	for _, c := range calls {
		must(t, c.HangUp(ctx))
	}
}
