package signaling

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/icholy/digest"
	"github.com/jonboulle/clockwork"
)

// SPEC CA9: late offer, and a re-INVITE without an offer.
func TestLateOffer(t *testing.T) {
	h := newAnswering()
	e := serve(t, Config{}, h)
	p := newPeer(t, address0(e, "udp"))
	p.ask("INVITE", "")
	ok := p.expect("INVITE", 200)
	if string(ok.body) != testOffer {
		t.Errorf("our offer is %q", ok.body)
	}
	p.remote = tagOf(ok.get("to"))
	p.ack(testAnswer)
	if got := wait(t, h.acks, "Accept"); got != testAnswer {
		t.Errorf("Accept returned %q", got)
	}
	p.ask("INVITE", "")
	if ok := p.expect("INVITE", 200); string(ok.body) != testOffer {
		t.Errorf("our second offer is %q", ok.body)
	}
	p.ack(testAnswer)
	if got := wait(t, h.answers, "the answer"); got != testAnswer {
		t.Errorf("RemoteAnswer got %q", got)
	}
	p.bye()
	if end := wait(t, h.ended, "the end"); end.By != ByPeer || end.Cause != CauseBye {
		t.Errorf("ended: %v", end)
	}

	// No answer in the ACK: the call cannot go on.
	p = newPeer(t, address0(e, "udp"))
	p.ask("INVITE", "")
	p.remote = tagOf(p.expect("INVITE", 200).get("to"))
	p.ack("")
	p.respond(p.expectRequest("BYE"), 200, "")
	wait(t, h.failed, "the end of Accept")
}

func TestOfferInsideMultipart(t *testing.T) {
	got := make(chan string, 1)
	e := serve(t, Config{}, handlerFunc(func(_ context.Context, in *Invite) {
		got <- string(in.Offer())
		_ = in.Reject(Rejection{Status: 486})
	}))
	p := newPeer(t, address0(e, "udp"))
	body := "--b\r\nContent-Type: application/isup\r\n\r\nxyz\r\n--b\r\nContent-Type: application/sdp\r\n\r\n" + testOffer + "\r\n--b--\r\n"
	p.ask("INVITE", body, `Content-Type: multipart/mixed;boundary="b"`)
	if s := wait(t, got, "the INVITE"); s != testOffer {
		t.Errorf("offer is %q", s)
	}
	p.expect("INVITE", 486)
	p.ack("")
}

func TestReinviteRefused(t *testing.T) {
	h := newAnswering()
	e := serve(t, Config{}, h)
	p := newPeer(t, address0(e, "udp"))
	p.call()
	d := wait(t, h.dialogs, "the dialog")
	h.mu.Lock()
	h.offer = func([]byte) ([]byte, error) { return nil, errors.New("no codec") }
	h.mu.Unlock()
	p.ask("INVITE", testOffer)
	p.expect("INVITE", 488)
	p.ack("")
	p.ask("UPDATE", testOffer)
	p.expect("UPDATE", 488)
	// The dialog goes on, and a refusal of the peer ends it only with 481.
	for status, ends := range map[int]bool{488: false, 500: false} {
		done := make(chan error, 1)
		go func() {
			_, err := d.Reinvite(context.Background(), []byte(testOffer))
			done <- err
		}()
		p.respond(p.expectRequest("INVITE"), status, "")
		p.expectRequest("ACK")
		var refused *StatusError
		if err := wait(t, done, "the refusal"); !errors.As(err, &refused) || refused.Status != status {
			t.Errorf("Reinvite: %v", err)
		}
		if ends || len(h.ended) > 0 {
			t.Errorf("%d has ended the dialog", status)
		}
	}
	go func() { _, _ = d.Reinvite(context.Background(), []byte(testOffer)) }()
	p.respond(p.expectRequest("INVITE"), 481, "")
	if end := wait(t, h.ended, "the end"); end.Cause != CauseGone || end.Status != 481 {
		t.Errorf("ended: %v", end)
	}
}

// RFC 3261 section 14.1.
func TestGlare(t *testing.T) {
	h := newAnswering()
	clock := clockwork.NewFakeClock()
	e := serve(t, Config{Clock: clock}, h)
	p := newPeer(t, address0(e, "udp"))
	p.call()
	d := wait(t, h.dialogs, "the dialog")
	answer := make(chan error, 1)
	go func() {
		_, err := d.Reinvite(context.Background(), []byte(testOffer))
		answer <- err
	}()
	ours := p.expectRequest("INVITE")
	p.ask("UPDATE", testOffer)
	p.expect("UPDATE", 491)
	p.ask("INVITE", testOffer)
	p.expect("INVITE", 491)
	p.ack("")
	p.respond(ours, 491, "")
	p.expectRequest("ACK")
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := clock.BlockUntilContext(ctx, 1); err != nil { // the delay
		t.Fatal(err)
	}
	// Now ours waits; the peer's goes first.
	p.ask("INVITE", testOffer)
	p.expect("INVITE", 200)
	p.ack("")
	eventually(t, "the second try", func() bool {
		clock.Advance(100 * time.Millisecond)
		return e.Stats().ClientTransactions >= 2
	})
	p.respond(p.expectRequest("INVITE"), 200, testAnswer)
	if err := wait(t, answer, "the answer"); err != nil {
		t.Error(err)
	}
	p.expectRequest("ACK")
	p.bye()
}

func TestInDialogChecks(t *testing.T) {
	h := newAnswering()
	e := serve(t, Config{}, h)
	p := newPeer(t, address0(e, "udp"))
	p.call()
	p.cseq += 10
	p.ask("INFO", "1", "Content-Type: x/y")
	p.expect("INFO", 200)
	p.send(p.request("INFO", "", 2, "1", "Content-Type: x/y"))
	p.expect("INFO", 500) // a lower CSeq
	p.ask("OPTIONS", "")
	p.expect("OPTIONS", 200)
	stranger := newPeer(t, address0(e, "udp"))
	stranger.callID, stranger.remote = p.callID, p.remote // but not the tag
	stranger.ask("BYE", "")
	stranger.expect("BYE", 481)
	p.bye()
	wait(t, h.ended, "the end")
	p.ask("INFO", "1", "Content-Type: x/y")
	p.expect("INFO", 481)
}

func TestFullQueueIsAnswered(t *testing.T) {
	h := newAnswering()
	e := serve(t, Config{}, h)
	p := newPeer(t, address0(e, "udp"))
	p.call()
	release := make(chan struct{})
	h.mu.Lock()
	h.offer = func([]byte) ([]byte, error) { <-release; return []byte(testAnswer), nil }
	h.mu.Unlock()
	p.ask("UPDATE", testOffer)
	wait(t, h.offers, "the offer")
	for range maxQueue + 1 {
		p.ask("INFO", "1", "Content-Type: x/y")
	}
	m := p.expect("INFO", 500)
	if !m.has("retry-after") {
		t.Error("no Retry-After")
	}
	close(release)
	for range maxQueue {
		p.expect("INFO", 200)
	}
	p.bye()
}

func TestMergedRequest(t *testing.T) {
	e := serve(t, Config{}, newAnswering())
	p := newPeer(t, address0(e, "udp"))
	p.ask("INVITE", testOffer)
	p.expect("INVITE", 200)
	p.send(p.request("INVITE", "z9hG4bKotherway", p.cseq, testOffer))
	p.expect("INVITE", 482)
}

func TestRouteSets(t *testing.T) {
	for _, c := range []struct{ name, lr, uri, last string }{
		{"loose", ";lr", "contact", "proxy"},
		{"strict", "", "proxy", "contact"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newAnswering()
			e := serve(t, Config{}, h)
			p := newPeer(t, address0(e, "udp"))
			proxy := "<sip:proxy@" + p.wire.addr() + c.lr + ">"
			p.ask("INVITE", testOffer, "Record-Route: "+proxy)
			ok := p.expect("INVITE", 200)
			if ok.get("record-route") != proxy {
				t.Errorf("Record-Route is %s", ok.get("record-route"))
			}
			p.remote = tagOf(ok.get("to"))
			p.ack("")
			d := wait(t, h.dialogs, "the dialog")
			go func() { _ = d.Hangup(context.Background(), Reason{}) }()
			bye := p.expectRequest("BYE")
			contact := "sip:alice@" + p.wire.addr()
			wantURI, wantRoute := contact, proxy
			if c.lr == "" {
				wantURI, wantRoute = "sip:proxy@"+p.wire.addr(), "<"+contact+">"
			}
			if bye.uri != wantURI || bye.get("route") != wantRoute {
				t.Errorf("BYE %s with Route %s, want %s with %s", bye.uri, bye.get("route"), wantURI, wantRoute)
			}
			p.respond(bye, 200, "")
		})
	}
}

func TestCancelAndDrain(t *testing.T) {
	cause := make(chan error, 1)
	e := serve(t, Config{}, handlerFunc(func(ctx context.Context, in *Invite) {
		_ = in.Ringing()
		<-ctx.Done()
		_, _, err := in.Accept(context.Background(), []byte(testAnswer), newRecorder())
		cause <- err
	}))
	p := newPeer(t, address0(e, "udp"))
	p.cseq = 1
	p.send(p.request("INVITE", "z9hG4bKc", 1, testOffer))
	ringing := p.expect("INVITE", 180)
	p.send(p.request("CANCEL", "z9hG4bKc", 1, ""))
	p.expect("CANCEL", 200)
	if m := p.expect("INVITE", 487); m.get("to") != ringing.get("to") {
		t.Errorf("487 has another tag: %s, %s", m.get("to"), ringing.get("to"))
	}
	p.send(p.request("ACK", "z9hG4bKc", 1, ""))
	if err := wait(t, cause, "the end of the handler"); !errors.Is(err, ErrCancelled) {
		t.Errorf("Accept: %v", err)
	}
	e.Drain(true)
	p = newPeer(t, address0(e, "udp"))
	p.ask("INVITE", testOffer)
	if m := p.expect("INVITE", 503); !m.has("retry-after") {
		t.Error("no Retry-After")
	}
	p.ack("")
	p.ask("OPTIONS", "")
	p.expect("OPTIONS", 503)
}

// RFC 4028.
func TestSessionTimers(t *testing.T) {
	start := func(t *testing.T, headers ...string) (*peer, *Dialog, *answering, *clockwork.FakeClock, *message) {
		h, clock := newAnswering(), clockwork.NewFakeClock()
		e := serve(t, Config{Clock: clock, SessionExpires: 600 * time.Second}, h)
		p := newPeer(t, address0(e, "udp"))
		p.ask("INVITE", testOffer, headers...)
		ok := p.expect("INVITE", 200)
		p.remote = tagOf(ok.get("to"))
		p.ack("")
		return p, wait(t, h.dialogs, "the dialog"), h, clock, ok
	}
	t.Run("the peer refreshes, then no more", func(t *testing.T) {
		p, _, h, clock, ok := start(t, "Supported: timer", "Session-Expires: 300;refresher=uac")
		if got := ok.get("session-expires"); got != "300;refresher=uac" || ok.get("require") != "timer" {
			t.Errorf("Session-Expires %s, Require %s", got, ok.get("require"))
		}
		advance(t, clock, 200*time.Second)
		p.ask("UPDATE", "", "Supported: timer", "Session-Expires: 300;refresher=uac")
		p.expect("UPDATE", 200)
		advance(t, clock, 200*time.Second)
		p.ask("OPTIONS", "")
		p.expect("OPTIONS", 200) // still there
		advance(t, clock, 68*time.Second)
		p.respond(p.expectRequest("BYE"), 200, "")
		if end := wait(t, h.ended, "the end"); end.Cause != CauseSessionExpired {
			t.Errorf("ended: %v", end)
		}
	})
	t.Run("we refresh by UPDATE", func(t *testing.T) {
		p, d, _, clock, ok := start(t, "Allow: INVITE, ACK, BYE, UPDATE")
		if got := ok.get("session-expires"); got != "600;refresher=uas" || ok.has("require") {
			t.Errorf("Session-Expires %s, Require %s", got, ok.get("require"))
		}
		for range 2 {
			advance(t, clock, 300*time.Second)
			update := p.expectRequest("UPDATE")
			if got := update.get("session-expires"); got != "600;refresher=uac" {
				t.Errorf("Session-Expires is %s", got)
			}
			p.respond(update, 200, "", "Session-Expires: 600;refresher=uac")
			eventually(t, "the refresh", func() bool { return d.State().Refreshed.Equal(clock.Now()) })
		}
		p.bye()
	})
	t.Run("we refresh for one that knows no timers, after an offer of ours too", func(t *testing.T) {
		p, d, _, clock, _ := start(t)
		for range 3 {
			done := make(chan error, 1)
			go func() {
				_, err := d.Reinvite(context.Background(), []byte(testOffer))
				done <- err
			}()
			p.respond(p.expectRequest("INVITE"), 200, testAnswer)
			p.expectRequest("ACK")
			if err := wait(t, done, "the answer"); err != nil {
				t.Error(err)
			}
			advance(t, clock, 300*time.Second)
			refresh := p.expectRequest("INVITE")
			if string(refresh.body) != testOffer {
				t.Errorf("the refresh has not what was offered last: %q", refresh.body)
			}
			p.respond(refresh, 200, testAnswer)
			p.expectRequest("ACK")
			eventually(t, "the refresh", func() bool { return d.State().Refreshed.Equal(clock.Now()) })
		}
		p.bye()
	})
	t.Run("we refresh by re-INVITE, and the peer has forgotten us", func(t *testing.T) {
		p, d, h, clock, _ := start(t)
		advance(t, clock, 300*time.Second)
		invite := p.expectRequest("INVITE")
		if string(invite.body) != testAnswer {
			t.Errorf("the refresh has another description: %q", invite.body)
		}
		p.respond(invite, 200, testOffer, "Session-Expires: 600;refresher=uac")
		p.expectRequest("ACK")
		if got := wait(t, h.answers, "the answer"); got != testOffer {
			t.Errorf("RemoteAnswer got %q", got)
		}
		eventually(t, "the refresh", func() bool { return d.State().Refreshed.Equal(clock.Now()) })
		advance(t, clock, 300*time.Second)
		p.respond(p.expectRequest("INVITE"), 481, "")
		if end := wait(t, h.ended, "the end"); end.Cause != CauseGone {
			t.Errorf("ended: %v", end)
		}
	})
}

func TestDialRefusals(t *testing.T) {
	e := serve(t, Config{SessionExpires: 100 * time.Second}, newAnswering())
	p := newPeer(t, address0(e, "udp"))
	type result struct {
		d   *Dialog
		err error
	}
	dial := func(c *Credentials) chan result {
		done := make(chan result, 1)
		go func() {
			d, _, err := e.Dial(context.Background(), DialRequest{
				Target: p.uri(";x=y"), From: Party{User: "conf", Host: "example.com", Display: `a "b"`},
				Offer: []byte(testOffer), Credentials: c,
			}, newRecorder())
			done <- result{d, err}
		}()
		return done
	}
	t.Run("302", func(t *testing.T) {
		done := dial(nil)
		p.respond(p.expectRequest("INVITE"), 302, "", "Contact: <sip:x@192.0.2.1>, <sip:y@192.0.2.2>")
		p.expectRequest("ACK")
		var moved *StatusError
		if r := wait(t, done, "the end"); !errors.As(r.err, &moved) || len(moved.Contacts) != 2 {
			t.Errorf("Dial: %v", r.err)
		}
	})
	for _, c := range []struct {
		status    int
		asks, ans string
		algorithm string
	}{{401, "WWW-Authenticate", "authorization", "SHA-256"}, {407, "Proxy-Authenticate", "proxy-authorization", "MD5"}} {
		t.Run(fmt.Sprint(c.status), func(t *testing.T) {
			done := dial(&Credentials{"user", "secret"})
			first := p.expectRequest("INVITE")
			challenge := fmt.Sprintf(`Digest realm="r", nonce="n", qop="auth", algorithm=%s`, c.algorithm)
			p.respond(first, c.status, "", c.asks+": "+challenge)
			p.expectRequest("ACK")
			second := p.expectRequest("INVITE")
			cred, err := digest.ParseCredentials(second.get(c.ans))
			if err != nil {
				t.Fatal(err)
			}
			ch, _ := digest.ParseChallenge(challenge)
			want, err := digest.Digest(ch, digest.Options{Method: "INVITE", URI: cred.URI, Username: "user", Password: "secret", Cnonce: cred.Cnonce, Count: cred.Nc})
			if err != nil || want.Response != cred.Response || cred.URI != second.uri {
				t.Errorf("credentials %v, want %v: %v", cred, want, err)
			}
			// The same challenge again: the password is wrong.
			p.respond(second, c.status, "", c.asks+": "+challenge)
			p.expectRequest("ACK")
			var refused *StatusError
			if r := wait(t, done, "the end"); !errors.As(r.err, &refused) || refused.Status != c.status {
				t.Errorf("Dial: %v", r.err)
			}
		})
	}
	t.Run("422", func(t *testing.T) {
		done := dial(nil)
		first := p.expectRequest("INVITE")
		if got := first.get("session-expires"); got != "100" {
			t.Errorf("Session-Expires is %s", got)
		}
		p.respond(first, 422, "", "Min-SE: 500")
		p.expectRequest("ACK")
		second := p.expectRequest("INVITE")
		if got := second.get("session-expires"); got != "500" || second.get("min-se") != "500" {
			t.Errorf("Session-Expires is %s, Min-SE %s", got, second.get("min-se"))
		}
		p.respond(second, 486, "")
		p.expectRequest("ACK")
		wait(t, done, "the end")
	})
	t.Run("fork", func(t *testing.T) {
		done := dial(nil)
		invite := p.expectRequest("INVITE")
		p.respond(invite, 200, testAnswer)
		p.expectRequest("ACK")
		r := wait(t, done, "the answer")
		if r.err != nil {
			t.Fatal(r.err)
		}
		other := *p
		other.tag = "another"
		other.respond(invite, 200, testAnswer)
		bye := p.expectRequest("BYE")
		if tagOf(bye.get("to")) != "another" {
			t.Errorf("BYE to %s", bye.get("to"))
		}
		p.respond(bye, 200, "")
		s := r.d.State()
		if !s.Initiator || s.RemoteTag != p.tag || s.CallID != invite.get("call-id") || !strings.Contains(s.LocalContact, address0(e, "udp").String()) {
			t.Errorf("state: %+v", s)
		}
		go func() { _ = r.d.Hangup(context.Background(), Reason{}) }()
		p.respond(p.expectRequest("BYE"), 200, "")
	})
	t.Run("nobody", func(t *testing.T) {
		closed := newPeer(t, address0(e, "udp"))
		target := closed.uri(";transport=tcp")
		_, _, err := e.Dial(context.Background(), DialRequest{Target: target, Offer: []byte(testOffer)}, newRecorder())
		if !errors.Is(err, ErrTransport) {
			t.Errorf("Dial: %v", err)
		}
		_, _, err = e.Dial(context.Background(), DialRequest{Target: "sip:x@192.0.2.1;transport=ws"}, newRecorder())
		if err == nil {
			t.Error("Dial by an unknown transport")
		}
	})
	if n := e.Stats().Dialogs; n != 0 {
		t.Errorf("%d dialogs are left", n)
	}
}

// SPEC OP3: overload is refused early, and says when to come back.
func TestLimits(t *testing.T) {
	release := make(chan struct{})
	e := serve(t, Config{Limits: Limits{MaxPending: 1, MaxTransactions: 3}}, handlerFunc(func(_ context.Context, in *Invite) {
		<-release
		_ = in.Reject(Rejection{Status: 486})
	}))
	first, second, third := newPeer(t, address0(e, "udp")), newPeer(t, address0(e, "udp")), newPeer(t, address0(e, "udp"))
	first.ask("INVITE", testOffer)
	first.expect("INVITE", 100)
	second.ask("INVITE", testOffer) // one INVITE is pending
	if m := second.expect("INVITE", 503); !m.has("retry-after") {
		t.Error("no Retry-After")
	}
	second.ask("OPTIONS", "")
	second.expect("OPTIONS", 200)
	third.ask("OPTIONS", "") // three transactions are kept
	third.expect("OPTIONS", 503)
	close(release)
	first.expect("INVITE", 486)
	eventually(t, "the end of the INVITE", func() bool { return e.Stats().Pending == 0 })

	h := newAnswering()
	e = serve(t, Config{Limits: Limits{MaxDialogs: 1}}, h)
	first, second = newPeer(t, address0(e, "udp")), newPeer(t, address0(e, "udp"))
	first.call()
	second.ask("INVITE", testOffer)
	second.expect("INVITE", 503)
	_, _, err := e.Dial(context.Background(), DialRequest{Target: second.uri("")}, newRecorder())
	var refused *StatusError
	if !errors.As(err, &refused) || refused.Status != 503 {
		t.Errorf("Dial: %v", err)
	}
	first.bye()
}

// RFC 3261 section 15: no BYE before the ACK.
func TestAbandonedAcceptHangsUpAfterTheACK(t *testing.T) {
	result := make(chan error, 1)
	ended := newRecorder()
	e := serve(t, Config{}, handlerFunc(func(_ context.Context, in *Invite) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_, _, err := in.Accept(ctx, []byte(testAnswer), ended)
		result <- err
	}))
	p := newPeer(t, address0(e, "udp"))
	p.ask("INVITE", testOffer)
	p.remote = tagOf(p.expect("INVITE", 200).get("to"))
	if err := wait(t, result, "the end of Accept"); !errors.Is(err, context.Canceled) {
		t.Errorf("Accept: %v", err)
	}
	for range 2 { // it is still sent again
		if m := p.next(); m.status != 200 {
			t.Errorf("before the ACK came %s %d", m.method, m.status)
		}
	}
	p.ack("")
	p.respond(p.expectRequest("BYE"), 200, "")
	if len(ended.ended) > 0 {
		t.Error("Ended was called though Accept had failed")
	}
}

// What the handler passes cannot add header fields.
func TestNoHeaderInjection(t *testing.T) {
	e := serve(t, Config{}, handlerFunc(func(_ context.Context, in *Invite) {
		_ = in.Reject(Rejection{Status: 486, Reason: "a\r\nX-Bad: 1", Warning: "b\r\nX-Bad: 2", Headers: []Header{{"X-Good", "c\r\nX-Bad: 3"}}})
	}))
	p := newPeer(t, address0(e, "udp"))
	p.ask("INVITE", testOffer)
	if m := p.expect("INVITE", 486); m.has("x-bad") || !m.has("x-good") || !m.has("warning") {
		t.Errorf("%v", m.fields)
	}
	p.ack("")
}
