package lab_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/testenv/lab"
	"github.com/conclave-voice/conclave/testenv/wan"
)

// SPEC OP2: another program steers a lab that runs, and ends it.
func TestALabIsSteeredFromOutside(t *testing.T) {
	l := start(t, lab.Spec{Sites: []lab.SiteSpec{{Name: "alpha", Nodes: 1}, {Name: "beta"}}})
	ctx := soon(t)
	must(t, l.WaitReady(ctx))
	served := make(chan error, 1)
	go func() { served <- lab.Serve(ctx, l) }()
	c := connect(t, ctx, l.Dir(), served)

	both := lab.LinkChange{Link: wan.Link{From: "alpha", To: "beta"}}
	must(t, c.Cut(ctx, both))
	impaired := both
	impaired.OneWay, impaired.Class, impaired.Impairment = true, "sip", wan.Impairment{Loss: 0.25}
	must(t, c.Impair(ctx, impaired))
	s, err := c.Status(ctx)
	must(t, err)
	if len(s.Links) != 2 || !s.Links[0].Cut || !s.Links[1].Cut || s.Links[0].Classes["sip"].Loss != 0.25 || len(s.Links[1].Classes) != 0 {
		t.Errorf("links %+v", s.Links)
	}
	if len(s.Nodes) != 1 || !s.Nodes[0].Ready || s.Nodes[0].State != "running" || s.Nodes[0].Name != "alpha-1" {
		t.Errorf("nodes %+v", s.Nodes)
	}
	must(t, c.Heal(ctx, both), c.Clear(ctx, both))
	if err := c.Cut(ctx, lab.LinkChange{Link: wan.Link{From: "alpha", To: "gamma"}}); err == nil || !strings.Contains(err.Error(), "the sites are alpha, beta") {
		t.Errorf("error %v", err)
	}

	report, err := c.Call(ctx, lab.CallRequest{Site: "beta", Node: "alpha-1", Number: number, User: user, Password: password, Tone: toneA, Hold: time.Second})
	must(t, err)
	if report.Ended != "hung up" || report.Timeline.Packets == 0 || !strings.Contains(report.Timeline.String(), "audio comes from 10.1.0.1:") {
		t.Errorf("the call ended: %s\n%s", report.Ended, report.Timeline)
	}

	// A call that goes on is seen with what it hears, and ends when it is told to.
	reports := make(chan lab.CallReport, 1)
	go func() {
		report, err := c.Call(ctx, lab.CallRequest{ID: "one", Site: "beta", Node: "alpha-1", Number: number, Keys: code, User: user, Password: password, Hold: time.Hour})
		if err != nil {
			t.Error(err)
		}
		reports <- report
	}()
	const odd = 777 // Hz: no phone listens for it by itself
	go func() {
		if _, err := c.Call(ctx, lab.CallRequest{ID: "two", Site: "beta", Node: "alpha-1", Number: number, Keys: code, User: user, Password: password, Hold: time.Hour, Tone: odd}); err != nil {
			t.Error(err)
		}
		close(reports)
	}()
	for {
		calls, err := c.Calls(ctx)
		must(t, err)
		i := slices.IndexFunc(calls, func(s lab.CallStatus) bool { return s.ID == "one" })
		if i >= 0 && slices.Equal(calls[i].Hears, []int{odd}) {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	must(t, c.HangUp(ctx, "one"))
	if report := <-reports; report.Ended != "hung up" || report.Timeline.Packets == 0 {
		t.Errorf("the call ended: %s\n%s", report.Ended, report.Timeline)
	}
	must(t, c.HangUp(ctx, "two"))
	<-reports
	if err := c.HangUp(ctx, "two"); err == nil || !strings.Contains(err.Error(), `no call "two" goes on`) {
		t.Errorf("error %v", err)
	}

	must(t, c.Node(ctx, "alpha-1", lab.PauseNode), c.Node(ctx, "alpha-1", lab.ResumeNode),
		c.Node(ctx, "alpha-1", lab.KillNode), c.Node(ctx, "alpha-1", lab.StartNode), c.Node(ctx, "alpha-1", lab.RestartNode))
	if err := c.Node(ctx, "alpha-1", "tickle"); err == nil || !strings.Contains(err.Error(), "write start, stop") {
		t.Errorf("error %v", err)
	}
	must(t, c.Down(ctx), <-served)
	if _, err := os.Stat(filepath.Join(l.Dir(), "lab.json")); err == nil {
		t.Error("the state file is left")
	}
	if _, err := lab.NewClient(l.Dir()); err == nil || !strings.Contains(err.Error(), "no lab runs") {
		t.Errorf("error %v", err)
	}
}

// connect waits until the lab is served.
func connect(t *testing.T, ctx context.Context, dir string, served <-chan error) *lab.Client {
	t.Helper()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for {
		c, err := lab.NewClient(dir)
		if err == nil {
			return c
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			t.Fatal(err)
		case err := <-served:
			t.Fatal(err)
		}
	}
}
