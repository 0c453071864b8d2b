package raftgroup

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// leadership follows what Raft says of the leader, and, on the leader, of who does
// not answer its heartbeats.
type leadership struct {
	doubt   time.Duration // for how long a leader that was lost counts as not answering
	mu      sync.Mutex
	leader  raft.ServerID
	lost    time.Time       // when there was last a leader; set while there is none
	tenure  context.Context // ends when the leader changes
	end     context.CancelFunc
	failing map[raft.ServerID]bool
	fallen  raft.ServerID // the last leader that was lost
}

func newLeadership(election time.Duration) *leadership {
	l := &leadership{doubt: 2 * election, lost: time.Now(), failing: map[raft.ServerID]bool{}}
	l.tenure, l.end = context.WithCancel(context.Background())
	return l
}

// observer has Raft call observe. What is done in the filter is not dropped and
// needs no goroutine; nothing is sent to the channel.
func (l *leadership) observer() *raft.Observer {
	return raft.NewObserver(nil, false, func(o *raft.Observation) bool {
		l.observe(o.Data)
		return false
	})
}

func (l *leadership) observe(event any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch e := event.(type) {
	case raft.LeaderObservation:
		l.replace(e.LeaderID)
	case raft.FailedHeartbeatObservation:
		l.failing[e.PeerID] = true
	case raft.ResumedHeartbeatObservation:
		delete(l.failing, e.PeerID)
	}
}

// agree takes over what Raft says now, for what it said before it was observed. Raft
// is asked under the lock, so that an observation made since is not undone.
func (l *leadership) agree(ask func() (raft.ServerAddress, raft.ServerID)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, leader := ask(); l.leader != leader {
		l.replace(leader)
	}
}

func (l *leadership) replace(leader raft.ServerID) {
	if leader == "" && l.leader != "" {
		l.lost, l.fallen = time.Now(), l.leader
	}
	l.leader = leader
	clear(l.failing)
	l.end()
	l.tenure, l.end = context.WithCancel(context.Background())
}

// now is the leader, empty if there is none, and a context that ends when that
// changes. Lost is since when there is none.
func (l *leadership) now() (leader raft.ServerID, tenure context.Context, lost time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.leader, l.tenure, l.lost
}

// unanswered are the servers that do not answer this leader's heartbeats. The leader
// before is one of them at first, since its silence made the election: to send it a
// heartbeat and wait in vain would only delay what is known.
func (l *leadership) unanswered() map[raft.ServerID]bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	failing := maps.Clone(l.failing)
	if l.fallen != "" && l.fallen != l.leader && time.Since(l.lost) < l.doubt {
		failing[l.fallen] = true
	}
	return failing
}

func (l *leadership) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.end()
}
