package server

import (
	"context"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/jonboulle/clockwork"

	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/money"
	"github.com/conclave-voice/conclave/testenv/loopback"
	"github.com/conclave-voice/conclave/testenv/pcap"
	"github.com/conclave-voice/conclave/testenv/sipp"
)

// lab is a node in this process, with a clock that stands still until the test
// moves it. Callers, sockets and the database are real.
type lab struct {
	*testing.T
	node  *Node
	clock *clockwork.FakeClock
}

func startLab(t *testing.T, change func(ctx context.Context, s store.Store)) *lab {
	t.Helper()
	l := newLab(t, labConfig(t))
	if change != nil {
		change(t.Context(), l.node.store)
	}
	l.run()
	return l
}

// labConfig is that of a node dev with ports of its own.
func labConfig(t *testing.T) Config {
	port := loopback.Ports(t, 204)
	c := DevConfig()
	c.DataDir = t.TempDir()
	c.SIP, c.HTTP = loopback.Address(port), loopback.Address(port+2)
	c.RTP = fmt.Sprintf("%d-%d", port+4, port+203)
	c.MediaTimeout = 0 // the callers of these tests do not talk all the time
	return c
}

func newLabClock() *clockwork.FakeClock {
	return clockwork.NewFakeClockAt(time.Date(2026, 1, 2, 15, 0, 0, 0, time.UTC))
}

// newLab makes a node that does not run yet.
func newLab(t *testing.T, c Config) *lab {
	t.Helper()
	l := &lab{T: t, clock: newLabClock()}
	var err error
	l.node, err = New(t.Context(), c, l.clock, hclog.NewNullLogger())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// run runs the node until the test ends.
func (l *lab) run() {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.node.Run(ctx, io.Discard) }()
	l.Cleanup(func() {
		stop()
		for {
			select {
			case err := <-done:
				if err != nil {
					l.Error(err)
				}
				return
			case <-time.After(10 * time.Millisecond):
				l.clock.Advance(time.Second) // a journal that waits for its store waits by the clock
			}
		}
	})
}

// eventually waits for what other goroutines bring about.
func (l *lab) eventually(what string, is func() bool) {
	l.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-deadline:
			l.Fatal("never: ", what)
		}
	}
}

// join lets a caller in by SIPp and waits until it is.
func (l *lab) join() *sipp.Running {
	l.Helper()
	before := len(l.stays())
	call := sipp.Start(l, sipp.Caller{Target: l.node.sip.Addrs()[0].Addr.String(), Number: demoNumber, End: sipp.AwaitBye, Patience: 5 * time.Minute,
		Steps: []sipp.Step{sipp.Play(pcap.New(pcap.PCMU).Silence(500 * time.Millisecond).Keys("123456#"))}})
	l.eventually("the caller is in", func() bool { return len(l.stays()) == before+1 && l.seen() })
	return call
}

// stays are those that are open.
func (l *lab) stays() []store.Participant {
	list, err := l.node.store.ListParticipants(l.Context(), store.Scope{}, "", false, store.Page{})
	if err != nil {
		l.Fatal(err)
	}
	return list
}

func (l *lab) account() store.Account {
	a, err := l.node.store.AccountByName(l.Context(), store.Scope{}, demoAccount)
	if err != nil {
		l.Fatal(err)
	}
	return a
}

// parts are what waits for the clock besides calls: the heartbeat, the host, the settler,
// the journal, the local copy, the watch, the watch of the rooms' assignments, of trust, of the
// recorder, and of old recordings.
const parts = 10

// seen says whether every call has looked at the present time: Advance takes away
// the timers that are due, and a call sets its next one when it has. While the store is
// away the breaker waits too, to ask it again.
func (l *lab) seen() bool {
	ctx, cancel := context.WithTimeout(l.Context(), 50*time.Millisecond)
	defer cancel()
	waiting := parts + l.node.calls.Calls()
	if l.node.breaker.Open() {
		waiting++
	}
	return l.clock.BlockUntilContext(ctx, waiting) == nil
}

// pass moves the clock a minute at a time, so that each stay renews its share as
// it would.
func (l *lab) pass(minutes int) {
	l.Helper()
	for range minutes {
		l.clock.Advance(time.Minute)
		l.eventually("the stays have renewed their shares", l.seen)
	}
}

// BL2, CA7: three stays of 30, 25 and 20 minutes at 0.03 a minute are three records
// of 0.90, 0.75 and 0.60.
func TestThreeStays(t *testing.T) {
	l := startLab(t, nil)
	callers := []*sipp.Running{l.join(), l.join(), l.join()}
	l.pass(20)
	for i, pause := range []int{5, 5, 0} {
		if err := callers[len(callers)-1-i].HangUp(); err != nil {
			t.Fatal(err)
		}
		l.eventually("the caller has left", func() bool { return l.node.host.Load().Seats == 2-i })
		l.eventually("its stay is settled", func() bool { return len(l.xdrs()) == i+1 })
		l.pass(pause)
	}
	var amounts []money.Amount
	for _, x := range l.xdrs() {
		amounts = append(amounts, x.Amount)
	}
	slices.Sort(amounts)
	want := []money.Amount{money.MustParse("0.60"), money.MustParse("0.75"), money.MustParse("0.90")}
	if !slices.Equal(amounts, want) {
		t.Errorf("amounts %v, want %v", amounts, want)
	}
	if a := l.account(); a.Balance != money.MustParse("97.75") || a.Reserved != 0 {
		t.Errorf("balance %s, reserved %s", a.Balance, a.Reserved)
	}
}

func (l *lab) xdrs() []store.XDR {
	list, err := l.node.store.ListXDRs(l.Context(), store.Scope{}, store.XDRFilter{}, store.Page{})
	if err != nil {
		l.Fatal(err)
	}
	return list
}

// BL4: a call ends, with a warning before, when the money is used up, and the
// account is not overspent.
func TestMoneyIsUsedUp(t *testing.T) {
	l := startLab(t, func(ctx context.Context, s store.Store) {
		a, err := s.AccountByName(ctx, store.Scope{}, demoAccount)
		if err != nil {
			t.Fatal(err)
		}
		// 0.07 is left: two minutes, and a little that buys nothing.
		if _, err := s.PostEntry(ctx, store.LedgerEntry{ID: store.NewEntryID(), AccountID: a.ID, Kind: store.EntryAdjustment,
			Amount: money.MustParse("-99.93"), Reason: "test", Author: "test"}); err != nil {
			t.Fatal(err)
		}
	})
	call := sipp.Start(t, sipp.Caller{Target: l.node.sip.Addrs()[0].Addr.String(), Number: demoNumber, End: sipp.AwaitBye, Patience: time.Minute,
		Steps: []sipp.Step{sipp.Play(pcap.New(pcap.PCMU).Silence(500 * time.Millisecond).Keys("123456#"))}})
	l.eventually("the stay has begun", func() bool { return len(l.stays()) == 1 && l.seen() })
	for step := 0; len(l.xdrs()) == 0; step++ {
		if step == 60 {
			t.Fatal("the stay goes on after five minutes, with money for two")
		}
		l.clock.Advance(5 * time.Second)
		l.eventually("the call has seen the time, or has ended", func() bool { return l.seen() || len(l.xdrs()) > 0 })
	}
	x := l.xdrs()[0]
	if x.Cause != store.CauseFunds || x.Amount != money.MustParse("0.06") || x.Duration != 2*time.Minute {
		t.Errorf("%s after %v for %s", x.Cause, x.Duration, x.Amount)
	}
	result, err := call.Wait(t.Context())
	if err != nil || result.Only().EndedBy != sipp.There {
		t.Errorf("%v %v", result, err)
	}
	l.eventually("the warning is in the call's trace", func() bool {
		_, steps, err := l.node.store.Call(t.Context(), store.Scope{}, x.CallID)
		return err == nil && slices.ContainsFunc(steps, func(s store.CallStep) bool { return s.Step == "funds" && s.Outcome == "low" })
	})
	if a := l.account(); a.Balance != money.MustParse("0.01") || a.Reserved != 0 {
		t.Errorf("balance %s, reserved %s", a.Balance, a.Reserved)
	}
}
