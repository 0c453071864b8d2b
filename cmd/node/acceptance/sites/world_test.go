package sites

import (
	"bytes"
	"context"
	"database/sql"
	"flag"
	"fmt"
	"net"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"go.uber.org/goleak"

	"github.com/conclave-voice/conclave/testenv/lab"
	"github.com/conclave-voice/conclave/testenv/node"
	"github.com/conclave-voice/conclave/testenv/tools"
	"github.com/conclave-voice/conclave/testenv/wan"
)

// atOnce is how many labs run side by side. They wait more than they compute, but under
// the race detector.
func atOnce() string {
	if node.RaceSeveral() {
		return "2"
	}
	return "3"
}

func TestMain(m *testing.M) {
	flag.Parse()
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "test.parallel" })
	if !chosen {
		if err := flag.Set("test.parallel", atOnce()); err != nil {
			panic(err) // there is no such flag any more
		}
	}
	goleak.VerifyTestMain(m)
}

const (
	number = "4989123456"
	code   = "1234567" // of a room whose home is alpha
	// steady is for how long a tone must be there or not.
	steady = 500 * time.Millisecond
	// patience is far more than anything takes that works.
	patience = 40 * time.Second
)

// world is a lab whose nodes are one cluster: alpha, the home of the room, other sites,
// and the database at a place of its own, 40 ms from one another.
type world struct {
	*testing.T
	*lab.Lab
	ctx      context.Context
	operator *lab.Operator
	db       *sql.DB
	stays    int // that were begun
	callers  int
}

// names are those of the sites, in order.
var names = []string{"alpha", "beta", "gamma"}

// newWorld makes sites with so many nodes each.
func newWorld(t *testing.T, nodes ...int) *world {
	t.Helper()
	tools.NeedNamespaces(t)
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute+long(0, time.Hour))
	t.Cleanup(cancel)
	spec := lab.Spec{Database: "db", WAN: wan.Impairment{Delay: 20 * time.Millisecond}, Dir: t.ArtifactDir()}
	for i, n := range nodes {
		spec.Sites = append(spec.Sites, lab.SiteSpec{Name: names[i], Nodes: n})
	}
	spec, operator := lab.Cluster(spec, node.Several(t))
	l, err := lab.Start(ctx, spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		judge(t, l)
	})
	w := &world{T: t, Lab: l, ctx: ctx, operator: operator}
	w.openDatabase()
	w.must(l.WaitReady(ctx), operator.Open(ctx, l, "alpha-1", number), operator.AddRoom(ctx, l, "alpha-1", "alpha", code))
	return w
}

// judge fails a test in which a node has had a panic or a data race, whatever came of it.
func judge(t *testing.T, l *lab.Lab) {
	for _, n := range l.Nodes() {
		text, err := os.ReadFile(n.Dir + ".log")
		if err != nil {
			t.Error(err)
		}
		for _, fault := range []string{"WARNING: DATA RACE", "panic", "fatal error:"} {
			if at := bytes.Index(text, []byte(fault)); at >= 0 {
				t.Errorf("the log of %s: %.4000s", n.Name, text[at:])
			}
		}
	}
}

// openDatabase looks at the database from where it is, so that no cut is in the way.
func (w *world) openDatabase() {
	w.Helper()
	there, err := w.Callers("db")
	w.must(err)
	config, err := pgx.ParseConfig(w.Database)
	w.must(err)
	config.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		return there.DialContext(ctx, network, address)
	}
	w.db = stdlib.OpenDB(*config)
	w.Cleanup(func() { w.db.Close() })
}

func (w *world) must(errs ...error) {
	w.Helper()
	for _, err := range errs {
		if err != nil {
			w.Fatal(err)
		}
	}
}

// long is a time that CONCLAVE_LONG_TESTS=1 makes longer, or CONCLAVE_LONG_TESTS=5m, up to
// that.
func long(short, longer time.Duration) time.Duration {
	asked := os.Getenv("CONCLAVE_LONG_TESTS")
	if asked == "" {
		return short
	}
	if most, err := time.ParseDuration(asked); err == nil {
		return max(short, min(longer, most))
	}
	return longer
}

// until looks again and again until it is so.
func (w *world) until(what string, so func() bool) {
	w.Helper()
	w.untilAtMost(patience, what, so)
}

func (w *world) untilAtMost(patience time.Duration, what string, so func() bool) {
	w.Helper()
	within, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for !so() {
		select {
		case <-within.Done():
			w.Fatalf("in %v it did not come about that %s", patience, what)
		case <-ticker.C:
		}
	}
}

// pass lets a time pass that a fault lasts.
func (w *world) pass(d time.Duration) {
	select {
	case <-time.After(d):
	case <-w.ctx.Done():
	}
}

// cut cuts two sites off from each other, and heal undoes it.
func (w *world) cut(a, b string) {
	w.Helper()
	w.cutOneWay(a, b, "")
	w.cutOneWay(b, a, "")
}

// cutOneWay drops what goes from one site to another, of one class or all.
func (w *world) cutOneWay(from, to, class string) {
	w.Helper()
	w.must(w.WAN().Cut(wan.Link{From: from, To: to}, class))
}

func (w *world) heal(a, b string) {
	w.Helper()
	link := wan.Link{From: a, To: b}
	w.must(w.WAN().Heal(link, ""), w.WAN().Heal(link.Reverse(), ""))
}

// process is a node's.
func (w *world) process(node string) *lab.Process {
	w.Helper()
	p, err := w.Node(node)
	w.must(err)
	return p
}

// nodesOf are those of a site, without some.
func (w *world) nodesOf(site string, but ...string) (list []string) {
	w.Helper()
	s, err := w.Site(site)
	w.must(err)
next:
	for _, n := range s.Nodes {
		for _, b := range but {
			if b == n.Name {
				continue next
			}
		}
		list = append(list, n.Name)
	}
	return list
}

// took logs how long something has taken, for the table in BENCHMARKS.md.
func (w *world) took(what string, d time.Duration) {
	w.Logf("measured: %s: %v", what, d.Round(10*time.Millisecond))
}

// do has an operator's command carried out by a node.
func (w *world) do(by string, args ...string) string {
	w.Helper()
	out, err := w.operator.Do(w.ctx, w.Lab, by, args...)
	if err != nil {
		w.Fatal(fmt.Errorf("%v: %w", args, err))
	}
	return out
}
