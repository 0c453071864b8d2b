package sipp

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/testenv/loopback"
	"github.com/conclave-voice/conclave/testenv/pcap"
	"github.com/conclave-voice/conclave/testenv/tone"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func bounded(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// as fails the test unless all calls went as their scripts say.
func as(t *testing.T, who string, r Result, calls int) {
	t.Helper()
	if r.Failed != 0 || r.Successful != calls || len(r.Dialogs) != calls {
		t.Errorf("%s: %v", who, r)
	}
}

const moment = 300 * time.Millisecond

func TestCallsBetweenTwoSIPps(t *testing.T) {
	sine := tone.Sine(8000, 420, -20, moment)
	for name, c := range map[string]struct {
		caller   Caller
		answerer Answerer
		ended    Side // as the caller sees it
		check    func(t *testing.T, caller, answerer Result)
	}{
		"caller hangs up":               {Caller{Steps: []Step{Wait(moment)}}, Answerer{End: AwaitBye}, Here, nil},
		"over TCP":                      {Caller{TCP: true, Steps: []Step{Wait(moment)}}, Answerer{TCP: true, End: AwaitBye}, Here, nil},
		"called one hangs up":           {Caller{End: AwaitBye}, Answerer{Steps: []Step{Wait(moment)}}, There, nil},
		"called one hangs up in a step": {Caller{Steps: []Step{Wait(20 * time.Second)}}, Answerer{}, There, nil},
		"late offer":                    {Caller{LateOffer: true, Steps: []Step{Wait(moment)}}, Answerer{End: AwaitBye}, Here, lateOffer},
		"ringing":                       {Caller{}, Answerer{Ring: moment, End: AwaitBye}, Here, nil},
		"hold and resume": {Caller{Steps: []Step{Wait(moment), Hold(), Wait(moment), Resume(), Wait(moment)}}, Answerer{End: AwaitBye}, Here,
			func(t *testing.T, _, answerer Result) {
				if n := answerer.Only().Reinvites; n != 2 {
					t.Errorf("%d re-INVITEs came", n)
				}
				if log := answerer.Log(); strings.Count(log, "a=sendonly") != 1 {
					t.Error("no hold")
				}
			}},
		"refresh of the session": {Caller{Headers: []string{SessionExpires(90*time.Second, "uac")}, Steps: []Step{Wait(moment), Refresh(90 * time.Second)}}, Answerer{End: AwaitBye}, Here,
			func(t *testing.T, _, answerer Result) {
				if n := strings.Count(answerer.Log(), "Session-Expires: 90;refresher=uac"); n != 2 {
					t.Errorf("%d requests with a session timer came", n)
				}
			}},
		"without telephone events": {Caller{NoEvents: true, Steps: []Step{Wait(moment)}}, Answerer{End: AwaitBye}, Here,
			func(t *testing.T, caller, answerer Result) {
				if n := strings.Count(answerer.Log(), "telephone-event"); n != 1 { // in the answer
					t.Errorf("%d of them offered or answered", n)
				}
			}},
		"re-INVITE by the called one": {Caller{Steps: []Step{Wait(moment)}, End: AwaitBye}, Answerer{Steps: []Step{Hold(), Wait(moment), Resume()}}, There,
			func(t *testing.T, caller, _ Result) {
				if n := caller.Only().Reinvites; n != 2 {
					t.Errorf("%d re-INVITEs came", n)
				}
			}},
		"keys by INFO": {Caller{Steps: []Step{Info("12#")}}, Answerer{End: AwaitBye}, Here,
			func(t *testing.T, _, answerer Result) {
				for _, key := range "12#" {
					if !strings.Contains(answerer.Log(), fmt.Sprintf("Signal=%c\r\nDuration=160", key)) {
						t.Errorf("no INFO of %c", key)
					}
				}
			}},
		"sound": {Caller{Steps: []Step{Play(pcap.New(pcap.PCMU).Keys("1#").Sound(sine))}}, Answerer{End: AwaitBye}, Here, nil},
		"A-law": {Caller{Codec: pcap.PCMA, Steps: []Step{Begin(pcap.New(pcap.PCMA).Sound(sine)), Wait(moment)}}, Answerer{Codec: pcap.PCMA, End: AwaitBye}, Here, nil},
		"own address and headers": {Caller{Local: "127.0.0.7", Headers: []string{"X-Test: yes"}}, Answerer{End: AwaitBye}, Here,
			func(t *testing.T, _, answerer Result) {
				if log := answerer.Log(); !strings.Contains(log, "X-Test: yes") || !strings.Contains(log, "c=IN IP4 127.0.0.7") {
					t.Error("header or address lack")
				}
			}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answerer := Answer(t, c.answerer)
			c.caller.Target, c.caller.Number = answerer.Address(), "5550100"
			called := Call(t, bounded(t), c.caller)
			as(t, "caller", called, 1)
			d := called.Only()
			if d.EndedBy != c.ended || d.Status() != 200 || d.Answered.Before(d.Begun) || d.Ended.Before(d.Answered) {
				t.Errorf("the caller's dialog: %+v", d)
			}
			// The last 200 may still be on its way through the other SIPp.
			answered := settled(t, answerer, func(r Result) bool { return r.Successful == 1 })
			as(t, "called one", answered, 1)
			if c.check != nil {
				c.check(t, called, answered)
			}
		})
	}
}

// settled waits until the result of a called party is as wanted; its counts are
// written each second.
func settled(t *testing.T, r *Running, wanted func(Result) bool) Result {
	t.Helper()
	err := r.process.Poll(bounded(t), func() error {
		if result := r.Result(); !wanted(result) {
			return fmt.Errorf("the called party: %v", result)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	return r.Stop()
}

func lateOffer(t *testing.T, caller, _ Result) {
	invite, _, _ := strings.Cut(caller.Log(), "message received")
	if strings.Contains(invite, "m=audio") || strings.Count(caller.Log(), "m=audio") != 2 {
		t.Error("the INVITE has an offer, or the 200 and the ACK lack theirs")
	}
}

func TestRefusals(t *testing.T) {
	for _, status := range []int{302, 403, 404, 480, 486, 503, 603} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			answerer := Answer(t, Answerer{Status: status, Ring: 10 * time.Millisecond})
			result := Call(t, bounded(t), Caller{Target: answerer.Address(), Number: "1", Expect: status})
			as(t, "caller", result, 1)
			if d := result.Only(); !slices.Equal(d.Statuses, []int{status}) || d.EndedBy != Nobody {
				t.Errorf("dialog %+v", d)
			}
			as(t, "called one", settled(t, answerer, func(r Result) bool { return r.Successful == 1 }), 1)
		})
	}
}

// A refusal that is not the one expected fails the call, and is told.
func TestUnexpectedRefusalIsTold(t *testing.T) {
	answerer := Answer(t, Answerer{Status: 486})
	result := Call(t, bounded(t), Caller{Target: answerer.Address(), Number: "1", Steps: []Step{Wait(moment)}})
	if result.Failed != 1 || result.Only().Status() != 486 || result.Reasons["FailedUnexpectedMessage"] != 1 {
		t.Errorf("%v", result)
	}
}

func TestDigest(t *testing.T) {
	for password, want := range map[string][]int{"secret": {401, 200}, "wrong": {401, 403}} {
		t.Run(password, func(t *testing.T) {
			answerer := Answer(t, Answerer{Username: "alice", Password: "secret", End: AwaitBye})
			result := Call(t, bounded(t), Caller{Target: answerer.Address(), Number: "5550100",
				Username: "alice", Password: password, Expect: want[1]})
			as(t, "caller", result, 1)
			if got := result.Only().Statuses; !slices.Equal(got, want) {
				t.Errorf("statuses %v, want %v", got, want)
			}
		})
	}
}

func TestCancel(t *testing.T) {
	for _, when := range []Cancellation{CancelOnRinging, CancelOnTrying, CancelAtOnce} {
		t.Run(fmt.Sprint(when), func(t *testing.T) {
			t.Parallel()
			answerer := Answer(t, Answerer{Ring: 10 * time.Second, End: AwaitBye})
			result := Call(t, bounded(t), Caller{Target: answerer.Address(), Number: "1", Cancel: when})
			as(t, "caller", result, 1)
			if d := result.Only(); d.Status() != 487 || d.EndedBy != Nobody {
				t.Errorf("dialog %+v", d)
			}
			as(t, "called one", settled(t, answerer, func(r Result) bool { return r.Successful == 1 }), 1)
		})
	}
}

// The answer comes first: the call is up, and is ended by a BYE.
func TestCancelTooLate(t *testing.T) {
	answerer := Answer(t, Answerer{End: AwaitBye})
	for _, when := range []Cancellation{CancelOnRinging, CancelOnTrying} {
		result := Call(t, bounded(t), Caller{Target: answerer.Address(), Number: "1", Cancel: when})
		as(t, "caller", result, 1)
		if d := result.Only(); d.Status() != 200 || d.EndedBy != Here {
			t.Errorf("dialog %+v", d)
		}
	}
}

func TestToldToHangUp(t *testing.T) {
	answerer := Answer(t, Answerer{End: AwaitBye})
	caller := Start(t, Caller{Target: answerer.Address(), Number: "1", Steps: []Step{Wait(time.Hour)}})
	settledCall := func() error {
		if caller.Result().Only().Answered.IsZero() {
			return fmt.Errorf("not answered")
		}
		return nil
	}
	if err := caller.process.Poll(bounded(t), settledCall); err != nil {
		t.Fatal(err)
	}
	if err := caller.HangUp(); err != nil {
		t.Fatal(err)
	}
	result, err := caller.Wait(bounded(t))
	if err != nil {
		t.Fatal(err)
	}
	as(t, "caller", result, 1)
	if result.Only().EndedBy != Here {
		t.Errorf("%v", result)
	}
}

func TestNobodyThere(t *testing.T) {
	target := loopback.Address(loopback.Ports(t, 1))
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	result, err := Start(t, Caller{Target: target, Number: "1"}).Wait(ctx)
	if err == nil && result.Successful > 0 || result.Only().Status() != 0 {
		t.Errorf("a call to nobody: %v, %v", result, err)
	}
}

func TestLoad(t *testing.T) {
	answerer := Answer(t, Answerer{End: AwaitBye})
	result := Call(t, bounded(t), Caller{Target: answerer.Address(), Number: "1", Steps: []Step{Wait(moment)},
		Load: Load{Calls: 150, Rate: 100, Limit: 40}})
	as(t, "caller", result, 150)
	if result.Created != 150 || result.Statuses()[200] != 150 || result.EndedBy(Here) != 150 {
		t.Errorf("%v", result)
	}
}
