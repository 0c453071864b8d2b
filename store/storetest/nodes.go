package storetest

import (
	"time"

	"github.com/conclave-voice/conclave/store"
)

var nodeTests = []test{
	{"BL6_Heartbeats", testHeartbeats},
	{"BL6_StaysOfDeadRuns", testDeadStays},
	{"BL6_ConferencesOfDeadRuns", testDeadConferences},
	{"CA8_CallsOfDeadRuns", testDeadCalls},
}

// run starts a run of node n1, so long after t0. Its incarnation is its start.
func (f *fixture) run(after time.Duration) store.NodeRun {
	f.Helper()
	at := t0.Add(after)
	r := store.NodeRun{Place: store.Place{Site: "a", Node: "n1"}, Incarnation: at.UnixMicro(), StartedAt: at}
	f.must(f.s.StartRun(f.Context(), r))
	return r
}

// of makes a conference one of a run's, begun so long after t0.
func (f *fixture) of(r store.NodeRun, after time.Duration) store.Conference {
	f.Helper()
	c := f.conference(f.createRoom(f.room("a", "", "")), 1)
	c.Incarnation, c.Focus, c.StartedAt = r.Incarnation, r.Place, t0.Add(after)
	f.must(f.s.OpenConference(f.Context(), c))
	return c
}

func (f *fixture) beat(r store.NodeRun, after time.Duration) {
	f.Helper()
	f.must(f.s.Heartbeat(f.Context(), r.Node, r.Incarnation, t0.Add(after)))
}

func testHeartbeats(f *fixture) {
	ctx := f.Context()
	r := f.run(0)
	f.must(f.s.StartRun(ctx, r)) // a repetition
	p := f.participant(f.of(r, 0))
	f.must(f.s.BeginStay(ctx, p, 0))
	lastSeen := func(want time.Duration) {
		f.Helper()
		dead, err := f.s.OpenStaysOfDeadRuns(ctx, "n1", 0)
		f.equal(dead, err, []store.DeadStay{{Participant: p, LastSeen: t0.Add(want)}})
	}
	lastSeen(0)
	f.beat(r, 10*time.Second)
	lastSeen(10 * time.Second)
	f.beat(r, 5*time.Second) // never back
	f.beat(r, 10*time.Second)
	f.must(f.s.StartRun(ctx, r)) // late
	lastSeen(10 * time.Second)
	f.is(f.s.Heartbeat(ctx, "n1", 7, t0), store.ErrNotFound)
	f.is(f.s.Heartbeat(ctx, "n2", r.Incarnation, t0), store.ErrNotFound)
	f.must(f.s.StopRun(ctx, "n1", r.Incarnation, t0.Add(time.Minute)))
	f.must(f.s.StopRun(ctx, "n1", r.Incarnation, t0.Add(time.Hour)))
	f.is(f.s.StopRun(ctx, "n1", 7, t0), store.ErrNotFound)
	f.is(f.s.StartRun(ctx, store.NodeRun{StartedAt: t0}), store.ErrInvalid)
}

func testDeadStays(f *fixture) {
	ctx := f.Context()
	first := f.run(0)
	c := f.of(first, 0)
	before, after, left := f.participant(c), f.participant(c), f.participant(c)
	before.Focus.Node = "n2" // mixed elsewhere, but n1's
	after.JoinedAt = t0.Add(20 * time.Second)
	f.must(f.s.BeginStay(ctx, before, 3))
	f.must(f.s.ExtendReservation(ctx, before.ID, 5))
	for _, p := range []store.Participant{after, left} {
		f.must(f.s.BeginStay(ctx, p, 0))
	}
	_, err := f.s.SettleStay(ctx, record(left, 1))
	f.must(err)
	f.beat(first, 10*time.Second)
	dead, err := f.s.OpenStaysOfDeadRuns(ctx, "n1", first.Incarnation)
	f.equal(dead, err, []store.DeadStay(nil))
	// A run that was never recorded is dead too; its stays end when they began.
	lost := f.participant(f.of(store.NodeRun{Place: first.Place, Incarnation: 3}, 0))
	f.must(f.s.BeginStay(ctx, lost, 0))
	second := f.run(time.Minute)
	alive := f.participant(f.of(second, time.Minute))
	f.must(f.s.BeginStay(ctx, alive, 0))
	elsewhere := f.participant(c)
	elsewhere.Ingress.Node = "n2" // mixed by n1, but n2's
	f.must(f.s.BeginStay(ctx, elsewhere, 0))
	dead, err = f.s.OpenStaysOfDeadRuns(ctx, "n1", second.Incarnation)
	f.equal(dead, err, []store.DeadStay{{Participant: before, LastSeen: t0.Add(10 * time.Second), Reserved: 5},
		{Participant: after, LastSeen: after.JoinedAt}, {Participant: lost, LastSeen: lost.JoinedAt}})
	for _, d := range dead {
		settled, err := f.s.SettleStay(ctx, record(d.Participant, 0))
		f.equal(settled, err, true)
	}
	dead, err = f.s.OpenStaysOfDeadRuns(ctx, "n1", second.Incarnation)
	f.equal(dead, err, []store.DeadStay(nil))
}

func testDeadConferences(f *fixture) {
	ctx := f.Context()
	first := f.run(0)
	early, late, closed := f.of(first, 0), f.of(first, 20*time.Second), f.of(first, 0)
	f.must(f.s.CloseConference(ctx, closed.ID, t0.Add(time.Second), "empty"))
	f.beat(first, 10*time.Second)
	second := f.run(time.Minute)
	alive := f.of(second, time.Minute)
	n, err := f.s.CloseConferencesOfDeadRuns(ctx, "n1", second.Incarnation)
	f.equal(n, err, 2)
	for _, w := range []struct {
		c      store.Conference
		end    time.Time
		reason string
	}{{early, t0.Add(10 * time.Second), "node-failure"}, {late, late.StartedAt, "node-failure"}, {closed, t0.Add(time.Second), "empty"}, {alive, time.Time{}, ""}} {
		w.c.EndedAt, w.c.EndReason = w.end, w.reason
		got, err := f.s.Conference(ctx, f.own, w.c.ID)
		f.equal(got, err, w.c)
	}
	n, err = f.s.CloseConferencesOfDeadRuns(ctx, "n1", second.Incarnation)
	f.equal(n, err, 0)
}

func testDeadCalls(f *fixture) {
	ctx := f.Context()
	first := f.run(0)
	old, young, ended, elsewhere := f.call(t0.Add(time.Second)), f.call(t0.Add(20*time.Second)), f.call(t0.Add(time.Second)), f.call(t0.Add(time.Second))
	ended.EndedAt, ended.Cause = t0.Add(2*time.Second), store.CauseHangup
	elsewhere.Node.Node = "n2"
	f.beat(first, 10*time.Second)
	second := f.run(time.Minute) // dies before it closes what the first left
	middle := f.call(t0.Add(61 * time.Second))
	f.beat(second, 2*time.Minute)
	third := f.run(time.Hour)
	alive := f.call(t0.Add(time.Hour))
	for _, c := range []store.Call{old, young, ended, elsewhere, middle, alive} {
		f.must(f.s.PutCall(ctx, c))
	}
	n, err := f.s.CloseCallsOfDeadRuns(ctx, "n1", third.Incarnation)
	f.equal(n, err, 3)
	for _, w := range []struct {
		c   store.Call
		end time.Time
	}{{old, t0.Add(10 * time.Second)}, {young, young.StartedAt}, {middle, t0.Add(2 * time.Minute)}} {
		w.c.EndedAt, w.c.Cause = w.end, store.CauseNodeFailure
		got, _, err := f.s.Call(ctx, everything, w.c.ID)
		f.equal(got, err, w.c)
	}
	for _, c := range []store.Call{ended, elsewhere, alive} {
		got, _, err := f.s.Call(ctx, everything, c.ID)
		f.equal(got, err, c)
	}
	n, err = f.s.CloseCallsOfDeadRuns(ctx, "n1", third.Incarnation)
	f.equal(n, err, 0)
}
