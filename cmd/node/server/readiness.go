package server

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/conclave-voice/conclave/api/v1"
	"github.com/conclave-voice/conclave/cmd/node/clustering"
)

// recoveryTime is how long a node that has started may hold calls back to close what its
// last run has left open; after that it closes them beside the calls.
const recoveryTime = 10 * time.Second

// readiness is what /readyz says: whether callers can call, and what is not well.
type readiness struct {
	Status  string `json:"status"` // "ready", "store away", or why callers cannot call
	SIP     string `json:"sip"`
	Media   string `json:"media"`
	Store   string `json:"store"`
	Journal string `json:"journal"`
}

// readiness tells how the node is, and whether callers can call.
func (n *Node) readiness() (r readiness, ready bool) {
	r, ready = readiness{Status: "ready", SIP: "ok", Media: "ok", Store: "ok", Journal: "ok"}, true
	not := func(status string) { r.Status, ready = status, false }
	if n.breaker.Open() {
		r.Status, r.Store = "store away", "away; calls go on by the copy on this node"
		if err := n.replica.Usable(); err != nil {
			r.Store = "away, and " + err.Error()
			not("store away")
		}
	} else if !n.recovered() {
		not("closing what the last run has left open")
	}
	if n.strained.Load() {
		r.Media = "new callers are refused: audio would suffer"
		not("overloaded")
	}
	if full := n.full.Load(); full != nil {
		r.Journal = (*full).Error()
		not("journal full")
	}
	if n.draining.Load().On {
		r.SIP = "draining"
		not("draining")
	}
	if !n.joined.Load() {
		r.SIP = "joining"
		not("joining the cluster")
	}
	if !n.ready.Load() {
		r.SIP = "stopping"
		not("stopping")
	}
	return r, ready
}

// status is how the node is, for operators.
func (n *Node) status() v1.NodeStatus {
	ready, _ := n.readiness()
	load, journal := n.host.Load(), n.journal.Stats()
	s := v1.NodeStatus{Ready: ready.Status, Calls: n.calls.Calls(), Conferences: load.Conferences, Store: "ok",
		JournalRecords: int64(journal.Waiting), DeadLetters: journal.DeadLetters}
	if n.breaker.Open() {
		s.Store = "away"
	}
	if age, copied := n.replica.Age(); copied {
		s.CopyAgeSeconds = age.Seconds()
	}
	return s
}

// admit lets new calls in, or refuses them, as the node is.
func (n *Node) admit() {
	n.sip.Drain(n.full.Load() != nil || !n.joined.Load() || !n.ready.Load() || n.draining.Load().On)
}

// asideTime bounds how long a node that stops takes to give its conferences away.
const asideTime = 5 * time.Second

// stepAside refuses new calls, and gives the node's conferences away, for it stops.
func (n *Node) stepAside() {
	n.ready.Store(false)
	n.admit()
	ctx, cancel := context.WithTimeout(context.Background(), asideTime)
	defer cancel()
	if n.cluster != nil && n.cluster.StepAside() {
		n.draining.Store(&clustering.Drain{On: true})
		n.moveAway(ctx, nil)
	}
}

// join lets calls in when the node is one of its cluster.
func (n *Node) join(ctx context.Context) error {
	n.cluster.Join(ctx)
	n.joined.Store(true)
	n.admit()
	<-ctx.Done()
	return nil
}

// recovered says whether what the last run has left open is closed, or has taken too long.
func (n *Node) recovered() bool {
	select {
	case <-n.recovery.Done():
		return true
	default:
		return n.clock.Since(n.run.StartedAt) > recoveryTime
	}
}

// serveReady is 200 once callers can call.
func (n *Node) serveReady(w http.ResponseWriter, _ *http.Request) {
	r, ready := n.readiness()
	w.Header().Set("Content-Type", "application/json")
	if !ready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	json.NewEncoder(w).Encode(r)
}
