package signaling

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
)

const (
	testOffer  = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n"
	testAnswer = "v=0\r\no=- 2 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 5000 RTP/AVP 8\r\n"
	patience   = 10 * time.Second // a bound for what must happen, not a measure
)

// handlerFunc is a Handler.
type handlerFunc func(ctx context.Context, in *Invite)

func (f handlerFunc) ServeInvite(ctx context.Context, in *Invite) { f(ctx, in) }

// recorder is a DialogHandler that tells what it was told.
type recorder struct {
	infos   chan string
	offers  chan string
	answers chan string
	ended   chan End
	mu      sync.Mutex
	offer   func(sdp []byte) ([]byte, error)
}

func newRecorder() *recorder {
	return &recorder{infos: make(chan string, 1000), offers: make(chan string, 1000), answers: make(chan string, 1000), ended: make(chan End, 2)}
}

func (r *recorder) Offer(sdp []byte) ([]byte, error) {
	r.mu.Lock()
	f := r.offer
	r.mu.Unlock()
	r.offers <- string(sdp)
	if f != nil {
		return f(sdp)
	}
	return []byte(testAnswer), nil
}
func (r *recorder) LocalOffer() ([]byte, error) { return []byte(testOffer), nil }
func (r *recorder) RemoteAnswer(sdp []byte) error {
	r.answers <- string(sdp)
	return nil
}
func (r *recorder) Info(_ string, body []byte) int {
	r.infos <- string(body)
	return 200
}
func (r *recorder) Ended(e End) { r.ended <- e }

// answering accepts every call and hands out the dialog.
type answering struct {
	*recorder
	dialogs chan *Dialog
	acks    chan string
	failed  chan error
}

func newAnswering() *answering {
	return &answering{recorder: newRecorder(), dialogs: make(chan *Dialog, 1000), acks: make(chan string, 1000), failed: make(chan error, 1000)}
}

func (a *answering) ServeInvite(ctx context.Context, in *Invite) {
	sdp := testAnswer
	if in.Offer() == nil {
		sdp = testOffer
	}
	d, ack, err := in.Accept(ctx, []byte(sdp), a.recorder)
	if err != nil {
		a.failed <- err
		return
	}
	a.acks <- string(ack)
	a.dialogs <- d
}

// serve starts an endpoint on loopback; it is stopped and waited for at the end.
func serve(t *testing.T, c Config, h Handler) *Endpoint {
	t.Helper()
	if c.Listen == nil {
		c.Listen = []ListenAddr{{"udp", "127.0.0.1:0"}, {"tcp", "127.0.0.1:0"}}
	}
	if c.T1 == 0 {
		c.T1 = 100 * time.Millisecond
	}
	if c.Logger == nil {
		c.Logger = hclog.New(&hclog.LoggerOptions{Level: hclog.Debug, Output: testWriter{t}})
	}
	if c.Limits.SourceBurst == 0 {
		c.Limits.Trusted = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	}
	e, err := Listen(c, h)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return e
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(b []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(b)))
	return len(b), nil
}

func address0(e *Endpoint, network string) netip.AddrPort {
	for _, a := range e.Addrs() {
		if a.Network == network {
			return a.Addr
		}
	}
	panic("no such network")
}

// wire sends and receives SIP as text, by UDP or TCP.
type wire interface {
	write(b []byte)
	read() ([]byte, error)
	addr() string
	network() string
}

// peer is a raw SIP user agent on a socket of its own.
type peer struct {
	t      *testing.T
	wire   wire
	callID string
	tag    string
	remote string // tag
	cseq   int
}

type udpWire struct {
	conn *net.UDPConn
	to   netip.AddrPort
}

func (w *udpWire) write(b []byte) { _, _ = w.conn.WriteToUDPAddrPort(b, w.to) }
func (w *udpWire) read() ([]byte, error) {
	b := make([]byte, 65536)
	_ = w.conn.SetReadDeadline(time.Now().Add(patience))
	n, from, err := w.conn.ReadFromUDPAddrPort(b)
	if err == nil {
		w.to = from
	}
	return b[:n], err
}
func (w *udpWire) addr() string    { return w.conn.LocalAddr().String() }
func (w *udpWire) network() string { return "UDP" }

func newPeer(t *testing.T, to netip.AddrPort) *peer {
	t.Helper()
	return newPeerOn(t, "127.0.0.1:0", to)
}

func newPeerOn(t *testing.T, local string, to netip.AddrPort) *peer {
	t.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(local)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &peer{t: t, wire: &udpWire{conn, to}, callID: rand.Text(), tag: rand.Text()[:8]}
}

// request makes a request; an empty branch is a new one.
func (p *peer) request(method, branch string, cseq int, body string, headers ...string) string {
	if branch == "" {
		branch = "z9hG4bK" + rand.Text()
	}
	to := "<sip:bob@example.com>"
	if p.remote != "" {
		to += ";tag=" + p.remote
	}
	lines := []string{
		method + " sip:bob@" + p.wire.addr() + " SIP/2.0",
		"Via: SIP/2.0/" + p.wire.network() + " " + p.wire.addr() + ";rport;branch=" + branch,
		"Max-Forwards: 70",
		`From: "Alice" <sip:alice@example.com>;tag=` + p.tag,
		"To: " + to,
		"Call-ID: " + p.callID,
		fmt.Sprintf("CSeq: %d %s", cseq, method),
		"Contact: <sip:alice@" + p.wire.addr() + ">",
	}
	lines = append(lines, headers...)
	if body != "" && !strings.Contains(strings.Join(headers, "\n"), "Content-Type") {
		lines = append(lines, "Content-Type: application/sdp")
	}
	lines = append(lines, fmt.Sprintf("Content-Length: %d", len(body)))
	return strings.Join(lines, "\r\n") + "\r\n\r\n" + body
}

func (p *peer) send(text string) { p.wire.write([]byte(text)) }

// ask sends a request with the next CSeq.
func (p *peer) ask(method, body string, headers ...string) {
	p.cseq++
	p.send(p.request(method, "", p.cseq, body, headers...))
}

// next is the next message of any kind.
func (p *peer) next() *message {
	p.t.Helper()
	raw, err := p.wire.read()
	if err != nil {
		p.t.Fatalf("nothing came: %v", err)
	}
	m, bad := scan(raw)
	if m == nil || bad != nil {
		p.t.Fatalf("what came is no SIP: %v\n%s", bad, raw)
	}
	return m
}

// expect reads until a response of this status to this method; other provisional
// responses and copies of responses to other methods are passed over.
func (p *peer) expect(method string, status int) *message {
	p.t.Helper()
	for {
		m := p.next()
		if m.isRequest() || !strings.HasSuffix(m.get("cseq"), " "+method) {
			continue
		}
		if m.status == status {
			return m
		}
		if m.status >= 200 {
			p.t.Fatalf("%s got %d %s, not %d", method, m.status, m.reason, status)
		}
	}
}

// expectRequest reads until a request of this method.
func (p *peer) expectRequest(method string) *message {
	p.t.Helper()
	for {
		if m := p.next(); m.method == method {
			return m
		}
	}
}

// respond answers a request of the endpoint.
func (p *peer) respond(m *message, status int, body string, headers ...string) {
	lines := []string{fmt.Sprintf("SIP/2.0 %d X", status)}
	for _, v := range m.all("via") {
		lines = append(lines, "Via: "+v)
	}
	to := m.get("to")
	if a, err := parseAddress(to); err == nil && a.param("tag") == "" && status > 100 {
		to += ";tag=" + p.tag
	}
	lines = append(lines, "From: "+m.get("from"), "To: "+to, "Call-ID: "+m.get("call-id"), "CSeq: "+m.get("cseq"))
	if !strings.Contains(strings.Join(headers, "\n"), "Contact") {
		lines = append(lines, "Contact: <sip:peer@"+p.wire.addr()+">")
	}
	lines = append(lines, headers...)
	if body != "" {
		lines = append(lines, "Content-Type: application/sdp")
	}
	lines = append(lines, fmt.Sprintf("Content-Length: %d", len(body)))
	p.send(strings.Join(lines, "\r\n") + "\r\n\r\n" + body)
}

func tagOf(value string) string {
	a, _ := parseAddress(value)
	return a.param("tag")
}

// call makes a call up to the ACK.
func (p *peer) call() *message {
	p.t.Helper()
	p.ask("INVITE", testOffer)
	ok := p.expect("INVITE", 200)
	p.remote = tagOf(ok.get("to"))
	p.ack("")
	return ok
}

func (p *peer) ack(body string) { p.send(p.request("ACK", "", p.cseq, body)) }

func (p *peer) bye() {
	p.t.Helper()
	p.ask("BYE", "")
	p.expect("BYE", 200)
}

func wait[T any](t *testing.T, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("%s did not happen", what)
		panic("unreachable")
	}
}

func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !f() {
		if time.Now().After(deadline) {
			t.Fatalf("%s did not happen", what)
		}
		time.Sleep(time.Millisecond)
	}
}

func (p *peer) uri(extra string) string { return "sip:peer@" + p.wire.addr() + extra }
