package gossip

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"go.uber.org/goleak"
)

// memberlist's own goroutines end within a probe's time after its shutdown.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	firstKey  = bytes.Repeat([]byte{1}, 32)
	secondKey = bytes.Repeat([]byte{2}, 32)
)

// runs makes each start of a node a newer run.
var runs atomic.Uint64

// testLog keeps what is logged.
type testLog struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *testLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *testLog) has(part string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.text.String(), part)
}

func (l *testLog) logger() hclog.Logger {
	return hclog.New(&hclog.LoggerOptions{Output: l, Level: hclog.Info})
}

// host is 127.0.0.n: each node has one, so that cuts can tell them apart.
func host(n byte) netip.Addr { return netip.AddrFrom4([4]byte{127, 0, 0, n}) }

// config is a node "site" + number on a host of its own, in fast pools.
func config(site string, n byte, network *cuts) Config {
	timing := LocalTiming()
	timing.Suspicion, timing.RejoinInterval = 10, 300*time.Millisecond // patient with a busy machine
	bind := netip.AddrPortFrom(host(n), 0)
	return Config{Cluster: "test", Site: site, Node: fmt.Sprint(site, n), Incarnation: runs.Add(1),
		Keys:  [][]byte{firstKey},
		Local: PoolConfig{Bind: bind, Timing: timing}, Wide: PoolConfig{Bind: bind, Timing: timing},
		Logger: hclog.NewNullLogger(), network: network.listen}
}

func start(t *testing.T, c Config) *Gossip {
	t.Helper()
	g, err := Start(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	})
	return g
}

func localSeed(g *Gossip) string { return g.self.get().Addresses.LocalGossip.String() }
func wideSeed(g *Gossip) string  { return g.self.get().Addresses.WideGossip.String() }

// find gives a member as a node knows it; the zero Member if it does not.
func find(g *Gossip, id string) Member {
	for _, m := range g.Members() {
		if m.ID() == id {
			return m
		}
	}
	return Member{}
}

// await waits until a node's members are as wanted.
func await(t *testing.T, g *Gossip, what string, want func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for changed := g.Watch(ctx); !want(); {
		select {
		case <-changed:
		case <-ctx.Done():
			t.Fatalf("%s: not so after a minute at %s: %+v", what, g.self.get().ID(), g.Members())
		}
	}
}

func awaitAlive(t *testing.T, g *Gossip, ids ...string) {
	t.Helper()
	for _, id := range ids {
		await(t, g, id+" alive", func() bool { return find(g, id).Alive })
	}
}

func awaitDead(t *testing.T, g *Gossip, id string) {
	t.Helper()
	await(t, g, id+" dead", func() bool { m := find(g, id); return m.Node != "" && !m.Alive })
}

// awaitLog waits for a line; the log signals nothing, so it looks again and again.
func awaitLog(t *testing.T, l *testLog, part string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !l.has(part); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			l.mu.Lock()
			defer l.mu.Unlock()
			t.Fatalf("not logged: %q; but:\n%s", part, l.text.String())
		}
	}
}
