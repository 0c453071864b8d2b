package signaling

// What sipgo v1.7.2 gets wrong in transport, and this package puts right; see traps_test.go.

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestTrap07LargeMessagesGoOut(t *testing.T) {
	e := serve(t, Config{}, handlerFunc(func(_ context.Context, in *Invite) {
		_ = in.Reject(Rejection{Status: 486, Headers: []Header{{"X-Large", strings.Repeat("x", 9000)}}})
	}))
	large := DialRequest{Offer: []byte(testOffer), Headers: []Header{{"X-Large", strings.Repeat("x", 5000)}}}
	t.Run("request by UDP", func(t *testing.T) {
		p := newPeer(t, address0(e, "udp"))
		large.Target = p.uri("")
		done := make(chan error, 1)
		go func() {
			_, _, err := e.Dial(context.Background(), large, newRecorder())
			done <- err
		}()
		invite := p.expectRequest("INVITE")
		if n := len(invite.get("x-large")); n != 5000 {
			t.Errorf("%d bytes came", n)
		}
		p.respond(invite, 486, "")
		var refused *StatusError
		if err := wait(t, done, "the refusal"); !errors.As(err, &refused) || refused.Status != 486 {
			t.Error(err)
		}
	})
	t.Run("request by TCP where the peer takes it", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		large.Target = "sip:x@" + l.Addr().String()
		done := make(chan error, 1)
		go func() {
			_, _, err := e.Dial(context.Background(), large, newRecorder())
			done <- err
		}()
		conn, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		p := tcpPeerOn(t, conn)
		invite := p.expectRequest("INVITE")
		if !strings.HasPrefix(invite.get("via"), "SIP/2.0/TCP") {
			t.Errorf("Via is %s", invite.get("via"))
		}
		p.respond(invite, 486, "")
		wait(t, done, "the refusal")
	})
	t.Run("response by UDP", func(t *testing.T) {
		p := newPeer(t, address0(e, "udp"))
		p.ask("INVITE", testOffer)
		if m := p.expect("INVITE", 486); len(m.get("x-large")) != 9000 {
			t.Error("the response was cut")
		}
		p.ack("")
	})
}

// flakyListener fails now and then, as one does without free file descriptors.
type flakyListener struct {
	net.Listener
	failures int
}

func (l *flakyListener) Accept() (net.Conn, error) {
	if l.failures > 0 {
		l.failures--
		return nil, errors.New("accept: too many open files")
	}
	return l.Listener.Accept()
}

func TestTrap09TCP(t *testing.T) {
	t.Run("accept errors do not end the listener", func(t *testing.T) {
		inner, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l := &flakyListener{inner, 3}
		accepted, stop := make(chan net.Conn, 1), make(chan struct{})
		failures := 0
		var wg sync.WaitGroup
		wg.Go(func() {
			acceptAll(l, stop, func(c net.Conn) { accepted <- c }, func(error) { failures++ })
		})
		c, err := net.Dial("tcp", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		wait(t, accepted, "accept").Close()
		c.Close()
		inner.Close()
		wg.Wait()
		if failures != 3 {
			t.Errorf("%d failures seen, want 3", failures)
		}
	})
	t.Run("a silent or slow peer is cut off", func(t *testing.T) {
		e := serve(t, Config{Limits: Limits{MessageTimeout: 50 * time.Millisecond}}, newAnswering())
		for _, text := range []string{"", "OPTIONS sip:x SIP/2.0\r\nVia: "} {
			c, err := net.Dial("tcp", address0(e, "tcp").String())
			if err != nil {
				t.Fatal(err)
			}
			_, _ = c.Write([]byte(text))
			if _, err := io.ReadAll(c); err != nil {
				t.Error(err)
			}
			c.Close()
		}
		eventually(t, "the end of the connections", func() bool { return e.Stats().Connections == 0 })
	})
	t.Run("keep-alive", func(t *testing.T) {
		e := serve(t, Config{}, newAnswering())
		c, err := net.Dial("tcp", address0(e, "tcp").String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, _ = c.Write([]byte("\r\n\r\n"))
		pong := make([]byte, 2)
		if _, err := io.ReadFull(c, pong); err != nil || string(pong) != "\r\n" {
			t.Errorf("pong is %q: %v", pong, err)
		}
	})
	t.Run("too many connections", func(t *testing.T) {
		e := serve(t, Config{Limits: Limits{MaxConnectionsPerSource: 1}}, newAnswering())
		p := newTCPPeer(t, e)
		p.ask("OPTIONS", "")
		p.expect("OPTIONS", 200)
		c, err := net.Dial("tcp", address0(e, "tcp").String())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(c); err != nil {
			t.Error(err)
		}
		c.Close()
		p.ask("OPTIONS", "")
		p.expect("OPTIONS", 200)
	})
	t.Run("a call", func(t *testing.T) {
		h := newAnswering()
		e := serve(t, Config{}, h)
		p := newTCPPeer(t, e)
		ok := p.call()
		if c := ok.get("contact"); !strings.Contains(c, address0(e, "tcp").String()+";transport=tcp") {
			t.Errorf("Contact is %s", c)
		}
		d := wait(t, h.dialogs, "the dialog")
		go func() { _ = d.Hangup(context.Background(), Reason{}) }()
		p.respond(p.expectRequest("BYE"), 200, "")
		wait(t, h.ended, "the end")
	})
}

func TestTrap11EveryPortAndFamilyIsServed(t *testing.T) {
	h := newAnswering()
	listen := []ListenAddr{{"udp", "127.0.0.1:0"}, {"udp", "127.0.0.2:0"}, {"udp", "[::1]:0"}, {"udp", "0.0.0.0:0"}}
	e := serve(t, Config{Listen: listen}, h)
	for i, a := range e.Addrs() {
		local, to := "127.0.0.1:0", a.Addr
		switch i {
		case 2:
			local = "[::1]:0"
		case 3: // the address that the call came to, not the wildcard
			to = netip.AddrPortFrom(netip.MustParseAddr("127.0.0.3"), a.Addr.Port())
		}
		p := newPeerOn(t, local, to)
		ok := p.call()
		if c := ok.get("contact"); !strings.Contains(c, to.String()) {
			t.Errorf("called at %s, Contact is %s", to, c)
		}
		if from := p.wire.(*udpWire).to; from != to {
			t.Errorf("called at %s, answered from %s", to, from)
		}
		wait(t, h.dialogs, "the dialog")
		p.bye()
		wait(t, h.ended, "the end")
	}
	_, err := Listen(Config{Listen: []ListenAddr{{"udp", "127.0.0.1:0"}, {"udp", e.Addrs()[1].Addr.String()}}}, h)
	if err == nil || !strings.Contains(err.Error(), e.Addrs()[1].Addr.String()) {
		t.Errorf("a port in use: %v", err)
	}
}
