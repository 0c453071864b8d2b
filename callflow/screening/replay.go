package screening

import "sync"

// windowSize is how far behind the highest count of a nonce a request may come:
// requests sent at once may overtake one another.
const windowSize = 64

// counts remembers which counts (nc) of each nonce were used. It keeps at most
// capacity nonces. When it is full the one first used is forgotten, and with it
// every nonce that is not younger becomes stale: its holder is challenged again,
// and nothing can be replayed. It is safe for concurrent use.
type counts struct {
	capacity int

	mu    sync.Mutex
	seen  map[nonceID]*window
	order []nonceID // a ring, by first use
	head  int       // the oldest, once the ring is full
	floor int64     // nonces issued at or before are stale, in µs
}

// window is a sliding window over counts, as in RFC 4303 section 3.4.3.
type window struct {
	highest uint32
	used    uint64 // bit i: highest-i was used
}

func newCounts(capacity int) *counts {
	return &counts{capacity: capacity, seen: map[nonceID]*window{}, floor: -1}
}

// use says whether count of the nonce is used for the first time, and marks it.
func (c *counts) use(id nonceID, count uint32) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if id.issued <= c.floor {
		return false
	}
	w, ok := c.seen[id]
	if !ok {
		w = &window{}
		c.keep(id, w)
	}
	return w.use(count)
}

// keep adds a nonce, in place of the oldest if there is no room.
func (c *counts) keep(id nonceID, w *window) {
	if len(c.order) < c.capacity {
		c.order = append(c.order, id)
	} else {
		oldest := c.order[c.head]
		delete(c.seen, oldest)
		c.floor = max(c.floor, oldest.issued)
		c.order[c.head] = id
		c.head = (c.head + 1) % c.capacity
	}
	c.seen[id] = w
}

func (w *window) use(count uint32) bool {
	if count > w.highest {
		// A shift by 64 or more gives 0: the whole window is left behind.
		w.used = w.used<<(count-w.highest) | 1
		w.highest = count
		return true
	}
	behind := w.highest - count
	if behind >= windowSize || w.used&(1<<behind) != 0 {
		return false
	}
	w.used |= 1 << behind
	return true
}
