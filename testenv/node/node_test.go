package node

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const fake = "./testenv/node/testdata/fakenode"

func bounded(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestANodesLife(t *testing.T) {
	ctx := bounded(t)
	n := Start(t, Options{Package: fake})
	must(t, n.WaitReady(ctx), n.AwaitLog(ctx, "log line"))

	if err := n.Restart(ctx); err == nil {
		t.Error("a running node is started again")
	}
	must(t, n.Stop(ctx))
	must(t, n.Restart(ctx))
	n.Kill9()
	if n.Running() {
		t.Error("it runs after kill -9")
	}
	if err := n.WaitReady(ctx); err == nil || !strings.Contains(err.Error(), "has ended") {
		t.Errorf("a dead node: %v", err)
	}
	must(t, n.Restart(ctx))
	starts, err := os.ReadFile(filepath.Join(n.DataDir(), "starts"))
	must(t, err)
	if got := strings.Count(string(starts), "started"); got != 3 {
		t.Errorf("started %d times with one data directory", got)
	}
}

func TestMeasures(t *testing.T) {
	ctx := bounded(t)
	n := Start(t, Options{Package: fake})
	must(t, n.WaitReady(ctx))
	goroutines, err := n.Goroutines(ctx)
	must(t, err)
	fds, err := n.FDs()
	must(t, err)
	memory, err := n.Memory()
	must(t, err)
	if goroutines < 2 || fds < 4 || memory < 1<<20 {
		t.Errorf("%d goroutines, %d files, %d bytes", goroutines, fds, memory)
	}
	ok, err := n.Metric(ctx, "promhttp_metric_handler_requests_total", Labels{"code": "200"})
	must(t, err)
	all, err := n.Metric(ctx, "promhttp_metric_handler_requests_total", nil)
	must(t, err)
	if ok < 1 || all < ok {
		t.Errorf("%g requests, %g of them good", all, ok)
	}
	must(t, n.AwaitMetric(ctx, "promhttp_metric_handler_requests_total", Labels{"code": "200"}, func(v float64) bool { return v >= ok+3 }))
	if _, err := n.Metric(ctx, "go_goroutines", Labels{"no": "such"}); err == nil {
		t.Error("a series that is not there has a value")
	}
}

// failing is a test that may fail without failing this one.
type failing struct {
	testing.TB
	cleanups []func()
	errors   []string
}

func (f *failing) Helper()          {}
func (f *failing) Cleanup(c func()) { f.cleanups = append(f.cleanups, c) }
func (f *failing) Errorf(format string, a ...any) {
	f.errors = append(f.errors, fmt.Sprintf(format, a...))
}

func TestARaceInTheLogFailsTheTest(t *testing.T) {
	ctx := bounded(t)
	f := &failing{TB: t}
	n := Start(f, Options{Package: fake, Flags: []string{"--fault"}})
	must(t, n.WaitReady(ctx))
	for i := len(f.cleanups) - 1; i >= 0; i-- {
		f.cleanups[i]()
	}
	if len(f.errors) != 1 || !strings.Contains(f.errors[0], "DATA RACE") {
		t.Errorf("errors %q", f.errors)
	}
}
