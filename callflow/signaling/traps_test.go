package signaling

// One test for each thing that sipgo v1.7.2 gets wrong and that this package puts
// right. The numbers are those of our notes on it; those of transport, 7, 9 and 11, are in
// traps_transport_test.go.

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/jonboulle/clockwork"
)

// SPEC SE4.
func TestTrap01NoMessageAndNoHandlerEndsTheProcess(t *testing.T) {
	h := newAnswering()
	panicking := true
	e := serve(t, Config{}, handlerFunc(func(ctx context.Context, in *Invite) {
		if panicking {
			panicking = false
			panic("a bug in the handler")
		}
		h.offer = func([]byte) ([]byte, error) { panic("a bug in the dialog's handler") }
		h.ServeInvite(ctx, in)
	}))
	p := newPeer(t, address0(e, "udp"))
	for _, text := range []string{
		"INVITE sip:a@b SIP/2.0\r\n\r\n", "INVITE sip:a@b SIP/2.0\r\nVia:\r\n\r\n", "SIP/2.0 200 OK\r\n\r\n",
		"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP x\r\nCSeq: x\r\n\r\n", ":::\r\n\r\n", "ACK sip:a@b SIP/2.0\r\nCSeq: 1 ACK\r\n\r\n",
		"\x00\x00", "INVITE", strings.Repeat("A", 60000),
	} {
		p.send(text)
	}
	p.ask("INVITE", testOffer)
	p.expect("INVITE", 500)
	p.ack("")
	p.call()
	p.ask("INVITE", testOffer)
	p.expect("INVITE", 500)
	p.ack("")
	p.bye()
	if n := e.Stats().Dropped["panic"]; n != 2 {
		t.Errorf("%d panics counted, want 2", n)
	}
}

// SPEC CA4: digits by INFO keep their order, and none comes before the ACK.
func TestTrap02RequestsDoNotOvertake(t *testing.T) {
	h := newAnswering()
	e := serve(t, Config{}, h)
	t.Run("INFO behind ACK", func(t *testing.T) {
		for range 100 {
			p := newPeer(t, address0(e, "udp"))
			p.ask("INVITE", testOffer)
			p.remote = tagOf(p.expect("INVITE", 200).get("to"))
			p.ack("")
			for i := range 10 {
				p.ask("INFO", fmt.Sprint(i), "Content-Type: application/dtmf-relay")
			}
			for i := range 10 {
				if got := wait(t, h.infos, "INFO"); got != fmt.Sprint(i) {
					t.Fatalf("INFO %s came as number %d", got, i)
				}
			}
			p.ask("BYE", "")
			wait(t, h.ended, "the end")
		}
	})
	t.Run("before ACK", func(t *testing.T) {
		p := newPeer(t, address0(e, "udp"))
		p.ask("INVITE", testOffer)
		p.remote = tagOf(p.expect("INVITE", 200).get("to"))
		invite := p.cseq
		p.ask("INFO", "early", "Content-Type: application/dtmf-relay")
		p.ask("INVITE", testOffer)
		reinvite := p.cseq
		p.expect("INVITE", 100)
		select {
		case got := <-h.infos:
			t.Fatalf("INFO %s was handled before the ACK", got)
		default:
		}
		p.send(p.request("ACK", "", invite, ""))
		if got := wait(t, h.infos, "INFO"); got != "early" {
			t.Errorf("INFO is %q", got)
		}
		for m := p.next(); m.get("cseq") != fmt.Sprintf("%d INVITE", reinvite) || m.status != 200; m = p.next() {
		}
		p.send(p.request("ACK", "", reinvite, ""))
		p.ask("BYE", "")
		wait(t, h.ended, "the end")
	})
	t.Run("BYE without ACK", func(t *testing.T) {
		p := newPeer(t, address0(e, "udp"))
		for len(h.failed) > 0 {
			<-h.failed
		}
		p.ask("INVITE", testOffer)
		p.remote = tagOf(p.expect("INVITE", 200).get("to"))
		p.ask("BYE", "", `Reason: Q.850;cause=16`)
		p.expect("BYE", 200)
		var ended *EndedError
		if err := wait(t, h.failed, "the end of Accept"); !errors.As(err, &ended) || ended.End.Reason != "Q.850;cause=16" {
			t.Errorf("Accept: %v", err)
		}
	})
}

func TestTrap03TwoHundredWinsAgainstCancel(t *testing.T) {
	e := serve(t, Config{}, newAnswering())
	p := newPeer(t, address0(e, "udp"))
	ctx, cancel := context.WithCancel(context.Background())
	result := make(chan error, 1)
	go func() {
		_, _, err := e.Dial(ctx, DialRequest{Target: p.uri(""), Offer: []byte(testOffer)}, newRecorder())
		result <- err
	}()
	invite := p.expectRequest("INVITE")
	p.respond(invite, 180, "")
	eventually(t, "180", func() bool { return e.Stats().ClientTransactions == 1 })
	cancel()
	p.respond(p.expectRequest("CANCEL"), 200, "")
	p.respond(invite, 200, testAnswer)
	p.expectRequest("ACK")
	p.respond(p.expectRequest("BYE"), 200, "")
	if err := wait(t, result, "the end of Dial"); !errors.Is(err, context.Canceled) {
		t.Errorf("Dial: %v", err)
	}
	if n := e.Stats().Dialogs; n != 0 {
		t.Errorf("%d dialogs are left", n)
	}
}

func TestTrap04TwoHundredIsSentAgainAndThenBye(t *testing.T) {
	clock := clockwork.NewFakeClock()
	h := newAnswering()
	e := serve(t, Config{Clock: clock, T1: 500 * time.Millisecond}, h)
	p := newPeer(t, address0(e, "udp"))
	p.ask("INVITE", testOffer)
	first := p.expect("INVITE", 200)
	p.remote = tagOf(first.get("to"))
	// RFC 3261 section 13.3.1.4: 0.5 s, then twice as long up to 4 s, for 32 s.
	for sum, pause := time.Duration(0), 500*time.Millisecond; sum+pause < 32*time.Second; pause = min(2*pause, 4*time.Second) {
		advance(t, clock, pause)
		if m := p.expect("INVITE", 200); m.get("to") != first.get("to") {
			t.Errorf("200 with another tag: %s", m.get("to"))
		}
		sum += pause
	}
	advance(t, clock, 4*time.Second)
	p.respond(p.expectRequest("BYE"), 200, "")
	var ended *EndedError
	if err := wait(t, h.failed, "the end of Accept"); !errors.As(err, &ended) || ended.End.Cause != CauseNoACK {
		t.Errorf("Accept: %v", err)
	}
	if len(h.ended) > 0 {
		t.Error("Ended was called though Accept had failed")
	}
}

// advance waits until the dialog's goroutine sleeps on the clock.
func advance(t *testing.T, c *clockwork.FakeClock, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := c.BlockUntilContext(ctx, 1); err != nil {
		t.Fatal(err)
	}
	c.Advance(d)
}

func TestTrap05ReinviteTwoHundredsAreAcknowledgedAndRepeated(t *testing.T) {
	h := newAnswering()
	e := serve(t, Config{T1: 20 * time.Millisecond}, h)
	p := newPeer(t, address0(e, "udp"))
	p.call()
	d := wait(t, h.dialogs, "the dialog")

	answered := make(chan error, 1)
	go func() {
		_, err := d.Reinvite(context.Background(), []byte(testOffer))
		answered <- err
	}()
	invite := p.expectRequest("INVITE")
	for range 3 { // as if our ACKs were lost
		p.respond(invite, 200, testAnswer)
		ack := p.expectRequest("ACK")
		if got, want := ack.get("cseq"), strings.Replace(invite.get("cseq"), "INVITE", "ACK", 1); got != want {
			t.Errorf("ACK has CSeq %s, want %s", got, want)
		}
	}
	if err := wait(t, answered, "the answer"); err != nil {
		t.Error(err)
	}

	p.ask("INVITE", testOffer)
	for range 3 {
		p.expect("INVITE", 200)
	}
	p.ack("")
	p.bye()
}

func TestTrap06AnyNumberOfProvisionalResponses(t *testing.T) {
	e := serve(t, Config{}, newAnswering())
	p := newPeer(t, address0(e, "udp"))
	got := make(chan int, 100)
	result := make(chan *Dialog, 1)
	go func() {
		d, answer, err := e.Dial(context.Background(), DialRequest{
			Target: p.uri(""), Offer: []byte(testOffer),
			Progress: func(status int, _ []byte) { got <- status },
		}, newRecorder())
		if err != nil || string(answer) != testAnswer {
			t.Errorf("Dial: %v, answer %q", err, answer)
		}
		result <- d
	}()
	invite := p.expectRequest("INVITE")
	for range 50 {
		p.respond(invite, 180, "")
		wait(t, got, "180")
	}
	p.respond(invite, 200, testAnswer)
	p.expectRequest("ACK")
	d := wait(t, result, "the answer")
	go func() { _ = d.Hangup(context.Background(), Reason{Protocol: "SIP", Cause: 200, Text: `done "so"`}) }()
	bye := p.expectRequest("BYE")
	if got, want := bye.get("reason"), `SIP;cause=200;text="done \"so\""`; got != want {
		t.Errorf("Reason is %s, want %s", got, want)
	}
	p.respond(bye, 200, "")
}

// SPEC SE1, CA6: who is trusted may change while the endpoint runs: a node that joins its
// cluster later sends as fast as it has calls.
func TestTrustFollowsWhoIsThere(t *testing.T) {
	e := serve(t, Config{Limits: Limits{SourceBurst: 2, SourceRate: 0.001, Trusted: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}}, newAnswering())
	p := newPeer(t, address0(e, "udp"))
	ask := func(n int) {
		t.Helper()
		for range n {
			p.ask("OPTIONS", "")
			p.expect("OPTIONS", 200)
		}
	}
	ask(2)
	p.ask("OPTIONS", "")
	for e.Stats().Dropped["rate"] != 1 {
		runtime.Gosched()
	}
	e.Trust([]netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")})
	ask(100)
	e.Trust(nil)
	p.ask("OPTIONS", "")
	for e.Stats().Dropped["rate"] != 2 {
		runtime.Gosched()
	}
}

// SPEC SE1.
func TestTrap08StrangersLeaveNothing(t *testing.T) {
	var logged bytes.Buffer
	var mu sync.Mutex
	e := serve(t, Config{
		Limits: Limits{Sources: 256, SourceBurst: 2, SourceRate: 0.001, Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}},
		Logger: hclog.New(&hclog.LoggerOptions{Level: hclog.Info, Output: lockedWriter{&mu, &logged}}),
	}, newAnswering())
	p := newPeer(t, address0(e, "udp"))
	p.ask("OPTIONS", "")
	p.expect("OPTIONS", 200)
	before := runtime.NumGoroutine()
	for i := range 2000 {
		from := fmt.Sprintf("127.%d.%d.9:0", 1+i/200, 1+i%200)
		conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(from)))
		if err != nil {
			t.Fatal(err)
		}
		w := &udpWire{conn, address0(e, "udp")}
		w.write([]byte("GET / HTTP/1.0 secret-of-a-stranger\r\n\r\n"))
		w.write([]byte("ACK sip:x SIP/2.0\r\nX: secret-of-a-stranger\r\n\r\n"))
		w.write([]byte("OPTIONS sip:x SIP/2.0\r\nX: secret-of-a-stranger\r\n\r\n")) // over the limit
		conn.Close()
	}
	p.ask("OPTIONS", "")
	p.expect("OPTIONS", 200)
	s := e.Stats()
	if s.Dropped["rate"] != 2000 {
		t.Errorf("%d dropped by rate, want 2,000", s.Dropped["rate"])
	}
	if s.ServerTransactions != 2 || s.Connections != 0 || s.Dialogs != 0 {
		t.Errorf("strangers left something: %+v", s)
	}
	if s.Sources > 2*256 {
		t.Errorf("%d token buckets, want at most 512", s.Sources)
	}
	if n := runtime.NumGoroutine(); n > before {
		t.Errorf("%d goroutines, %d before", n, before)
	}
	mu.Lock()
	defer mu.Unlock()
	if strings.Contains(logged.String(), "secret") {
		t.Errorf("what strangers send is logged: %s", logged.String())
	}
}

type lockedWriter struct {
	mu *sync.Mutex
	w  io.Writer
}

func (l lockedWriter) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

func TestTrap10TargetRefreshAndCSeq(t *testing.T) {
	h := newAnswering()
	e := serve(t, Config{}, h)
	p := newPeer(t, address0(e, "udp"))
	p.call()
	d := wait(t, h.dialogs, "the dialog")

	// The caller moves: its next Contact is another socket.
	moved := newPeer(t, address0(e, "udp"))
	p.ask("INVITE", testOffer, "X: y")
	p.expect("INVITE", 200)
	p.ack("")
	p.cseq++
	text := p.request("UPDATE", "", p.cseq, "")
	old := "Contact: <sip:alice@" + p.wire.addr() + ">"
	p.send(strings.Replace(text, old, "Contact: <sip:alice@"+moved.wire.addr()+">", 1))
	p.expect("UPDATE", 200)
	if got, want := d.RemoteTarget(), "sip:alice@"+moved.wire.addr(); got != want {
		t.Errorf("remote target is %s, want %s", got, want)
	}

	// Requests of several goroutines have numbers of their own.
	const n = 20
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() { _, _ = d.Reinvite(context.Background(), []byte(testOffer)) })
	}
	seen := map[string]bool{}
	for range n {
		m := moved.expectRequest("INVITE")
		if seen[m.get("cseq")] {
			t.Errorf("CSeq %s twice", m.get("cseq"))
		}
		seen[m.get("cseq")] = true
		moved.respond(m, 200, testAnswer)
		moved.expectRequest("ACK")
	}
	wg.Wait()
	go func() { _ = d.Hangup(context.Background(), Reason{}) }()
	moved.respond(moved.expectRequest("BYE"), 200, "")
	wait(t, h.ended, "the end")
}

// What sipgo leaves out has tests of its own: session timers, digest of a client,
// forking. Here: a refusal where sipgo is silent (SPEC CA8).
func TestTrap12RefusalsAreSent(t *testing.T) {
	e := serve(t, Config{}, newAnswering())
	base := func(p *peer, method string) string { return p.request(method, "", 1, "") }
	cases := []struct {
		name string
		text func(p *peer) string
		want int
		has  string // a header field of the response
	}{
		{"no From", func(p *peer) string { return drop(base(p, "OPTIONS"), "From") }, 400, ""},
		{"no Call-ID", func(p *peer) string { return drop(base(p, "OPTIONS"), "Call-ID") }, 400, ""},
		{"no CSeq", func(p *peer) string { return drop(base(p, "OPTIONS"), "CSeq") }, 400, ""},
		{"header without colon", func(p *peer) string { return strings.Replace(base(p, "OPTIONS"), "Max-Forwards: 70", "junk", 1) }, 400, ""},
		{"long URI", func(p *peer) string {
			return strings.Replace(base(p, "OPTIONS"), "sip:bob", "sip:"+strings.Repeat("b", 3000), 1)
		}, 414, ""},
		{"sips", func(p *peer) string { return strings.Replace(base(p, "OPTIONS"), " sip:", " sips:", 1) }, 416, ""},
		{"REGISTER", func(p *peer) string { return base(p, "REGISTER") }, 405, "allow"},
		{"unknown method", func(p *peer) string { return base(p, "invite") }, 501, "allow"},
		{"100rel", func(p *peer) string { return p.request("INVITE", "", 1, "", "Require: 100rel") }, 420, "unsupported"},
		{"body", func(p *peer) string { return p.request("INVITE", "", 1, "x", "Content-Type: text/plain") }, 415, "accept"},
		{"encoded body", func(p *peer) string { return p.request("INVITE", "", 1, "x", "Content-Encoding: gzip") }, 415, "accept-encoding"},
		{"BYE of no dialog", func(p *peer) string { p.remote = "x"; return base(p, "BYE") }, 481, ""},
		{"CANCEL of nothing", func(p *peer) string { return base(p, "CANCEL") }, 481, ""},
		{"session interval", func(p *peer) string {
			return p.request("INVITE", "", 1, testOffer, "Session-Expires: 20", "Supported: timer")
		}, 422, "min-se"},
		{"options", func(p *peer) string { return base(p, "OPTIONS") }, 200, "allow"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := newPeer(t, address0(e, "udp"))
			p.send(c.text(p))
			m := p.next()
			for m.status == 100 {
				m = p.next()
			}
			if m.status != c.want || c.has != "" && !m.has(c.has) {
				t.Errorf("got %d %s %v, want %d with %s", m.status, m.reason, m.fields, c.want, c.has)
			}
		})
	}
}

func drop(text, name string) string {
	var kept []string
	for _, line := range strings.Split(text, "\r\n") {
		if !strings.HasPrefix(line, name+":") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\r\n")
}
