package screening

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"
	"pgregory.net/rapid"
)

func newGuard(t interface{ Fatal(...any) }, c GuardConfig) (*Guard, *clockwork.FakeClock) {
	clock := clockwork.NewFakeClock()
	g, err := NewGuard(c, clock)
	if err != nil {
		t.Fatal(err)
	}
	return g, clock
}

// SE1: a few typing errors have no consequence; then each failure locks out twice as
// long, up to the most.
func TestLockoutGrows(t *testing.T) {
	g, clock := newGuard(t, DefaultGuardConfig())
	caller := CallerKey("491701234567")
	for range 6 {
		if ok, _ := g.Allow(caller); !ok {
			t.Fatal("locked out by typing errors")
		}
		g.Fail(caller)
	}
	for i := range 12 {
		g.Fail(caller)
		want := min(10*time.Second<<i, time.Hour)
		if ok, wait := g.Allow(caller); ok || wait != want {
			t.Fatalf("failure %d: %v, %v; want to wait %v", i+7, ok, wait, want)
		}
		if ok, _ := g.Allow(CallerKey("another")); !ok {
			t.Fatal("another caller is locked out")
		}
		clock.Advance(want - 1)
		if ok, wait := g.Allow(caller); ok || wait != 1 {
			t.Fatalf("a nanosecond before the end: %v, %v", ok, wait)
		}
		clock.Advance(1)
		if ok, _ := g.Allow(caller); !ok {
			t.Fatal("still locked out at the end")
		}
	}
}

func TestFailuresAreForgotten(t *testing.T) {
	g, clock := newGuard(t, DefaultGuardConfig())
	caller := CallerKey("1")
	for range 100 { // one every ten minutes is no attack
		g.Fail(caller)
		clock.Advance(10 * time.Minute)
		if ok, _ := g.Allow(caller); !ok {
			t.Fatal("locked out")
		}
	}
}

// A guesser who has one good code does not get other guesses for free by using it.
func TestSuccessTakesBackOne(t *testing.T) {
	g, _ := newGuard(t, DefaultGuardConfig())
	caller := CallerKey("1")
	locked := false
	for range 20 {
		g.Fail(caller)
		g.Fail(caller)
		g.Success(caller)
		ok, _ := g.Allow(caller)
		locked = locked || !ok
	}
	if !locked {
		t.Error("two wrong and one right, for ever")
	}
	g, _ = newGuard(t, DefaultGuardConfig())
	for range 100 {
		g.Fail(caller)
		g.Success(caller)
	}
	if ok, _ := g.Allow(caller); !ok || len(g.keys) != 0 {
		t.Errorf("one wrong and one right: %v, %d keys kept", ok, len(g.keys))
	}
}

// A success shortens no lock, and gives nothing back to what strangers share.
func TestSuccessDoesNotUnlock(t *testing.T) {
	g, _ := newGuard(t, DefaultGuardConfig())
	for _, k := range []Key{CallerKey("1"), CodeSpaceKey("main"), SourceKeys(netip.MustParseAddr("192.0.2.1"))[1]} {
		for g.allowed(k) {
			g.Fail(k)
		}
		g.Success(k)
		if g.allowed(k) {
			t.Errorf("kind %d unlocked", k.Kind)
		}
	}
	g, _ = newGuard(t, DefaultGuardConfig())
	network := SourceKeys(netip.MustParseAddr("192.0.2.1"))[1]
	for range 51 {
		g.Fail(network)
		g.Success(network)
	}
	if g.allowed(network) {
		t.Error("one's success pays for the failures of the network")
	}
}

func (g *Guard) allowed(k ...Key) bool { ok, _ := g.Allow(k...); return ok }

func TestSourceKeys(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.77":          "[{0 192.0.2.77} {1 192.0.2.0/24}]",
		"::ffff:192.0.2.77":   "[{0 192.0.2.77} {1 192.0.2.0/24}]",
		"2001:db8:1:2:3::4":   "[{0 2001:db8:1:2:3::4} {1 2001:db8:1:2::/64}]",
		"fe80::1%eth0":        "[{0 fe80::1} {1 fe80::/64}]",
		"2001:db8:1:2:ffff::": "[{0 2001:db8:1:2:ffff::} {1 2001:db8:1:2::/64}]",
	} {
		if got := fmt.Sprint(SourceKeys(netip.MustParseAddr(in))); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
	if len(SourceKeys(netip.Addr{})) == 0 {
		t.Error("no key for no address")
	}
}

// SE1: one who changes the address within a network is locked out with it.
func TestNetworkIsLockedOut(t *testing.T) {
	g, _ := newGuard(t, DefaultGuardConfig())
	for i := range 51 {
		g.Fail(SourceKeys(netip.AddrFrom4([4]byte{198, 51, 100, byte(i)}))...)
	}
	if g.allowed(SourceKeys(netip.MustParseAddr("198.51.100.200"))...) {
		t.Error("a fresh address of a guessing network is allowed")
	}
	if !g.allowed(SourceKeys(netip.MustParseAddr("198.51.101.1"))...) {
		t.Error("the next network is locked out")
	}
}

// A full table forgets the oldest, and the global counter slows who fails from more
// sources than it holds.
func TestFullTable(t *testing.T) {
	c := DefaultGuardConfig()
	c.Capacity = 100
	g, clock := newGuard(t, c)
	slowed := false
	for i := range 5000 {
		key := CallerKey(fmt.Sprint(i))
		if ok, wait := g.Allow(key); !ok {
			slowed = true
			clock.Advance(wait)
		}
		g.Fail(key)
		if len(g.keys) > 100 || g.order.Len() != len(g.keys) {
			t.Fatalf("%d keys, %d in order", len(g.keys), g.order.Len())
		}
	}
	if !slowed || g.Evicted() != 4900 {
		t.Errorf("slowed: %v, evicted %d", slowed, g.Evicted())
	}
	clock.Advance(2*time.Second + 4*50*time.Millisecond)
	if !g.allowed(CallerKey("new")) {
		t.Error("the global lock lasts beyond its most")
	}
}

// Whatever the order of events, a guesser who never succeeds gets no more guesses
// than the free ones, those that grew the lock, the leak's, and one a longest lock.
func TestGuessesAreBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := Limit{Free: rapid.IntRange(0, 5).Draw(t, "free"), Leak: time.Duration(rapid.IntRange(1, 600).Draw(t, "leak")) * time.Second,
			First: time.Duration(rapid.IntRange(1, 20).Draw(t, "first")) * time.Second, Most: time.Duration(rapid.IntRange(20, 4000).Draw(t, "most")) * time.Second}
		c := DefaultGuardConfig()
		c.Limits[KindCaller] = limit
		g, clock := newGuard(t, c)
		guesses, begin := 0, clock.Now()
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			if ok, wait := g.Allow(CallerKey("x")); !ok {
				if wait > limit.Most {
					t.Fatalf("wait %v with at most %v", wait, limit.Most)
				}
				clock.Advance(wait)
				continue
			}
			g.Fail(CallerKey("x"))
			guesses++
			clock.Advance(time.Duration(rapid.IntRange(0, 30).Draw(t, "pause")) * time.Second)
		}
		passed := clock.Since(begin)
		if most := limit.ceiling() + int(passed/limit.Leak) + int(passed/limit.Most) + 1; guesses > most {
			t.Fatalf("%d guesses in %v with %+v, at most %d expected", guesses, passed, limit, most)
		}
	})
}

func TestGuardConfigErrors(t *testing.T) {
	for _, change := range []func(*GuardConfig){
		func(c *GuardConfig) { c.Capacity = 0 },
		func(c *GuardConfig) { c.Global.Leak = 0 },
		func(c *GuardConfig) { c.Limits[KindAccount].Free = -1 },
		func(c *GuardConfig) { c.Limits[KindCaller].Most = time.Second },
		func(c *GuardConfig) { c.Limits[KindCaller].Most = 1 << 62 },
	} {
		c := DefaultGuardConfig()
		change(&c)
		if _, err := NewGuard(c, clockwork.NewFakeClock()); err == nil {
			t.Errorf("%+v was taken", c)
		}
	}
}
