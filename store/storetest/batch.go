package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"sort"
	"time"

	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/money"
)

var batchTests = []test{
	{"MS7_ABatchIsAsItsRecordsOneByOne", testBatchIsAsOneByOne},
	{"MS7_ABatchIsDeliveredWholeOrNot", testBatchWholeOrNot},
	{"MS7_BatchesOfManyNodes", testBatchesOfManyNodes},
	{"MS7_ABatchHoldsMany", testLargeBatch},
}

// told is a batch whose records are told one by one.
func (f *fixture) told(b store.Batch) {
	f.Helper()
	ctx := f.Context()
	for _, c := range b.Calls {
		f.must(f.s.PutCall(ctx, c))
	}
	for _, s := range b.Steps {
		f.must(f.s.AppendCallSteps(ctx, []store.CallStep{s}))
	}
	for _, p := range b.Stays {
		f.must(f.s.RecordStay(ctx, p.Participant, p.Total))
	}
	for _, e := range b.Events {
		f.must(f.s.AppendConferenceEvents(ctx, []store.ConferenceEvent{e}))
	}
	for _, x := range b.Ends {
		_, err := f.s.SettleStay(ctx, x)
		f.must(err)
	}
	for _, r := range b.Beats {
		f.must(f.s.Heartbeat(ctx, r.Node, r.Incarnation, r.HeartbeatAt))
	}
}

// scene is what a batch is about.
type scene struct {
	conference store.Conference
	account    store.AccountID
	run        store.NodeRun
	calls      []store.Call
	stays      []store.Participant
}

// scene makes a room with an open conference and an account of 100, and the run of a node.
func (f *fixture) scene(name string) *scene {
	f.Helper()
	_, _, a := f.tenant(name, 100*money.Unit)
	r := f.room(name, "", "")
	r.CustomerID, r.AccountID = a.CustomerID, a.ID
	s := &scene{conference: f.conference(f.createRoom(r), 1), account: a.ID}
	s.conference.Focus.Node = name
	f.must(f.s.OpenConference(f.Context(), s.conference))
	s.run = store.NodeRun{Place: store.Place{Site: "a", Node: name}, Incarnation: 1, StartedAt: t0}
	f.must(f.s.StartRun(f.Context(), s.run))
	for range 5 {
		s.calls = append(s.calls, f.call(t0))
		s.stays = append(s.stays, f.participant(s.conference))
	}
	return s
}

// records are some by chance, among them repetitions and ends of what has ended.
func (s *scene) records(rng *rand.Rand) (b store.Batch) {
	for range rng.IntN(12) {
		i := rng.IntN(len(s.stays))
		call := s.calls[i]
		if rng.IntN(2) == 0 {
			call.EndedAt, call.SIPStatus = t0.Add(time.Minute), 200
		}
		b.Calls = append(b.Calls, call)
		b.Steps = append(b.Steps, store.CallStep{CallID: call.ID, Seq: 1 + rng.Int64N(3), At: t0, Step: "x"})
		b.Stays = append(b.Stays, store.PromisedStay{Participant: s.stays[i], Total: money.Amount(rng.IntN(9)) * money.Unit})
		b.Events = append(b.Events, store.ConferenceEvent{ConferenceID: s.conference.ID, Seq: 1 + rng.Int64N(20), At: t0, Kind: "joined", ParticipantID: s.stays[i].ID})
		b.Beats = append(b.Beats, store.NodeRun{Place: s.run.Place, Incarnation: 1, HeartbeatAt: t0.Add(time.Duration(rng.IntN(100)) * time.Second)})
		if rng.IntN(3) == 0 {
			x := record(s.stays[i], 1+rng.IntN(20))
			if x.IngressTerm = 1; rng.IntN(4) == 0 {
				x.IngressTerm = 0 // of the node that had the call before
			}
			b.Ends = append(b.Ends, x)
		}
	}
	return b
}

// Whatever a batch holds, the store is afterwards as if each record had been told by itself.
func testBatchIsAsOneByOne(f *fixture) {
	seed := rand.Uint64()
	f.Logf("seed %d", seed)
	for round := range 3 {
		singly, together := f.scene(fmt.Sprint("singly ", round)), f.scene(fmt.Sprint("together ", round))
		one, other := rand.New(rand.NewPCG(seed, uint64(round))), rand.New(rand.NewPCG(seed, uint64(round)))
		for part := range 4 {
			if part == 2 { // another node takes a call over
				for _, s := range []*scene{singly, together} {
					p := s.stays[0]
					p.IngressTerm = 1
					f.must(f.s.TakeStay(f.Context(), p, money.Unit))
				}
			}
			f.told(singly.records(one))
			f.must(f.s.Deliver(f.Context(), together.records(other)))
			if a, b := f.traces(singly), f.traces(together); !reflect.DeepEqual(a, b) {
				f.Fatalf("one by one:\n%s\ntogether:\n%s", a, b)
			}
		}
		f.consistent(together.account)
	}
}

// traces is all that the store has of a scene, without what differs in any two.
func (f *fixture) traces(s *scene) (all []string) {
	f.Helper()
	ctx := f.Context()
	add := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	a := f.read(s.account)
	add("balance %s, reserved %s", a.Balance, a.Reserved)
	entries, err := f.s.ListEntries(ctx, everything, s.account, store.Page{})
	f.must(err)
	var sum money.Amount
	for _, e := range entries {
		sum += e.Amount
	}
	add("%d entries, %s", len(entries), sum)
	events, err := f.s.ConferenceEvents(ctx, everything, s.conference.ID, time.Time{})
	f.must(err)
	for _, e := range events {
		i := 0
		for s.stays[i].ID != e.ParticipantID {
			i++
		}
		add("event %d of %d", e.Seq, i)
	}
	for i, p := range s.stays {
		got, err := f.s.Participant(ctx, everything, p.ID)
		add("stay %d: left %v, cause %q, term %d, %v", i, got.LeftAt, got.Cause, got.IngressTerm, errors.Is(err, store.ErrNotFound))
		x, err := f.s.XDR(ctx, everything, p.ID)
		add("xDR %d: %s, %v, %s, %v", i, x.Amount, x.EndedAt, x.Quality, errors.Is(err, store.ErrNotFound))
	}
	for i, c := range s.calls {
		got, steps, err := f.s.Call(ctx, everything, c.ID)
		add("call %d: ended %v, %d, %d steps, %v", i, got.EndedAt, got.SIPStatus, len(steps), errors.Is(err, store.ErrNotFound))
	}
	dead, err := f.s.OpenStaysOfDeadRuns(ctx, s.run.Node, 2)
	f.must(err)
	for _, d := range dead {
		add("open, last seen %v, reserved %s", d.LastSeen, d.Reserved)
	}
	sort.Strings(all)
	return all
}

func testBatchWholeOrNot(f *fixture) {
	ctx := f.Context()
	s := f.scene("x")
	p := s.stays[0]
	good := func() store.Batch {
		return store.Batch{Calls: s.calls[:1], Stays: []store.PromisedStay{{Participant: p, Total: money.Unit}}, Ends: []store.XDR{record(p, 10)}}
	}
	b := good()
	b.Stays[0].Total = -1
	f.is(f.s.Deliver(ctx, b), store.ErrInvalid)
	b = good()
	b.Ends = append(b.Ends, record(s.stays[1], 1)) // has not begun
	f.is(f.s.Deliver(ctx, b), store.ErrNotFound)
	b = good()
	b.Steps = []store.CallStep{{CallID: "nothing", Seq: 1, At: t0, Step: "x"}}
	f.is(f.s.Deliver(ctx, b), store.ErrNotFound)
	b = good()
	b.Ends[0].AccountID = f.account.ID
	f.is(f.s.Deliver(ctx, b), store.ErrInvalid)
	b = good()
	b.Beats = []store.NodeRun{{Place: store.Place{Node: "nothing"}, Incarnation: 1, HeartbeatAt: t0}}
	f.is(f.s.Deliver(ctx, b), store.ErrNotFound)
	_, err := f.s.Participant(ctx, everything, p.ID)
	f.is(err, store.ErrNotFound)
	_, _, err = f.s.Call(ctx, everything, s.calls[0].ID)
	f.is(err, store.ErrNotFound)
	f.must(f.s.Deliver(ctx, store.Batch{}))
	for range 3 {
		f.must(f.s.Deliver(ctx, good()))
	}
	if a := f.read(s.account); a.Balance != 100*money.Unit-record(p, 10).Amount || a.Reserved != 0 {
		f.Errorf("balance %s, reserved %s", a.Balance, a.Reserved)
	}
	f.consistent(s.account)
}

// After an outage all nodes deliver at once, and all stays may be of one account.
func testBatchesOfManyNodes(f *fixture) {
	ctx := f.Context()
	c := f.open("a")
	const nodes, batches, stays = 8, 4, 10
	parallel(nodes, func(int) {
		for range batches {
			var b store.Batch
			for range stays {
				p := f.participant(c)
				b.Stays = append(b.Stays, store.PromisedStay{Participant: p, Total: money.Unit})
				b.Ends = append(b.Ends, record(p, 1))
			}
			if err := f.s.Deliver(ctx, b); err != nil {
				f.Error(err)
			}
		}
	})
	xdrs := pages(f, func(p store.Page) ([]store.XDR, error) {
		return f.s.ListXDRs(ctx, f.own, store.XDRFilter{}, p)
	}, func(x store.XDR) string { return string(x.ID) })
	if len(xdrs) != nodes*batches*stays {
		f.Errorf("%d records of %d", len(xdrs), nodes*batches*stays)
	}
	f.consistent(f.account.ID)
}

// A batch may be larger than a statement.
func testLargeBatch(f *fixture) {
	c := f.open("a")
	var b store.Batch
	for seq := range 4400 {
		b.Events = append(b.Events, store.ConferenceEvent{ConferenceID: c.ID, Seq: int64(seq + 1), At: t0, Kind: "x"})
	}
	f.must(f.s.Deliver(f.Context(), b))
	events, err := f.s.ConferenceEvents(f.Context(), everything, c.ID, time.Time{})
	if err != nil || len(events) != len(b.Events) {
		f.Errorf("%d events, %v", len(events), err)
	}
}
