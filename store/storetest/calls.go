package storetest

import (
	"time"

	"github.com/conclave-voice/conclave/store"
)

var callTests = []test{
	{"CA8_ACallIsRecordedAsItGoes", testCall},
	{"CA8_CallsAreFoundByTime", testCallTimes},
	{"SE4_AnyBytesFromTheNetwork", testAnyBytes},
}

func (f *fixture) call(at time.Time) store.Call {
	return store.Call{ID: store.NewCallID(), SIPCallID: "x@y", Direction: "in", From: "alice", To: "1866", Source: "[2001:db8::1]:5062",
		Transport: "udp", Node: store.Place{Site: "a", Node: "n1"}, StartedAt: at}
}

func testCall(f *fixture) {
	ctx := f.Context()
	call := f.call(t0)
	f.must(f.s.PutCall(ctx, call))
	got, steps, err := f.s.Call(ctx, everything, call.ID)
	f.equal(got, err, call)
	f.equal(len(steps), nil, 0)
	call.CustomerID, call.To, call.Transport = f.customer.ID, "1877", "tcp"
	call.AnsweredAt, call.EndedAt, call.SIPStatus, call.Cause = t0.Add(time.Second), t0.Add(time.Minute), 200, store.CauseHangup
	f.must(f.s.PutCall(ctx, call))
	f.must(f.s.PutCall(ctx, call)) // a repetition
	late := call
	late.EndedAt = time.Time{}
	f.must(f.s.PutCall(ctx, late)) // an earlier state comes again: nothing changes
	want := []store.CallStep{{CallID: call.ID, Seq: 1, At: t0, Step: "invite", Outcome: "ok"},
		{CallID: call.ID, Seq: 2, At: t0.Add(time.Microsecond), Step: "rule", Outcome: "ok", Detail: "10"}}
	f.must(f.s.AppendCallSteps(ctx, want[:1]))
	f.must(f.s.AppendCallSteps(ctx, []store.CallStep{{CallID: call.ID, Seq: 1, At: t0, Step: "other"}, want[1]}))
	got, steps, err = f.s.Call(ctx, f.own, call.ID)
	f.equal(got, err, call)
	f.equal(steps, err, want)
	// All or none.
	f.is(f.s.AppendCallSteps(ctx, []store.CallStep{{CallID: call.ID, Seq: 3, At: t0, Step: "answer"}, {CallID: "nothing", Seq: 1, At: t0, Step: "answer"}}), store.ErrNotFound)
	_, steps, err = f.s.Call(ctx, f.own, call.ID)
	f.equal(steps, err, want)
	_, _, err = f.s.Call(ctx, everything, "nothing")
	f.is(err, store.ErrNotFound)
}

func testCallTimes(f *fixture) {
	ctx := f.Context()
	var calls []store.Call
	for i := range 5 {
		calls = append(calls, f.call(t0.Add(time.Duration(i)*time.Microsecond)))
		f.must(f.s.PutCall(ctx, calls[i]))
	}
	for _, w := range []struct {
		from, to time.Time
		want     []store.Call
	}{
		{time.Time{}, time.Time{}, calls},
		{calls[1].StartedAt, time.Time{}, calls[1:]},
		{time.Time{}, calls[1].StartedAt, calls[:1]},
		{calls[1].StartedAt, calls[3].StartedAt, calls[1:3]},
	} {
		got, err := f.s.ListCalls(ctx, everything, w.from, w.to, store.Page{})
		f.equal(got, err, w.want)
	}
	got, err := f.s.ListCalls(ctx, everything, time.Time{}, time.Time{}, store.Page{After: string(calls[1].ID), Limit: 2})
	f.equal(got, err, calls[2:4])
}

// What callers send holds any bytes. It is kept readable, and is never a reason not to
// keep the record.
func testAnyBytes(f *fixture) {
	ctx := f.Context()
	call := f.call(t0)
	call.From, call.SIPCallID = "al\x00ice\xff", "\xfe"
	f.must(f.s.PutCall(ctx, call))
	f.must(f.s.AppendCallSteps(ctx, []store.CallStep{{CallID: call.ID, Seq: 1, At: t0, Step: "invite", Detail: "\xc3\x28"}}))
	call.From, call.SIPCallID = "al\uFFFDice\uFFFD", "\uFFFD"
	got, steps, err := f.s.Call(ctx, everything, call.ID)
	f.equal(got, err, call)
	f.equal(steps[0].Detail, err, "\uFFFD(")
	p := f.participant(f.open("a"))
	p.Caller = "bob\x00'; DROP TABLE account; --"
	f.must(f.s.BeginStay(ctx, p, 0))
	settled, err := f.s.SettleStay(ctx, record(p, 1))
	f.equal(settled, err, true)
	for _, look := range []func(string) error{
		func(s string) error { _, err := f.s.AccessNumberByNumber(ctx, s); return err },
		func(s string) error { _, err := f.s.SIPUser(ctx, s, s); return err },
		func(s string) error { _, err := f.s.AccountByName(ctx, everything, s); return err },
	} {
		f.is(look("\xff\x00"), store.ErrNotFound)
	}
}
