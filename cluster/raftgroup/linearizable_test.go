package raftgroup_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/conclave-voice/conclave/cluster/registry"
)

const (
	clients        = 5
	answersInFault = 40 // that clients get before the next step of a fault
	retryAfter     = 5 * time.Millisecond
)

// faults are what happens to a site of three while clients use it: what begins it, and
// what ends it. Between them the clients get answers from those who can give them.
var faults = []struct {
	name       string
	begin, end func(s *site, leader *node)
}{
	{"the leader is isolated", func(s *site, leader *node) {
		s.isolate(leader.name)
		s.deposed(leader)
	}, healAll},
	{"a follower is isolated", func(s *site, leader *node) {
		away := s.others(leader)[0]
		s.isolate(away.name)
		s.eventually("it knows that it has no leader", func() bool { return away.running().Status().Leader == "" })
	}, healAll},
	{"the leader is not heard", func(s *site, leader *node) {
		s.setDirections(leader.name, true, false)
		s.deposed(leader)
	}, healAll},
	{"the leader does not hear", func(s *site, leader *node) {
		s.setDirections(leader.name, false, true)
		s.deposed(leader)
	}, healAll},
	{"the leader and one other do not reach each other", func(s *site, leader *node) {
		s.cutPair(leader.name, s.others(leader)[0].name)
	}, healAll},
	{"the leader dies", func(s *site, leader *node) { s.crash(leader.name) }, startAll},
	{"a follower dies", func(s *site, leader *node) { s.crash(s.others(leader)[0].name) }, startAll},
}

func healAll(s *site, _ *node)  { s.healAll() }
func startAll(s *site, _ *node) { s.startAll() }

// deposed waits until a node does not think that it leads.
func (s *site) deposed(n *node) {
	s.t.Helper()
	s.eventually(n.name+" leads no more", func() bool { return !n.running().Status().Leading })
}

// SPEC MS4: whatever is cut and whoever restarts, each room has one focus at a time,
// each epoch has one, and reads are never stale.
func TestHistoryUnderFaultsIsLinearizable(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	s := idleSite(t, "n1", "n2", "n3")
	// Only a restart ends a run here, so that the model knows when one is over.
	s.timing.Gone = time.Hour
	h := newHistory()
	var runs []registry.Instance
	s.startAll()
	s.voters("n1", "n2", "n3")
	s.up()
	for _, n := range s.running() {
		runs = append(runs, n.instance())
	}
	s.started = func(began time.Time, run registry.Instance) {
		// The registry learns of the run some time after.
		h.addUntil(clients, int64(began.Sub(h.base)), 0, call{op: "start", run: run}, reply{is: open})
	}
	users := newUsers(s, h, seed)
	for _, i := range random.Perm(len(faults)) {
		leader := s.leader()
		t.Log(faults[i].name)
		faults[i].begin(s, leader)
		users.getAnswers(answersInFault)
		faults[i].end(s, leader)
		users.getAnswers(answersInFault)
	}
	for _, n := range s.running() {
		s.crash(n.name)
	}
	s.startAll()
	users.getAnswers(answersInFault)
	users.stop()

	t.Logf("%d operations were answered, %d were left open", h.answers, h.opens)
	if result := h.check(runs...); result != porcupine.Ok {
		t.Errorf("%s with seed %d:\n%s", result, seed, h)
	}
	s.same()
}

// users are clients that assign, release and read rooms all the time, at any node.
type users struct {
	site    *site
	history *history
	cancel  context.CancelFunc
	working sync.WaitGroup
}

func newUsers(s *site, h *history, seed uint64) *users {
	ctx, cancel := context.WithCancel(context.Background())
	u := &users{site: s, history: h, cancel: cancel}
	for i := range clients {
		random := rand.New(rand.NewPCG(seed, uint64(i+1)))
		u.working.Go(func() { u.work(ctx, i, random) })
	}
	s.t.Cleanup(u.stop)
	return u
}

func (u *users) stop() {
	u.cancel()
	u.working.Wait()
}

// getAnswers waits until the users have had so many more answers.
func (u *users) getAnswers(count int) {
	u.site.t.Helper()
	answers := func() int {
		u.history.mu.Lock()
		defer u.history.mu.Unlock()
		return u.history.answers
	}
	enough := answers() + count
	u.site.eventually(fmt.Sprintf("users have %d answers", enough), func() bool { return answers() >= enough })
}

// work is one user. It knows of each room the epoch that it saw last.
func (u *users) work(ctx context.Context, client int, random *rand.Rand) {
	seen := map[string]uint64{}
	for ctx.Err() == nil {
		room := fmt.Sprint("room", random.IntN(4))
		running := u.site.running()
		if len(running) == 0 {
			rest(ctx)
			continue
		}
		at := running[random.IntN(len(running))]
		candidate := running[random.IntN(len(running))].instance()
		c := call{op: "read", room: room}
		switch dice := random.IntN(10); {
		case dice < 3 && candidate.Incarnation > 0:
			c = call{"assign", room, candidate, 0}
			if random.IntN(2) == 0 {
				c.epoch = seen[room]
			}
		case dice < 5:
			c = call{op: "release", room: room, epoch: seen[room]}
		}
		began := u.history.now()
		found, err := u.carryOut(ctx, at, c)
		if err == nil {
			u.history.add(client, began, c, reply{answered, found})
			seen[room] = max(seen[room], found.Epoch)
			continue
		}
		u.history.addError(u.site.t, client, began, c, err)
		rest(ctx)
	}
}

func (u *users) carryOut(ctx context.Context, at *node, c call) (found registry.Assignment, err error) {
	group := at.running()
	if group == nil {
		return found, errDown
	}
	switch c.op {
	case "assign":
		return group.Assign(ctx, registry.Assign{Room: c.room, Candidate: c.run, Kind: registry.KindMain,
			Replace: c.epoch})
	case "release":
		return found, group.Release(ctx, c.room, c.epoch)
	}
	found, _, err = group.Assignment(ctx, c.room)
	return found, err
}

// rest keeps users who get no answers from taking the processor from those who might.
func rest(ctx context.Context) {
	timer := time.NewTimer(retryAfter)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
