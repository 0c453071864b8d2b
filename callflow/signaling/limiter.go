package signaling

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// limiter is a token bucket per source address and per network. Its memory is
// bounded: buckets live in two generations of a fixed size, and when the younger
// one is full the older one is forgotten. A flood from very many addresses thus
// gives others full buckets again, and costs no memory.
type limiter struct {
	source, network rate
	size            int
	trusted         atomic.Pointer[[]netip.Prefix]

	mu         sync.Mutex
	young, old map[netip.Prefix]*bucket
}

// rate is tokens per second, and how many can be saved up.
type rate struct{ perSecond, burst float64 }

type bucket struct {
	tokens float64
	at     time.Time
}

func newLimiter(l Limits) *limiter {
	limiter := &limiter{
		source:  rate{l.SourceRate, l.SourceBurst},
		network: rate{l.NetworkRate, l.NetworkBurst},
		size:    l.Sources,
		young:   map[netip.Prefix]*bucket{},
	}
	limiter.trusted.Store(&l.Trusted)
	return limiter
}

// allow takes a token of the address and one of its network.
func (l *limiter) allow(a netip.Addr, now time.Time) bool {
	a = a.Unmap().WithZone("")
	for _, p := range *l.trusted.Load() {
		if p.Contains(a) {
			return true
		}
	}
	networkBits := 24
	if a.Is6() {
		networkBits = 64
	}
	network, err := a.Prefix(networkBits)
	if err != nil {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	own := l.bucket(netip.PrefixFrom(a, a.BitLen()), l.source, now)
	all := l.bucket(network, l.network, now)
	if own.tokens < 1 || all.tokens < 1 {
		return false
	}
	own.tokens--
	all.tokens--
	return true
}

// bucket finds or makes a bucket and fills it up to now.
func (l *limiter) bucket(p netip.Prefix, r rate, now time.Time) *bucket {
	b, ok := l.young[p]
	if !ok {
		if b = l.old[p]; b == nil {
			b = &bucket{tokens: r.burst, at: now}
		}
		if len(l.young) >= l.size {
			l.old, l.young = l.young, make(map[netip.Prefix]*bucket, l.size/4)
		}
		l.young[p] = b
	}
	if d := now.Sub(b.at).Seconds(); d > 0 {
		b.tokens = min(r.burst, b.tokens+d*r.perSecond)
		b.at = now
	}
	return b
}

// buckets is how many there are.
func (l *limiter) buckets() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.young) + len(l.old)
}
