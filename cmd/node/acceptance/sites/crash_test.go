package sites

import (
	"strings"
	"testing"
	"time"
)

// MS4, MS8: the leader of a site's Raft group dies, which hosts nothing. No call that runs
// notices; who calls comes in, into the same room and into a new one.
func TestRaftLeaderIsKilled(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3, 1)
	leader := w.leader("alpha")
	// Of a few rooms one is hosted by another node, for they are spread.
	var far one
	room, focus := "", leader
	for _, digit := range strings.Split("23456789", "") {
		room = digit + "234567"
		w.must(w.operator.AddRoom(w.ctx, w.Lab, "alpha-1", "alpha", room))
		far = w.callRoom("beta-1", room)
		if focus = w.theOne("beta-1").Focus.Node; focus != leader {
			break
		}
		w.hangUp(far)
		w.wantKinds()
	}
	others := w.nodesOf("alpha", leader)
	near := w.callRoom(others[0], room)
	w.hear(far, near)

	w.process(leader).Kill()
	killed := time.Now()
	late, new1, new2 := w.callRoom(others[1], room), w.call(others[0]), w.call("beta-1")
	w.hear(far, near, late)
	w.hear(new1, new2)
	w.took("Raft leader killed: callers of a new room hear each other", time.Since(killed))
	w.goesOn(far, near)
	if moves := w.count("SELECT count(*) FROM call_step WHERE step = 'move'"); moves > 0 {
		w.Errorf("%d calls were moved", moves)
	}
	if next := w.leader("alpha"); next == "" || next == leader {
		w.Errorf("%q leads", next)
	}
	w.must(w.process(leader).Restart(w.ctx))
	back := w.callRoom(leader, room)
	w.hear(far, near, late, back)
	w.hangUp(far, near, late, new1, new2, back)
	w.over()
}

// MS10, BL6: a node dies that has taken calls and hosts nothing. Another one of its site goes
// on with them.
func TestIngressIsKilled(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3, 1)
	far := w.call("beta-1")
	others := w.nodesOf("alpha", w.theOne("beta-1").Focus.Node)
	near, its, too := w.call(others[0]), w.call(others[1]), w.call(others[1])
	w.hear(far, near, its, too)
	w.process(others[1]).Kill()
	killed := time.Now()
	w.deaf([]one{far}, []one{its, too})
	w.hear(far, near, its, too)
	w.took("ingress killed: its callers and the others hear each other", w.heardAgain(killed, far, its))
	w.must(w.process(others[1]).Restart(w.ctx))
	w.goesOn(far, near, its, too)
	w.hear(far, near, its, too)
	w.hangUp(far, near, its, too)
	w.over()
}

// MS9, MS5, MS6, MS10, MS15: all nodes of the home site die at once. Callers at the other
// site are moved into a local conference. When the nodes are back, they go on with the
// calls that they had, and who calls goes home; each stay has one record.
func TestHomeSiteIsKilled(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3, 2)
	first, second := w.call("alpha-1"), w.call("alpha-2")
	far, near := w.call("beta-1"), w.call("beta-2")
	w.hear(first, second, far, near)
	killed := time.Now()
	for _, n := range w.nodesOf("alpha") {
		w.process(n).Kill()
	}
	w.deaf([]one{far}, []one{first})
	w.hear(far, near)
	w.took("home site killed: its callers elsewhere hear each other", w.heardAgain(killed, far, near))
	other := w.call("beta-1")
	w.hear(far, near, other)
	w.always()
	for _, n := range w.nodesOf("alpha") {
		w.must(w.process(n).Start())
	}
	w.must(w.WaitReady(w.ctx))
	w.hear(first, second)
	home := w.call("alpha-3")
	fresh := w.homeAgain("beta-2", home, far)
	w.hear(home, fresh, first, second)
	w.hear(far, near, other)
	w.goesOn(far, near, other)
	w.hangUp(home, fresh, far, near, other, first, second)
	w.over()
}
