package server

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/money"
	"github.com/conclave-voice/conclave/store/sqlstore"
	"github.com/conclave-voice/conclave/testenv/pcap"
	"github.com/conclave-voice/conclave/testenv/postgres"
	"github.com/conclave-voice/conclave/testenv/sipp"
)

// coast is a lab whose store is a PostgreSQL that can be cut off.
type coast struct {
	*lab
	config Config
	proxy  *postgres.Proxy
	direct *sqlstore.Store // past the proxy
}

func startCoast(t *testing.T) *coast {
	t.Helper()
	dsn := postgres.Start(t)
	c := &coast{config: labConfig(t), proxy: postgres.NewProxy(t, dsn)}
	c.config.Store = c.proxy.DSN()
	c.lab = newLab(t, c.config)
	var err error
	if c.direct, err = sqlstore.Open(t.Context(), dsn); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.direct.Close() })
	c.run()
	c.eventually("there is a copy", func() bool { return c.node.replica.Usable() == nil })
	return c
}

// cut cuts the store off, and waits until the node knows.
func (c *coast) cut(how func()) {
	c.Helper()
	how()
	c.eventually("the node knows that the store is away", func() bool {
		c.clock.Advance(100 * time.Millisecond)
		return c.node.breaker.Open()
	})
}

// heal lets the store be reached, and waits until it has been told everything.
func (c *coast) heal() {
	c.Helper()
	c.proxy.Heal()
	c.eventually("the store has been told everything", func() bool {
		c.clock.Advance(100 * time.Millisecond)
		return !c.node.breaker.Open() && c.node.journal.Stats().Waiting == 0
	})
}

// joinAlone lets a caller in while the store is away.
func (c *coast) joinAlone() *sipp.Running {
	c.Helper()
	before, seats := c.node.billing.Stats().Offline, c.node.host.Load().Seats
	call := sipp.Start(c.T, sipp.Caller{Target: c.node.sip.Addrs()[0].Addr.String(), Number: demoNumber, End: sipp.AwaitBye, Patience: 5 * time.Minute,
		Steps: []sipp.Step{sipp.Play(pcap.New(pcap.PCMU).Silence(500 * time.Millisecond).Keys("123456#"))}})
	c.eventually("the caller is in", func() bool {
		return c.node.billing.Stats().Offline == before+1 && c.node.host.Load().Seats == seats+1 && c.seen()
	})
	return call
}

// leave hangs up and waits until the seat is free.
func (c *coast) leave(call *sipp.Running) {
	c.Helper()
	seats := c.node.host.Load().Seats
	if err := call.HangUp(); err != nil {
		c.Fatal(err)
	}
	c.eventually("the caller has left", func() bool { return c.node.host.Load().Seats == seats-1 })
}

// ready asks /readyz.
func (c *coast) ready() (status int, body string) {
	c.Helper()
	r, err := http.Get("http://" + c.node.web.Addr().String() + "/readyz")
	if err != nil {
		c.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		c.Fatal(err)
	}
	return r.StatusCode, string(text)
}

// complete checks what the store knows when everybody has left: one record for each stay,
// a trace for each call, a history without gaps, and money that adds up.
func (c *coast) complete(stays int) []store.XDR {
	c.Helper()
	ctx := c.Context()
	xdrs, err := c.direct.ListXDRs(ctx, store.Scope{}, store.XDRFilter{}, store.Page{})
	if err != nil || len(xdrs) != stays {
		c.Fatalf("%d records of %d stays, %v", len(xdrs), stays, err)
	}
	var cost money.Amount
	for _, x := range xdrs {
		cost += x.Amount
		if call, steps, err := c.direct.Call(ctx, store.Scope{}, x.CallID); err != nil || call.EndedAt.IsZero() || len(steps) == 0 {
			c.Errorf("trace of the call: %+v, %d steps, %v", call, len(steps), err)
		}
	}
	account, err := c.direct.AccountByName(ctx, store.Scope{}, demoAccount)
	if err != nil {
		c.Fatal(err)
	}
	entries, err := c.direct.ListEntries(ctx, store.Scope{}, account.ID, store.Page{})
	if err != nil {
		c.Fatal(err)
	}
	var sum money.Amount
	for _, e := range entries {
		sum += e.Amount
	}
	if account.Balance != sum || account.Balance != 100*money.Unit-cost || account.Reserved != 0 || len(entries) != 1+stays {
		c.Errorf("balance %s, %d entries of %s, cost %s, reserved %s", account.Balance, len(entries), sum, cost, account.Reserved)
	}
	conferences, err := c.direct.ListConferences(ctx, store.Scope{}, "", true, store.Page{})
	if err != nil {
		c.Fatal(err)
	}
	for _, conf := range conferences {
		events, err := c.direct.ConferenceEvents(ctx, store.Scope{}, conf.ID, time.Time{})
		if err != nil || conf.EndedAt.IsZero() || len(events) == 0 {
			c.Errorf("%+v with %d events, %v", conf, len(events), err)
		}
		for i, e := range events {
			if e.Seq != int64(i+1) {
				c.Errorf("event %d is number %d", i+1, e.Seq)
			}
		}
	}
	if dead := c.node.journal.Stats().DeadLetters; dead != 0 {
		c.Errorf("%d dead letters", dead)
	}
	return xdrs
}

// MS7, BL6, BL7: the database is cut off for an hour. Callers join, stay and leave; those
// who were in stay in; the node says how it is. Afterwards every stay has one record, in
// the right length, and the money adds up.
func TestAnHourWithoutTheStore(t *testing.T) {
	c := startCoast(t)
	before := c.join()
	c.cut(c.proxy.Cut)
	if status, body := c.ready(); status != http.StatusOK || !strings.Contains(body, "store away") {
		t.Errorf("/readyz: %d %s", status, body)
	}
	early := c.joinAlone()
	c.pass(30)
	c.leave(before)
	late := c.joinAlone()
	c.pass(30)
	c.leave(early)
	if n := len(c.records()); n != 0 || c.node.journal.Stats().Waiting == 0 {
		t.Errorf("%d records in a store that is away, %d in the journal", n, c.node.journal.Stats().Waiting)
	}
	c.heal()
	c.eventually("/readyz says that all is well", func() bool {
		c.clock.Advance(100 * time.Millisecond)
		status, body := c.ready()
		return status == http.StatusOK && strings.Contains(body, `"status":"ready"`)
	})
	c.pass(10)
	c.leave(late)
	c.eventually("the last stay is settled", func() bool { return len(c.records()) == 3 })
	c.eventually("everything is told", func() bool {
		c.clock.Advance(100 * time.Millisecond)
		return c.node.host.Load().Conferences == 0 && c.node.calls.Calls() == 0 && c.node.journal.Stats().Waiting == 0
	})
	for i, x := range c.complete(3) {
		// before: 30 minutes; early: an hour; late: 40 minutes, and what the clock was
		// moved by between.
		least := []time.Duration{30 * time.Minute, 60 * time.Minute, 40 * time.Minute}[i]
		if x.Duration < least || x.Duration > least+20*time.Minute || x.Cause != store.CauseHangup {
			t.Errorf("stay %d lasted %v, %s", i, x.Duration, x.Cause)
		}
	}
}

// records are the records in the store.
func (c *coast) records() []store.XDR {
	c.Helper()
	list, err := c.direct.ListXDRs(c.Context(), store.Scope{}, store.XDRFilter{}, store.Page{})
	if err != nil {
		c.Fatal(err)
	}
	return list
}

// MS7: a network that loses everything, so that nobody is told: the node goes on after its
// patience, as with a store that refuses.
func TestStalledStore(t *testing.T) {
	c := startCoast(t)
	c.cut(c.proxy.Stall)
	call := c.joinAlone()
	c.pass(2)
	c.leave(call)
	c.heal()
	c.complete(1)
}

// MS7: a conference that was opened without the store, and has lost to one of a higher epoch,
// ends when the store is back. Its callers' stays are settled all the same.
func TestConferenceThatHasLost(t *testing.T) {
	c := startCoast(t)
	c.cut(c.proxy.Cut)
	c.joinAlone()
	winner := c.node.host.Conferences()[0].Row()
	winner.ID, winner.Epoch, winner.Focus.Node = store.NewConferenceID(), winner.Epoch+1, "elsewhere"
	if err := c.direct.OpenConference(t.Context(), winner); err != nil {
		t.Fatal(err)
	}
	c.heal()
	c.eventually("the conference has ended here", func() bool {
		c.clock.Advance(100 * time.Millisecond)
		return c.node.host.Load().Conferences == 0 && c.node.journal.Stats().Waiting == 0 && len(c.records()) == 1
	})
	if x := c.records()[0]; x.Cause != store.CauseEnded || x.ConferenceID == winner.ID {
		t.Errorf("%+v", x)
	}
	open, err := c.direct.ListConferences(t.Context(), store.Scope{}, "", false, store.Page{})
	if err != nil || len(open) != 1 || open[0].ID != winner.ID || c.node.journal.Stats().DeadLetters != 0 {
		t.Errorf("open are %+v, %v; %d dead letters", open, err, c.node.journal.Stats().DeadLetters)
	}
}

// MS7: a node starts while the database is away, by the copy of its last run, takes calls,
// and tells everything afterwards; without a copy it says why it cannot start.
func TestStartWithoutTheStore(t *testing.T) {
	dsn := postgres.Start(t)
	proxy := postgres.NewProxy(t, dsn)
	config := labConfig(t)
	config.Store = proxy.DSN()
	proxy.Cut()
	_, err := New(t.Context(), config, newLabClock(), hclog.NewNullLogger())
	if err == nil || !strings.Contains(err.Error(), "--store") || !strings.Contains(err.Error(), "copy") {
		t.Fatalf("without a copy: %v", err)
	}
	proxy.Heal()
	c := &coast{lab: newLab(t, config), proxy: proxy, config: config}
	if err := c.node.replica.Refresh(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	c.node.close()
	proxy.Cut()
	again := labConfig(t)
	again.Store, again.DataDir = config.Store, config.DataDir
	c.lab = newLab(t, again)
	c.run()
	if status, body := c.ready(); status != http.StatusOK || !strings.Contains(body, "store away") {
		t.Errorf("/readyz: %d %s", status, body)
	}
	call := c.joinAlone()
	c.pass(5)
	c.leave(call)
	if c.direct, err = sqlstore.Open(t.Context(), dsn); err != nil {
		t.Fatal(err)
	}
	defer c.direct.Close()
	c.heal()
	c.eventually("the last run is closed", func() bool { c.clock.Advance(100 * time.Millisecond); return c.node.recovered() })
	c.complete(1)
}

// MS7: a full disk: the running call is settled, new ones are refused with 503 before
// records are lost, and taken again when there is room.
func TestFullDisk(t *testing.T) {
	c := &coast{config: labConfig(t)}
	dir := filepath.Join(c.config.DataDir, journalDir)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("none", dir, "tmpfs", 0, "size=80m"); err != nil {
		t.Skip("a small disk cannot be made here: ", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	c.lab = newLab(t, c.config)
	c.direct = c.node.store
	c.run()
	running := c.join()
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 80<<20), 0o600); err == nil {
		t.Fatal("80 MiB fit beside the journal on a disk of 80 MiB")
	}
	c.eventually("the node knows", func() bool {
		c.clock.Advance(100 * time.Millisecond)
		s, _ := c.ready()
		return s == http.StatusServiceUnavailable
	})
	if _, body := c.ready(); !strings.Contains(body, "journal full") {
		t.Errorf("/readyz: %s", body)
	}
	refused := sipp.Call(t, t.Context(), sipp.Caller{Target: c.node.sip.Addrs()[0].Addr.String(), Number: demoNumber, Expect: 503})
	if refused.Successful != 1 {
		t.Errorf("%v\n%s", refused, refused.Errors)
	}
	c.pass(1)
	c.leave(running)
	c.eventually("the stay is settled", func() bool { c.clock.Advance(100 * time.Millisecond); return len(c.records()) == 1 })
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	c.eventually("calls are taken again", func() bool { c.clock.Advance(100 * time.Millisecond); s, _ := c.ready(); return s == http.StatusOK })
	c.leave(c.join())
	c.eventually("everything is told", func() bool {
		c.clock.Advance(100 * time.Millisecond)
		return len(c.records()) == 2 && c.node.host.Load().Conferences == 0 && c.node.calls.Calls() == 0 && c.node.journal.Stats().Waiting == 0
	})
	c.complete(2)
}
