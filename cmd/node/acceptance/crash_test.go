package acceptance

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/money"
	"github.com/conclave-voice/conclave/store/sqlstore"
	"github.com/conclave-voice/conclave/testenv/baresip"
	"github.com/conclave-voice/conclave/testenv/node"
	"github.com/conclave-voice/conclave/testenv/sipp"
)

// openStore looks into a node's database from outside.
func openStore(t *testing.T, ctx context.Context, n *node.Node) *sqlstore.Store {
	t.Helper()
	s, err := sqlstore.Open(ctx, "sqlite://"+filepath.Join(n.DataDir(), "conclave.db"))
	must(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

// heartbeat is that of node dev.
const heartbeat = 5 * time.Second

// BL6: kill -9 in mid-call. After the restart there is exactly one xDR for every
// stay, it ends within one heartbeat of the kill, and the money adds up.
func TestKill9LeavesExactlyOneXDRForEachStay(t *testing.T) {
	ctx := within(t, 120*time.Second)
	n := startNode(t, ctx)
	var phones []*baresip.Phone
	for i := range 3 {
		p := phone(t, i, baresip.Options{})
		dialIn(t, ctx, n, p, guestCode)
		phones = append(phones, p)
	}
	joined(t, ctx, n, 3)
	must(t, phones[0].Hangup(ctx)) // one stay ends in good order
	joined(t, ctx, n, 2)
	s := openStore(t, ctx, n)
	must(t, n.AwaitMetric(ctx, "conclave_unsettled", nil, func(v float64) bool { return v == 0 }))
	// Until the first heartbeat has been written, the end is that of the join.
	for {
		xdrs, err := s.ListXDRs(ctx, store.Scope{}, store.XDRFilter{}, store.Page{})
		must(t, err)
		if len(xdrs) == 1 {
			break
		}
	}
	killed := time.Now()
	n.Kill9()
	must(t, n.Restart(ctx))
	xdrs, err := s.ListXDRs(ctx, store.Scope{}, store.XDRFilter{}, store.Page{})
	must(t, err)
	stays, err := s.ListParticipants(ctx, store.Scope{}, "", true, store.Page{})
	must(t, err)
	if len(xdrs) != 3 || len(stays) != 3 {
		t.Fatalf("%d xDRs for %d stays, want 3 for 3", len(xdrs), len(stays))
	}
	var charged money.Amount
	for _, x := range xdrs {
		charged += x.Amount
		if x.Cause != store.CauseNodeFailure {
			continue
		}
		if off := killed.Sub(x.EndedAt); off < 0 || off > heartbeat {
			t.Errorf("a stay ends %v before the kill, a heartbeat is %v", off, heartbeat)
		}
	}
	for _, p := range stays {
		if p.LeftAt.IsZero() {
			t.Errorf("the stay of %s is open", p.Caller)
		}
	}
	account, err := s.AccountByName(ctx, store.Scope{}, "conf1234")
	must(t, err)
	if account.Balance != 100*money.Unit-charged || account.Reserved != 0 {
		t.Errorf("balance %s after charges of %s, reserved %s", account.Balance, charged, account.Reserved)
	}
	open, err := s.ListConferences(ctx, store.Scope{}, "", false, store.Page{})
	must(t, err)
	if len(open) != 0 {
		t.Errorf("%d conferences are still open", len(open))
	}
	// And the room can be used at once.
	again := phone(t, 4, baresip.Options{})
	dialIn(t, ctx, n, again, guestCode)
	joined(t, ctx, n, 1)
}

// CF4: 500 calls leave no goroutine, port or file descriptor behind.
func TestFiveHundredCallsLeaveNothing(t *testing.T) {
	ctx := within(t, 300*time.Second)
	n := node.Start(t, node.Options{RTPPorts: 400})
	must(t, n.WaitReady(ctx))
	// Slow enough for any disk: each call is a dozen transactions, and a node that
	// cannot keep up refuses calls.
	call := func(calls int) {
		result := sipp.Call(t, ctx, sipp.Caller{Target: n.SIP(), Number: number,
			Steps: []sipp.Step{sipp.Info(guestCode), sipp.Wait(500 * time.Millisecond)},
			Load:  sipp.Load{Calls: calls, Rate: 10, Limit: 30}})
		if result.Successful != calls {
			t.Errorf("%v\n%s", result, result.Errors)
		}
		must(t, n.AwaitMetric(ctx, "conclave_calls", nil, func(v float64) bool { return v == 0 }))
		must(t, n.AwaitMetric(ctx, "conclave_rtp_port_pairs_in_use", nil, func(v float64) bool { return v == 0 }))
		must(t, n.AwaitMetric(ctx, "conclave_media_mixers", nil, func(v float64) bool { return v == 0 }))
		must(t, n.AwaitMetric(ctx, "conclave_dialogs", nil, func(v float64) bool { return v == 0 }))
	}
	call(20) // what is made once is made now
	goroutines, err := n.Goroutines(ctx)
	must(t, err)
	files, err := n.FDs()
	must(t, err)
	call(500)
	must(t, n.AwaitMetric(ctx, "go_goroutines", nil, func(v float64) bool { return v <= float64(goroutines)+2 }))
	// Database connections come and go.
	if after, err := n.FDs(); err != nil || after > files+16 {
		t.Errorf("%d file descriptors before, %d after, %v", files, after, err)
	}
}
