package wan

import (
	"slices"
	"strings"
)

// Counter counts the packets of a class in a direction since the router was made.
// Sent + Duplicated is Delivered + Cut + Lost + Waited + TooLarge + Overflow + what is
// under way.
type Counter struct {
	Link
	Class           string `json:"class"`
	Sent            uint64 `json:"sent"`
	SentOctets      uint64 `json:"sentOctets"`
	Delivered       uint64 `json:"delivered"`
	DeliveredOctets uint64 `json:"deliveredOctets"`
	Cut             uint64 `json:"cut"`
	Lost            uint64 `json:"lost"`     // by chance
	Waited          uint64 `json:"waited"`   // dropped: it would have waited for the rate too long
	TooLarge        uint64 `json:"tooLarge"` // dropped for its size
	Overflow        uint64 `json:"overflow"` // dropped: too many were under way
	Duplicated      uint64 `json:"duplicated"`
	Reordered       uint64 `json:"reordered"`
}

func (c *Counter) count(f fate, size int) {
	c.Sent++
	c.SentOctets += uint64(size)
	switch f.why {
	case cut:
		c.Cut++
	case lost:
		c.Lost++
	case waits:
		c.Waited++
	case tooLarge:
		c.TooLarge++
	case overflow:
		c.Overflow++
	case passes:
		if f.twice {
			c.Duplicated++
		}
		if f.reordered {
			c.Reordered++
		}
	}
}

// Counters returns what was counted for each direction and class that had packets,
// ordered by name.
func (r *Router) Counters() []Counter {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []Counter
	for _, p := range r.paths {
		for _, c := range p.counters {
			if c.Sent > 0 {
				all = append(all, c)
			}
		}
	}
	slices.SortFunc(all, func(a, b Counter) int {
		if c := strings.Compare(a.Link.String(), b.Link.String()); c != 0 {
			return c
		}
		return strings.Compare(a.Class, b.Class)
	})
	return all
}

// Unroutable is how many packets belonged to no other site, or were no IPv4.
func (r *Router) Unroutable() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.unroutable
}
