package clustering

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/jonboulle/clockwork"
	"go.uber.org/goleak"

	"github.com/conclave-voice/conclave/api/v1"
	"github.com/conclave-voice/conclave/cluster/certs"
	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/testenv/loopback"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// network is a cluster of real nodes, without calls, on this machine.
type network struct {
	*testing.T
	authority string
	join      string
	nodes     map[string]*running
	log       *log
}

// log is what all nodes write; it is shown when the test has failed.
type log struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *log) has(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(strings.ToLower(l.text.String()), text)
}

// running is a node.
type running struct {
	*Cluster
	site, name, founders, dir, data, address string

	sip   netip.AddrPort
	drain atomic.Pointer[Drain]
	stop  func()
}

// noEpochs is a database that has seen no conference.
type noEpochs struct{}

func (noEpochs) RoomEpoch(context.Context, store.RoomID) (uint64, error) { return 0, nil }

// newNetwork makes an authority.
func newNetwork(t *testing.T) *network {
	n := &network{T: t, authority: filepath.Join(t.TempDir(), "authority"), nodes: map[string]*running{}, log: &log{}}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(n.log.text.String())
		}
	})
	n.must(certs.Init(n.authority, "test", time.Now()))
	return n
}

func (n *network) must(err error) {
	n.Helper()
	if err != nil {
		n.Fatal(err)
	}
}

// start starts the nodes of a site, which found it together.
func (n *network) start(site string, names ...string) {
	n.Helper()
	founders := names[0]
	for _, name := range names[1:] {
		founders += "," + name
	}
	for _, name := range names {
		n.startNode(site, name, founders)
	}
}

func (n *network) startNode(site, name, founders string) {
	n.Helper()
	dir := filepath.Join(n.TempDir(), name)
	n.must(certs.Add(n.authority, dir, certs.Identity{Site: site, Node: name}, time.Now()))
	r := &running{dir: dir, data: n.TempDir(), site: site, name: name, founders: founders, address: loopback.Address(loopback.Ports(n, Ports)),
		sip: netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(len(n.nodes) + 1)}), 5060)}
	n.run(r)
	if n.join == "" {
		n.join = r.address
	}
	n.nodes[name] = r
}

// run starts a node, maybe again: with its directory, data and address.
func (n *network) run(r *running) {
	n.Helper()
	place := store.NodeRun{Place: store.Place{Site: r.site, Node: r.name}, Incarnation: time.Now().UnixMicro()}
	c, err := Open(Config{Dir: r.dir, DataDir: r.data, Address: r.address, Join: n.join, Founders: r.founders, Role: "all", SIP: r.sip.String(),
		Draining: func(d Drain) { r.drain.Store(&d) }, Status: func() v1.NodeStatus { return v1.NodeStatus{} }},
		place, noEpochs{}, clockwork.NewRealClock(), hclog.New(&hclog.LoggerOptions{Name: r.name, Level: hclog.Debug, Output: n.log}))
	n.must(err)
	r.Cluster = c
	r.drain.Store(&Drain{})
	c.Serve(nil, nil)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx, func() int { return 0 }) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := errors.Join(<-done, c.Close()); err != nil {
			n.Error(err)
		}
	})
	n.Cleanup(r.stop)
}

// drains says whether the node has been told that it is out of use.
func (r *running) drains() bool { return r.drain.Load().On }

// until waits for something to come true, for far longer than anything takes that works.
func (n *network) until(what string, is func() bool) {
	n.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	patience := time.NewTimer(time.Minute)
	defer patience.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-patience.C:
			n.Fatal("not within a minute: " + what)
		}
	}
}

// together waits until every node knows every other for live.
func (n *network) together() {
	n.Helper()
	for name, r := range n.nodes {
		n.until(name+" knows all", func() bool { return r.alive() == len(n.nodes) })
	}
}

// alive is how many nodes a node knows for live.
func (r *running) alive() (count int) {
	for _, m := range r.gossip.Members() {
		if m.Alive && !m.Left {
			count++
		}
	}
	return count
}

// CA6, MS15: where forwarded calls come from follows who joins and who leaves.
func TestSIPAddressesFollowTheMembers(t *testing.T) {
	n := newNetwork(t)
	n.start("a", "a1")
	first := n.nodes["a1"]
	if got := first.SIPAddresses(); len(got) != 1 || got[0] != first.sip.Addr() {
		t.Errorf("alone: %v", got)
	}
	n.start("b", "b1")
	n.together()
	for _, r := range n.nodes {
		if got := fmt.Sprint(r.SIPAddresses()); got != "[192.0.2.1 192.0.2.2]" {
			t.Errorf("together: %s", got)
		}
	}
	n.nodes["b1"].stop()
	n.until("who has left is forgotten", func() bool { return len(first.SIPAddresses()) == 1 })
}
