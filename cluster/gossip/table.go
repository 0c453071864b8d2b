package gossip

import (
	"net/netip"
	"sync"
	"time"

	"github.com/conclave-voice/conclave/cluster/gossip/watch"
)

// The dead are remembered for operators, and so that no older run of a node is let in.
const (
	keepDead = 24 * time.Hour
	maxDead  = 1024 // of one pool; beyond, the one longest dead is forgotten
)

// table is what one pool knows of the other nodes.
type table struct {
	changed *watch.Set
	mu      sync.Mutex
	members map[string]entry // by ID
}

type entry struct {
	Member
	at netip.AddrPort // in this pool
}

func newTable(changed *watch.Set) *table {
	return &table{changed: changed, members: map[string]entry{}}
}

// alive takes a member's news and tells whether it is a new one, a new run or one that
// was dead.
func (t *table) alive(m Member, at netip.AddrPort, now time.Time) (appeared bool) {
	t.mu.Lock()
	before, known := t.members[m.ID()]
	appeared = !known || !before.Alive || before.Incarnation != m.Incarnation
	m.Alive, m.Since = true, before.Since
	if appeared {
		m.Since = now
	}
	t.members[m.ID()] = entry{m, at}
	t.mu.Unlock()
	t.changed.Signal()
	return appeared
}

// gone marks a member as dead.
func (t *table) gone(id string, now time.Time) (m Member, known bool) {
	t.mu.Lock()
	e, known := t.members[id]
	if known {
		e.Alive, e.Since = false, now
		t.members[id] = e
		t.forgetBeyond(now)
	}
	t.mu.Unlock()
	t.changed.Signal()
	return e.Member, known
}

// forgetBeyond holds the bounds. t.mu is held.
func (t *table) forgetBeyond(now time.Time) {
	dead, oldest := 0, ""
	for id, e := range t.members {
		switch {
		case e.Alive:
		case now.Sub(e.Since) > keepDead:
			delete(t.members, id)
		default:
			dead++
			if oldest == "" || e.Since.Before(t.members[oldest].Since) {
				oldest = id
			}
		}
	}
	if dead > maxDead {
		delete(t.members, oldest)
	}
}

// incarnation is the newest run known of a node, 0 if none.
func (t *table) incarnation(id string) uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.members[id].Incarnation
}

func (t *table) list() []Member {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.forgetBeyond(time.Now())
	list := make([]Member, 0, len(t.members))
	for _, e := range t.members {
		list = append(list, e.Member)
	}
	return list
}

// addresses are where living members are in this pool.
func (t *table) addresses() map[netip.AddrPort]bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	set := make(map[netip.AddrPort]bool, len(t.members))
	for _, e := range t.members {
		if e.Alive {
			set[e.at] = true
		}
	}
	return set
}
