package raftgroup

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"
)

// SPEC MS3, MS8: the leader whose silence made the election does not answer, as far as is
// known, until Raft has found out itself; who gave the lead to another does.
func TestLeaderThatWasLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		timing := Timing{}.withDefaults()
		l := newLeadership(timing.Election)
		for _, leader := range []raft.ServerID{"a", "", "b"} {
			l.observe(raft.LeaderObservation{LeaderID: leader})
		}
		if got := l.unanswered(); len(got) != 1 || !got["a"] {
			t.Errorf("after the election: %v", got)
		}
		l.observe(raft.FailedHeartbeatObservation{PeerID: "c"})
		time.Sleep(2 * timing.Election)
		if got := l.unanswered(); len(got) != 1 || !got["c"] {
			t.Errorf("later: %v", got)
		}
		l.observe(raft.LeaderObservation{LeaderID: "c"})
		if got := l.unanswered(); len(got) != 0 {
			t.Errorf("after a change without a gap: %v", got)
		}
		l.close()
	})
}
