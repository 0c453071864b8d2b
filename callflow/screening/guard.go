package screening

import (
	"container/list"
	"fmt"
	"hash/maphash"
	"sync"
	"time"

	"github.com/jonboulle/clockwork"
)

// Guard counts failed guesses, of passwords and of access codes, and locks out who
// fails too often (SPEC SE1). It is safe for concurrent use.
//
// It remembers at most GuardConfig.Capacity keys. When it is full, the key whose last
// failure is longest ago is forgotten. Who fails from more sources than that is still
// slowed: a counter of all failures together is never forgotten. That one slows
// everybody, for at most a few seconds, as long as it lasts.
//
// What was allowed and has not yet failed is not counted: a caller can have as many
// guesses under way as it gets in before the first one fails.
type Guard struct {
	config GuardConfig
	clock  clockwork.Clock
	seed   maphash.Seed

	mu      sync.Mutex
	keys    map[hashed]*list.Element // of *counter
	order   *list.List               // by last failure, the oldest first
	global  counter
	evicted uint64
}

// maxLockout bounds Limit.Most.
const maxLockout = 365 * 24 * time.Hour

// hashed stands for a Key: of a fixed size, whatever callers send, and of no use to
// who reads the memory.
type hashed struct {
	kind Kind
	sum  uint64
}

// counter is the failures of one key.
type counter struct {
	key      hashed
	failures int
	since    time.Time // what failures has leaked is counted from here
	locked   time.Time // until
}

// NewGuard makes a guard that knows of no failures.
func NewGuard(c GuardConfig, clock clockwork.Clock) (*Guard, error) {
	if c.Capacity < 1 {
		return nil, fmt.Errorf("guard capacity %d: it must be at least 1", c.Capacity)
	}
	for _, l := range append(c.Limits[:], c.Global) {
		if l.Free < 0 || l.Leak <= 0 || l.First <= 0 || l.Most < l.First || l.Most > maxLockout {
			return nil, fmt.Errorf("guard limit %+v: free must be 0 or more, leak and first above 0, most from first to %v", l, maxLockout)
		}
	}
	return &Guard{config: c, clock: clock, seed: maphash.MakeSeed(),
		keys: map[hashed]*list.Element{}, order: list.New()}, nil
}

// Allow says whether a guess may be made by who all the keys stand for; if not, when
// to ask again. It changes nothing.
func (g *Guard) Allow(keys ...Key) (ok bool, retryAfter time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.clock.Now()
	until := g.global.locked
	for _, k := range keys {
		if e, ok := g.keys[g.hash(k)]; ok {
			if c := e.Value.(*counter); c.locked.After(until) {
				until = c.locked
			}
		}
	}
	wait := until.Sub(now)
	return wait <= 0, max(wait, 0)
}

// Fail counts a wrong guess against each key.
func (g *Guard) Fail(keys ...Key) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.clock.Now()
	g.global.fail(g.config.Global, now)
	for _, k := range keys {
		g.counter(g.hash(k)).fail(g.config.Limits[k.Kind], now)
	}
}

// Success takes back one failure of each key: a typing error put right. It is one
// and not all, or else who has one good code could try others for ever between uses
// of it. Networks and code spaces, which strangers share, get nothing back. A lock
// that is running goes on.
func (g *Guard) Success(keys ...Key) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.clock.Now()
	for _, k := range keys {
		e, ok := g.keys[g.hash(k)]
		if !ok || k.Kind == KindNetwork || k.Kind == KindCodeSpace {
			continue
		}
		c := e.Value.(*counter)
		c.leak(g.config.Limits[k.Kind], now)
		c.failures = max(c.failures-1, 0)
		if c.failures == 0 && !c.locked.After(now) {
			g.order.Remove(e)
			delete(g.keys, c.key)
		}
	}
}

// Evicted is how many keys were forgotten for lack of room: if it grows, many
// sources guess together, or Capacity is too small.
func (g *Guard) Evicted() uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.evicted
}

func (g *Guard) hash(k Key) hashed { return hashed{k.Kind, maphash.String(g.seed, k.Value)} }

// counter returns the key's counter, a new one if need be, as the youngest.
func (g *Guard) counter(key hashed) *counter {
	if e, ok := g.keys[key]; ok {
		g.order.MoveToBack(e)
		return e.Value.(*counter)
	}
	if len(g.keys) >= g.config.Capacity {
		oldest := g.order.Remove(g.order.Front()).(*counter)
		delete(g.keys, oldest.key)
		g.evicted++
	}
	c := &counter{key: key}
	g.keys[key] = g.order.PushBack(c)
	return c
}

// fail counts a failure and locks.
func (c *counter) fail(l Limit, now time.Time) {
	c.leak(l, now)
	if c.failures == 0 {
		c.since = now
	}
	c.failures = min(c.failures+1, l.ceiling())
	if until := now.Add(l.lockout(c.failures)); until.After(c.locked) {
		c.locked = until
	}
	if c.locked.After(c.since) {
		c.since = c.locked // nothing is forgotten while locked out
	}
}

// leak forgets one failure for each whole Leak that has passed.
func (c *counter) leak(l Limit, now time.Time) {
	n := now.Sub(c.since) / l.Leak
	switch {
	case n <= 0:
	case n >= time.Duration(c.failures):
		c.failures = 0
	default:
		c.failures -= int(n)
		c.since = c.since.Add(n * l.Leak)
	}
}
