package signaling

import (
	"maps"
	"slices"
	"sync"
)

// Outcome is a method and the final status that it got. Methods that are not
// known count as "other".
type Outcome struct {
	Method string
	Status int
}

// Stats are counters since the start, and sizes of now.
type Stats struct {
	Requests map[Outcome]uint64 // requests that we answered
	Sent     map[Outcome]uint64 // requests that we sent and that were answered; 0: never
	// Dropped by reason: rate (of a source), not_sip, keepalive, refused (answered
	// without a transaction), stray_response, stray_ack, queue_full, panic,
	// connections.
	Dropped            map[string]uint64
	Dialogs            int
	Pending            int // INVITEs without a final response
	ServerTransactions int
	ClientTransactions int
	Connections        int
	Sources            int // token buckets
}

type counters struct {
	mu       sync.Mutex
	requests map[Outcome]uint64
	sent     map[Outcome]uint64
	drops    map[string]uint64
}

func newCounters() *counters {
	return &counters{requests: map[Outcome]uint64{}, sent: map[Outcome]uint64{}, drops: map[string]uint64{}}
}

func label(method string) string {
	if slices.Contains(handled, method) || slices.Contains(known, method) {
		return method
	}
	return "other"
}

func (c *counters) answered(method string, status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests[Outcome{label(method), status}]++
}

func (c *counters) sentAndGot(method string, status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent[Outcome{label(method), status}]++
}

func (c *counters) dropped(reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drops[reason]++
}

// Stats is a copy of the counters.
func (e *Endpoint) Stats() Stats {
	c := e.stats
	c.mu.Lock()
	s := Stats{Requests: maps.Clone(c.requests), Sent: maps.Clone(c.sent), Dropped: maps.Clone(c.drops)}
	c.mu.Unlock()
	s.Dialogs = e.dialogs.size()
	s.Pending = int(e.pending.Load())
	s.ServerTransactions = e.servers.size()
	s.ClientTransactions = e.clients.size()
	s.Connections = e.connections.size()
	s.Sources = e.limiter.buckets()
	return s
}
