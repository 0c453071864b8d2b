package gossip

import (
	"bytes"
	"net/netip"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
)

// MS15: one address of either pool and the key are enough to join both pools, and
// everybody hears what a node says of itself.
func TestOneAddressIsEnoughToJoin(t *testing.T) {
	network := newCuts()
	c := config("a", 1, network)
	c.Role, c.Version, c.Raft = RoleEdge, "1.2.3", []byte("raft")
	c.Addresses = Addresses{SIP: "127.0.0.1:5060", RPC: "node.example:7000", HTTP: "[::1]:8080"}
	a1 := start(t, c)

	c = config("a", 2, network)
	c.Local.Seeds = []string{localSeed(a1)}
	a2 := start(t, c)
	c = config("b", 3, network)
	c.Wide.Seeds = []string{wideSeed(a1)}
	b3 := start(t, c)
	c = config("b", 4, network)
	c.Wide.Seeds = []string{wideSeed(a1)} // it finds b3's local pool from there
	b4 := start(t, c)

	for _, g := range []*Gossip{a1, a2, b3, b4} {
		awaitAlive(t, g, "a/a1", "a/a2", "b/b3", "b/b4")
	}
	await(t, a2, "a1 in the local pool", func() bool { return a2.local.members.incarnation("a/a1") != 0 })
	await(t, a2, "a1 in the wide pool", func() bool { return a2.wide.members.incarnation("a/a1") != 0 })
	await(t, b4, "b3 in the local pool", func() bool { return b4.local.members.incarnation("b/b3") != 0 })

	want := a1.self.get()
	got := find(a2, "a/a1")
	if got.Role != want.Role || got.Addresses != want.Addresses || got.Version != want.Version ||
		got.Incarnation != want.Incarnation || string(got.Raft) != "raft" || got.Since.IsZero() {
		t.Errorf("a2 knows %+v, want %+v", got, want)
	}
	if got := find(b4, "a/a1"); got.Addresses != want.Addresses || got.Raft != nil {
		t.Errorf("b4 knows %+v, want %+v without Raft", got, want)
	}

	a1.SetLoad(Load{Participants: 70, Capacity: 500})
	a1.SetDraining(true)
	if err := a1.SetRaft([]byte("voter")); err != nil {
		t.Fatal(err)
	}
	for _, g := range []*Gossip{a1, a2, b4} {
		await(t, g, "a1's load and draining", func() bool {
			m := find(g, "a/a1")
			return m.Load == Load{70, 500} && m.Draining
		})
	}
	await(t, a2, "a1's announcement", func() bool { return string(find(a2, "a/a1").Raft) == "voter" })
	if a1.SetRaft(make([]byte, maxRaft+1)) == nil {
		t.Error("an announcement over the limit was taken")
	}
}

// MS15: who leaves is not taken for failed, and may come back.
func TestLeavingIsNotFailing(t *testing.T) {
	network := newCuts()
	a1 := start(t, config("a", 1, network))
	c := config("a", 2, network)
	c.Local.Seeds = []string{localSeed(a1)}
	a2 := start(t, c)
	awaitAlive(t, a1, "a/a2")
	awaitAlive(t, a2, "a/a1")
	if err := a2.Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time there is nothing to do
		if err := a2.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if a2.Leave(t.Context()) == nil {
		t.Error("it left after it was closed")
	}
	await(t, a1, "a2 left", func() bool { m := find(a1, "a/a2"); return !m.Alive && m.Left })
	if left := a1.book.addresses(local); len(left) != 0 {
		t.Errorf("still looks for it at %v", left)
	}
	c.Incarnation = runs.Add(1)
	start(t, c)
	await(t, a1, "a2 back", func() bool { m := find(a1, "a/a2"); return m.Alive && !m.Left })
}

// MS3: after a cut in which each side holds the other for dead, they find each other
// again by themselves, which memberlist alone never does.
func TestACutHeals(t *testing.T) {
	network := newCuts()
	a1 := start(t, config("a", 1, network))
	c := config("a", 2, network)
	c.Local.Seeds = []string{localSeed(a1)}
	a2 := start(t, c)
	c = config("b", 3, network)
	c.Wide.Seeds = []string{wideSeed(a1)}
	b3 := start(t, c)
	awaitAlive(t, b3, "a/a1", "a/a2")
	awaitAlive(t, a2, "b/b3")
	here, there := []netip.Addr{host(1), host(2)}, []netip.Addr{host(3)}
	network.set(true, here, there)
	for _, g := range []*Gossip{a1, a2} {
		awaitDead(t, g, "b/b3")
	}
	awaitDead(t, b3, "a/a1")
	awaitDead(t, b3, "a/a2")
	if !find(a1, "a/a2").Alive {
		t.Error("a2 is dead for its own site")
	}
	network.set(false, here, there)
	awaitAlive(t, b3, "a/a1", "a/a2")
	awaitAlive(t, a1, "b/b3")
	awaitAlive(t, a2, "b/b3")
}

// MS15: a node that crashed is back at another address, and its older run is not let in
// again.
func TestACrashedNodeComesBackElsewhere(t *testing.T) {
	network := newCuts()
	log := &testLog{}
	c := config("a", 1, network)
	c.Logger = log.logger()
	a1 := start(t, c)
	old := config("a", 2, network)
	old.Local.Seeds = []string{localSeed(a1)}
	a2 := start(t, old)
	awaitAlive(t, a1, "a/a2")
	if err := a2.Close(); err != nil { // without a good-bye
		t.Fatal(err)
	}
	again := old
	again.Incarnation = runs.Add(1)
	again.Local.Bind = netip.AddrPortFrom(host(9), 0)
	again.Wide.Bind = again.Local.Bind
	back := start(t, again)
	await(t, a1, "the new run", func() bool {
		m := find(a1, "a/a2")
		return m.Alive && m.Incarnation == again.Incarnation && m.Addresses.LocalGossip.Addr() == host(9)
	})
	awaitAlive(t, back, "a/a1")
	if err := back.Close(); err != nil {
		t.Fatal(err)
	}
	awaitDead(t, a1, "a/a2")
	start(t, old)
	awaitLog(t, log, "stop the older program")
	if find(a1, "a/a2").Alive {
		t.Error("the older run was let in")
	}
}

// MS15: a node finds its cluster by what it learnt in an earlier run, without seeds.
func TestLearntAddressesSurviveARestart(t *testing.T) {
	network := newCuts()
	a1 := start(t, config("a", 1, network))
	c := config("b", 2, network)
	c.Wide.Seeds = []string{wideSeed(a1)}
	c.SeedFile = filepath.Join(t.TempDir(), "seeds.json")
	b2 := start(t, c)
	awaitAlive(t, b2, "a/a1")
	if err := b2.Close(); err != nil {
		t.Fatal(err)
	}
	c.Wide.Seeds, c.Incarnation = nil, runs.Add(1)
	awaitAlive(t, start(t, c), "a/a1")
}

func TestADamagedSeedFileStopsNobody(t *testing.T) {
	log := &testLog{}
	c := config("a", 1, newCuts())
	c.SeedFile = filepath.Join(t.TempDir(), "seeds.json")
	c.Logger = log.logger()
	if err := os.WriteFile(c.SeedFile, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, c)
	if !log.has("go on without the addresses") {
		t.Error("nothing was said")
	}
}

// SE2: what is sent is encrypted, and the key can be changed while all run.
func TestKeysAreChangedWhileRunning(t *testing.T) {
	network := newCuts()
	var packets, readable atomic.Int64
	network.seen = func(b []byte) {
		packets.Add(1)
		if bytes.Contains(b, []byte("a/a1")) || bytes.Contains(b, []byte("a/a2")) {
			readable.Add(1)
		}
	}
	a1 := start(t, config("a", 1, network))
	c := config("a", 2, network)
	c.Local.Seeds = []string{localSeed(a1)}
	a2 := start(t, c)
	awaitAlive(t, a1, "a/a2")
	for _, change := range []func(*Gossip) error{
		func(g *Gossip) error { return g.AddKey(secondKey) },
		func(g *Gossip) error { return g.UseKey(secondKey) },
		func(g *Gossip) error { return g.RemoveKey(firstKey) },
	} {
		for _, g := range []*Gossip{a1, a2} {
			if err := change(g); err != nil {
				t.Fatal(err)
			}
		}
	}
	a2.SetLoad(Load{Participants: 1})
	await(t, a1, "news under the new key", func() bool { return find(a1, "a/a2").Load.Participants == 1 })
	c = config("a", 3, network)
	c.Local.Seeds, c.Keys = []string{localSeed(a1)}, [][]byte{secondKey}
	awaitAlive(t, start(t, c), "a/a1", "a/a2")
	if packets.Load() == 0 || readable.Load() != 0 {
		t.Errorf("%d of %d packets can be read", readable.Load(), packets.Load())
	}
}

func TestKeysThatCannotBeChangedSo(t *testing.T) {
	g := start(t, config("a", 1, newCuts()))
	third := bytes.Repeat([]byte{3}, 16)
	for name, err := range map[string]error{
		"a short key":       g.AddKey([]byte("short")),
		"a key not held":    g.UseKey(secondKey),
		"the key in use":    g.RemoveKey(firstKey),
		"a key not held, 2": g.UseKey(third),
	} {
		if err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if err := g.AddKey(secondKey); err != nil {
		t.Fatal(err)
	}
	if g.AddKey(third) == nil {
		t.Error("a third key was taken")
	}
	if err := g.RemoveKey(secondKey); err != nil {
		t.Fatal(err)
	}
}

// MS15, SE2: who does not belong is refused, and the log says what to do.
func TestStrangersAreRefused(t *testing.T) {
	for name, test := range map[string]struct {
		spoil func(*Config)
		says  string // at the node that is already there
	}{
		"another cluster": {func(c *Config) { c.Cluster = "other" }, "correct its cluster name"},
		"another key":     {func(c *Config) { c.Keys = [][]byte{secondKey} }, "give it the cluster's key"},
		"another site":    {func(c *Config) { c.Site, c.Node = "b", "b2" }, "correct its site, or its local seeds"},
		"a name in use":   {func(c *Config) { c.Node = "a1" }, "give one of them another name"},
	} {
		t.Run(name, func(t *testing.T) {
			network := newCuts()
			log, theirs := &testLog{}, &testLog{}
			c := config("a", 1, network)
			c.Logger = log.logger()
			a1 := start(t, c)
			c = config("a", 2, network)
			c.Local.Seeds = []string{localSeed(a1)}
			c.Logger = theirs.logger()
			test.spoil(&c)
			stranger := start(t, c)
			awaitLog(t, log, test.says)
			awaitLog(t, theirs, "no member found at an address")
			if len(a1.Members()) != 1 {
				t.Errorf("a1 let it in: %+v", a1.Members())
			}
			if len(stranger.Members()) != 1 {
				t.Errorf("the stranger took over members: %+v", stranger.Members())
			}
		})
	}
}

func TestWatchersThatAreSlowHoldNobodyUp(t *testing.T) {
	g := start(t, config("a", 1, newCuts()))
	changed := g.Watch(t.Context()) // not read until the end
	for i := range 1000 {
		g.SetLoad(Load{Participants: uint32(i)})
	}
	<-changed
	if m := find(g, "a/a1"); m.Load.Participants != 999 {
		t.Errorf("load %d", m.Load.Participants)
	}
}

func TestConfigIsChecked(t *testing.T) {
	good := func() Config { return config("a", 1, newCuts()) }
	for name, spoil := range map[string]func(*Config){
		"cluster":     func(c *Config) { c.Cluster = "" },
		"site":        func(c *Config) { c.Site = "a/b" },
		"node":        func(c *Config) { c.Node = "näme" },
		"incarnation": func(c *Config) { c.Incarnation = 0 },
		"no key":      func(c *Config) { c.Keys = nil },
		"three keys":  func(c *Config) { c.Keys = [][]byte{firstKey, secondKey, firstKey} },
		"short key":   func(c *Config) { c.Keys = [][]byte{{1}} },
		"no address":  func(c *Config) { c.Local.Bind = netip.AddrPort{} },
		"unspecified": func(c *Config) { c.Wide.Bind = netip.MustParseAddrPort("0.0.0.0:7946") },
		"seed":        func(c *Config) { c.Wide.Seeds = []string{"host"} },
		"sip":         func(c *Config) { c.Addresses.SIP = "host" },
		"raft":        func(c *Config) { c.Raft = make([]byte, maxRaft+1) },
		"too long":    func(c *Config) { c.Version = string(make([]byte, 400)) },
		"logger":      func(c *Config) { c.Logger = nil },
	} {
		c := good()
		spoil(&c)
		if _, err := Start(c); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// An address in use is an error, and leaves nothing behind.
func TestAnAddressInUse(t *testing.T) {
	g := start(t, config("a", 1, newCuts()))
	c := config("a", 2, newCuts())
	c.Wide.Bind = g.self.get().Addresses.WideGossip
	if _, err := Start(c); err == nil {
		t.Error("it was bound twice")
	}
	free := c
	free.Wide.Bind = netip.AddrPortFrom(host(2), 0)
	start(t, free)
}
