package caller

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/hashicorp/go-hclog"

	"github.com/conclave-voice/conclave/testenv/tone"
)

var localhost = netip.MustParseAddr("127.0.0.1")

// peer is a node whose every message the test writes.
type peer struct {
	t     *testing.T
	sip   *net.UDPConn
	audio *net.UDPConn
	from  netip.AddrPort // of the caller
	call  *sip.Request   // the INVITE
}

func newPeer(t *testing.T) *peer {
	p := &peer{t: t}
	for _, conn := range []**net.UDPConn{&p.sip, &p.audio} {
		var err error
		*conn, err = net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(localhost, 0)))
		p.must(err)
		p.must((*conn).SetReadDeadline(time.Now().Add(time.Minute)))
		t.Cleanup(func() { (*conn).Close() })
	}
	return p
}

func (p *peer) must(errs ...error) {
	p.t.Helper()
	for _, err := range errs {
		if err != nil {
			p.t.Fatal(err)
		}
	}
}

func addressOf(c *net.UDPConn) netip.AddrPort { return c.LocalAddr().(*net.UDPAddr).AddrPort() }

func (p *peer) read() sip.Message {
	p.t.Helper()
	b := make([]byte, maxMessage)
	n, from, err := p.sip.ReadFromUDPAddrPort(b)
	p.must(err)
	p.from = from
	m, err := sip.ParseMessage(b[:n])
	p.must(err)
	return m
}

// expect reads up to the next request of a method: on a slow machine others are repeated
// before it.
func (p *peer) expect(method sip.RequestMethod) *sip.Request {
	p.t.Helper()
	for {
		if r, ok := p.read().(*sip.Request); ok && r.Method == method {
			return r
		}
	}
}

func (p *peer) send(text string) {
	p.t.Helper()
	_, err := p.sip.WriteToUDPAddrPort([]byte(text), p.from)
	p.must(err)
}

func (p *peer) respond(r *sip.Request, status int, reason, body string) {
	p.t.Helper()
	res := sip.NewResponseFromRequest(r, status, reason, nil)
	if !r.To().Params.Has("tag") {
		res.To().Params.Add("tag", "nodetag")
	}
	if body != "" {
		at := addressOf(p.sip)
		res.AppendHeader(&sip.ContactHeader{Address: sip.Uri{Scheme: "sip", User: "node", Host: at.Addr().String(), Port: int(at.Port())}})
		res.AppendHeader(sip.NewHeader("Content-Type", "application/sdp"))
	}
	res.SetBody([]byte(body))
	p.send(res.String())
}

// request sends a request in the dialog from a socket, and returns the response.
func (p *peer) request(from *net.UDPConn, method string, cseq int, body string) *sip.Response {
	p.t.Helper()
	at := addressOf(from)
	text := fmt.Sprintf("%[1]s sip:x@%[2]s SIP/2.0\r\nVia: SIP/2.0/UDP %[3]s;branch=z9hG4bK%[1]s%[4]d\r\nMax-Forwards: 70\r\nFrom: <sip:node@%[3]s>;tag=nodetag\r\n"+
		"To: %[5]s\r\nCall-ID: %[6]s\r\nCSeq: %[4]d %[1]s\r\nContact: <sip:node@%[3]s>\r\nContent-Type: application/sdp\r\nContent-Length: %[7]d\r\n\r\n%[8]s",
		method, p.from, at, cseq, p.call.From().Value(), p.call.CallID().Value(), len(body), body)
	_, err := from.WriteToUDPAddrPort([]byte(text), p.from)
	p.must(err)
	for b := make([]byte, maxMessage); ; {
		n, _, err := from.ReadFromUDPAddrPort(b)
		p.must(err)
		m, err := sip.ParseMessage(b[:n])
		p.must(err)
		if res, ok := m.(*sip.Response); ok {
			return res
		}
	}
}

func (p *peer) describe(direction string) string {
	return describe(addressOf(p.audio), 1, direction, 97)
}

func newPhone(t *testing.T) *Phone {
	t.Helper()
	p, err := Open(Options{Address: localhost, Log: hclog.NewNullLogger()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// during runs what the test's main part answers to, and gives its error afterwards.
func during(f func() error) <-chan error {
	ended := make(chan error, 1)
	go func() { ended <- f() }()
	return ended
}

// connect is a call that is answered.
func connect(t *testing.T, d Dial) (*Call, *peer) {
	t.Helper()
	ctx, phone, p := soon(t), newPhone(t), newPeer(t)
	d.To, d.Number = addressOf(p.sip), "18665552637"
	var c *Call
	dialled := during(func() (err error) { c, err = phone.Call(ctx, d); return err })
	p.call = p.expect(sip.INVITE)
	p.respond(p.call, 100, "Trying", "")
	p.respond(p.call, 200, "OK", p.describe(sendRecv))
	p.expect(sip.ACK)
	p.must(<-dialled)
	return c, p
}

func TestCallIsAnsweredAndHungUp(t *testing.T) {
	c, p := connect(t, Dial{Tone: 420})
	p.respond(p.call, 200, "OK", p.describe(sendRecv)) // as if the ACK were lost
	p.expect(sip.ACK)
	b := make([]byte, maxAudio)
	n, err := p.audio.Read(b)
	p.must(err)
	if n != 12+samples || c.Remote() != addressOf(p.audio) {
		t.Errorf("%d octets of audio to %v", n, c.Remote())
	}
	ended := during(func() error { return c.HangUp(soon(t)) })
	bye := p.expect(sip.BYE)
	if tag, _ := bye.To().Params.Get("tag"); tag != "nodetag" || bye.CSeq().SeqNo <= p.call.CSeq().SeqNo {
		t.Errorf("BYE %v", bye)
	}
	p.respond(bye, 200, "OK", "")
	p.must(<-ended)
	if reason, over := c.Ended(); !over || reason != "hung up" {
		t.Errorf("ended %v: %s", over, reason)
	}
}

// A re-INVITE moves the audio, and a repetition of it gets the same answer.
func TestReinviteMovesTheAudio(t *testing.T) {
	c, p := connect(t, Dial{Tone: 420})
	other := newPeer(t)
	body := other.describe(sendRecv)
	first := p.request(p.sip, "INVITE", 10, body)
	again := p.request(p.sip, "INVITE", 10, body)
	if first.StatusCode != 200 || first.String() != again.String() {
		t.Errorf("answered %v, and again %v", first, again)
	}
	if _, err := understand(first.Body()); err != nil {
		t.Error(err)
	}
	_, err := other.audio.Read(make([]byte, maxAudio))
	p.must(err)
	if c.Remote() != addressOf(other.audio) {
		t.Errorf("audio goes to %v", c.Remote())
	}
	if res := p.request(p.sip, "INVITE", 9, body); res.StatusCode != 500 {
		t.Errorf("an old CSeq: %d", res.StatusCode)
	}
	if res := p.request(p.sip, "INVITE", 11, strings.Replace(body, "RTP/AVP 0 ", "RTP/AVP 8 ", 1)); res.StatusCode != 488 {
		t.Errorf("an offer without PCMU: %d", res.StatusCode)
	}
}

// SPEC MS10: another node takes the dialog over, from its own address. What follows goes
// to it.
func TestAnotherNodeTakesOver(t *testing.T) {
	c, p := connect(t, Dial{})
	heir := newPeer(t)
	heir.call, heir.from = p.call, p.from
	if res := heir.request(heir.sip, "INVITE", 100, heir.describe(sendRecv)); res.StatusCode != 200 {
		t.Fatalf("the heir's INVITE: %v", res)
	}
	ended := during(func() error { return c.HangUp(soon(t)) })
	heir.respond(heir.expect(sip.BYE), 200, "OK", "")
	heir.must(<-ended)
}

func TestRequestsInTheDialog(t *testing.T) {
	c, p := connect(t, Dial{})
	cseq := 0
	for _, method := range []string{"OPTIONS", "INFO", "UPDATE"} {
		cseq++
		if res := p.request(p.sip, method, cseq, ""); res.StatusCode != 200 {
			t.Errorf("%s: %v", method, res)
		}
	}
	if res := p.request(p.sip, "INVITE", 4, ""); res.StatusCode != 200 || len(res.Body()) == 0 { // we are to offer
		t.Errorf("INVITE without an offer: %v", res)
	}
	if res := p.request(p.sip, "REFER", 5, ""); res.StatusCode != 405 {
		t.Errorf("REFER: %v", res)
	}
	tag := p.call.From().Params
	tag.Add("tag", "wrong")
	p.call.From().Params = tag
	if res := p.request(p.sip, "BYE", 6, ""); res.StatusCode != 481 {
		t.Errorf("a BYE with another tag: %v", res)
	}
	tag.Add("tag", c.tag)
	if res := p.request(p.sip, "BYE", 7, ""); res.StatusCode != 200 {
		t.Errorf("BYE: %v", res)
	}
	<-c.Done()
	if reason, _ := c.Ended(); reason != "BYE" {
		t.Errorf("ended: %s", reason)
	}
}

func TestHoldAndResume(t *testing.T) {
	c, p := connect(t, Dial{Tone: 420})
	held := during(func() error { return c.Hold(soon(t)) })
	invite := p.expect(sip.INVITE)
	if !strings.Contains(string(invite.Body()), "a=sendonly") {
		t.Errorf("hold: %s", invite.Body())
	}
	if res := p.request(p.sip, "INVITE", 1, p.describe(sendRecv)); res.StatusCode != 491 {
		t.Errorf("crossing: %v", res)
	}
	p.respond(invite, 200, "OK", p.describe(recvOnly))
	p.expect(sip.ACK)
	p.must(<-held)
	resumed := during(func() error { return c.Resume(soon(t)) })
	invite = p.expect(sip.INVITE)
	p.respond(invite, 491, "Request Pending", "")
	p.expect(sip.ACK)
	if err := (*Refused)(nil); !errors.As(<-resumed, &err) || err.Status != 491 {
		t.Errorf("refused: %v", err)
	}
}

// A refusal is told, and a challenge is answered with the password.
func TestRefusalAndPassword(t *testing.T) {
	ctx, phone, p := soon(t), newPhone(t), newPeer(t)
	call := func() error {
		_, err := phone.Call(ctx, Dial{To: addressOf(p.sip), Number: "1", User: "alice", Password: "wonderland"})
		return err
	}
	dialled := during(call)
	p.respond(p.expect(sip.INVITE), 503, "Service Unavailable", "")
	p.expect(sip.ACK)
	if err := (*Refused)(nil); !errors.As(<-dialled, &err) || err.Status != 503 {
		t.Errorf("refused: %v", err)
	}
	dialled = during(call)
	invite := p.expect(sip.INVITE)
	res := sip.NewResponseFromRequest(invite, 401, "Unauthorized", nil)
	res.AppendHeader(sip.NewHeader("WWW-Authenticate", `Digest realm="conclave", nonce="n", qop="auth", algorithm=MD5`))
	p.send(res.String())
	p.expect(sip.ACK)
	invite = p.expect(sip.INVITE)
	if h := invite.GetHeader("Authorization"); h == nil || !strings.Contains(h.Value(), `username="alice"`) || invite.CSeq().SeqNo != 2 {
		t.Errorf("the second INVITE: %v", invite)
	}
	p.respond(invite, 200, "OK", p.describe(sendRecv))
	p.expect(sip.ACK)
	p.must(<-dialled)
}

// The INVITE is repeated until it is answered, and cancelled when the caller gives up.
func TestRepetitionAndCancel(t *testing.T) {
	ctx, stop := context.WithCancel(soon(t))
	phone, p := newPhone(t), newPeer(t)
	dialled := during(func() error {
		_, err := phone.Call(ctx, Dial{To: addressOf(p.sip), Number: "1"})
		return err
	})
	first, second := p.expect(sip.INVITE), p.expect(sip.INVITE)
	if first.String() != second.String() {
		t.Error("the repetition is another INVITE")
	}
	stop()
	if err := <-dialled; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if cancel := p.expect(sip.CANCEL); cancel.Via().Value() != first.Via().Value() {
		t.Errorf("CANCEL %v", cancel)
	}
}

// What is heard over a real socket, and what is not heard once it is silent.
func TestToneAndSilence(t *testing.T) {
	c, p := connect(t, Dial{Tone: 420})
	caller := netip.AddrPortFrom(localhost, uint16(udpPort(c.media)))
	m := newMouth(int(tone.Caller(2)))
	stop := make(chan struct{})
	sent := during(func() error {
		ticker := time.NewTicker(frame)
		defer ticker.Stop()
		for {
			select {
			case <-stop:
				return nil
			case <-ticker.C:
			}
			if _, err := p.audio.WriteToUDPAddrPort(m.next(nil), caller); err != nil {
				return err
			}
		}
	})
	if err := c.AwaitTone(soon(t), 1010, 500*time.Millisecond); err != nil {
		t.Error(err)
	}
	close(stop)
	p.must(<-sent, c.AwaitNoTone(soon(t), 1010, 300*time.Millisecond))
	if tl := c.Timeline(); len(tl.Sources) != 1 || tl.Sources[0].From != addressOf(p.audio) || len(tl.Gaps) == 0 {
		t.Errorf("timeline:\n%s", tl)
	}
}
