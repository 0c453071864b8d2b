package signaling

import (
	"net/netip"
	"testing"
	"time"
)

// SPEC SE1.
func TestLimiter(t *testing.T) {
	limits := Limits{SourceRate: 1, SourceBurst: 3, NetworkRate: 2, NetworkBurst: 5, Sources: 100,
		Trusted: []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")}}
	now := time.Unix(1, 0)
	count := func(l *limiter, addr string, tries int) (passed int) {
		for range tries {
			if l.allow(netip.MustParseAddr(addr), now) {
				passed++
			}
		}
		return passed
	}
	l := newLimiter(limits)
	for _, c := range []struct {
		addr       string
		after      time.Duration
		tries, yes int
	}{
		{"192.0.2.1", 0, 10, 3},        // its own burst
		{"192.0.2.2", 0, 10, 2},        // what its network has left
		{"::ffff:192.0.2.1", 0, 10, 0}, // the same address
		{"192.0.3.1", 0, 10, 3},        // another network
		{"192.0.2.1", 2 * time.Second, 10, 2},
		{"198.51.100.7", 0, 1000, 1000}, // trusted
		{"2001:db8::1", 0, 10, 3},
		{"2001:db8::2", 0, 10, 2}, // the same /64
		{"2001:db8:0:1::2", 0, 10, 3},
		{"192.0.2.1", time.Hour, 10, 3}, // never more than the burst
	} {
		now = now.Add(c.after)
		if got := count(l, c.addr, c.tries); got != c.yes {
			t.Errorf("%s after %v: %d of %d pass, want %d", c.addr, c.after, got, c.tries, c.yes)
		}
	}
	for i := range 100000 {
		l.allow(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), now)
	}
	if n := l.buckets(); n > 200 {
		t.Errorf("%d buckets, want at most 200", n)
	}
}
