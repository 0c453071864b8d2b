package lab_test

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/testenv/caller"
	"github.com/conclave-voice/conclave/testenv/lab"
	"github.com/conclave-voice/conclave/testenv/node"
	"github.com/conclave-voice/conclave/testenv/tools"
	"github.com/conclave-voice/conclave/testenv/wan"
)

// SPEC OP2, MS2, MS5: nodes of two sites are one cluster over the WAN, with the database
// at a third. Callers of both sites hear each other; when the sites are cut apart, those
// of the site that is not the room's home talk in a conference of their own.
func TestAClusterIsCutApart(t *testing.T) {
	tools.NeedRoot(t, "network namespaces")
	program := node.Program(t)
	if help, _ := exec.Command(program, "run", "--help").Output(); !strings.Contains(string(help), "--cluster-dir") {
		t.Skip("the program knows no clusters yet")
	}
	spec, operator := lab.Cluster(lab.Spec{Sites: []lab.SiteSpec{{Name: "alpha", Nodes: 3}, {Name: "beta", Nodes: 2}}, Database: "db",
		WAN: wan.Impairment{Delay: 40 * time.Millisecond}, Dir: t.ArtifactDir()}, program)
	l, ctx := start(t, spec), soon(t)
	must(t, l.WaitReady(ctx), operator.Open(ctx, l, "alpha-1", number), operator.AddRoom(ctx, l, "alpha-2", "alpha", "1234567"))
	join := func(site, node string, tone int) *caller.Call {
		phone, err := l.Phone(site)
		must(t, err)
		p, err := l.Node(node)
		must(t, err)
		c, err := phone.Call(ctx, caller.Dial{To: p.At(lab.SIPPort), Number: number, From: site, Keys: "1234567#", Tone: tone})
		must(t, err)
		return c
	}
	home, far := join("alpha", "alpha-1", toneA), join("beta", "beta-1", toneB)
	must(t, home.AwaitTone(ctx, toneB, steady), far.AwaitTone(ctx, toneA, steady))
	if out, err := operator.Do(ctx, l, "beta-2", "conferences", "list"); err != nil || !strings.Contains(out, "alpha-") {
		t.Errorf("conferences: %v\n%s", err, out)
	}

	cut := time.Now()
	link := wan.Link{From: "alpha", To: "beta"}
	must(t, l.WAN().Cut(link, ""), l.WAN().Cut(link.Reverse(), ""))
	must(t, far.AwaitNoTone(ctx, toneA, steady))
	other := join("beta", "beta-2", 620)
	must(t, other.AwaitTone(ctx, toneB, steady))
	t.Logf("%v after the cut, callers of the site hear each other", time.Since(cut).Round(100*time.Millisecond))
	if share := home.Timeline().Share(toneB, cut.Add(time.Second), time.Now()); share != 0 {
		t.Errorf("through the cut the home site hears beta for %v of the time", share)
	}
	for _, c := range []*caller.Call{home, far, other} {
		must(t, c.HangUp(ctx))
	}
}
