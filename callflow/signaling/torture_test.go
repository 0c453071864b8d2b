package signaling

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// torture is what each message of RFC 4475 must get from a user agent that takes
// calls and has no registrar. 0: silence. "invite" cases are answered by the
// handler.
var torture = []struct {
	name   string
	status int
	why    string
}{
	// 3.1.1 Valid messages
	{"valid/wsinv", 481, "white space of all kinds; the tag in To is of no dialog here"},
	{"valid/intmeth", 501, "a method that nobody knows"},
	{"valid/esc01", 200, "escapes in the user part"},
	{"valid/escnull", 405, "REGISTER: no registrar here"},
	{"valid/esc02", 501, "an escaped method name is another method"},
	{"valid/lwsdisp", 200, "no space before <"},
	{"valid/longreq", 200, "long values"},
	{"valid/dblreq", 405, "REGISTER; what follows in the datagram is not read"},
	{"valid/semiuri", 200, "a semicolon in the user part"},
	{"valid/transports", 200, "transports that nobody knows"},
	{"valid/mpart01", 405, "MESSAGE"},
	{"valid/unreason", 0, "a response"},
	{"valid/noreason", 0, "a response"},
	// 3.1.2 Invalid messages
	{"invalid/badinv01", 400, "superfluous separators"},
	{"invalid/clerr", 400, "Content-Length larger than the message"},
	{"invalid/ncl", 400, "negative Content-Length"},
	{"invalid/scalar02", 400, "numbers out of range"},
	{"invalid/scalarlg", 0, "a response"},
	{"invalid/quotbal", 400, "unbalanced quotes"},
	{"invalid/ltgtruri", 400, "angle brackets around the Request-URI"},
	{"invalid/lwsruri", 400, "a space in the Request-URI"},
	{"invalid/lwsstart", 400, "two spaces in the start line"},
	{"invalid/trws", 400, "spaces at the end of the start line"},
	{"invalid/escruri", 400, "header fields in the Request-URI"},
	{"invalid/baddate", 200, "a bad Date may be passed over"},
	{"invalid/regbadct", 405, "REGISTER"},
	{"invalid/badaspec", 400, "spaces inside the URI"},
	{"invalid/baddn", 400, "a name that needs quotes"},
	{"invalid/badvers", 505, "SIP/7.0"},
	{"invalid/mismatch01", 400, "CSeq of another method"},
	{"invalid/mismatch02", 400, "likewise, of a method that nobody knows"},
	{"invalid/bigcode", 0, "a response"},
	// 3.2 Transaction layer
	{"invalid/badbranch", 200, "a branch that is only the cookie"},
	// 3.3 Application layer
	{"invalid/insuf", 400, "no Call-ID, From or To"},
	{"invalid/unkscm", 416, "an unknown scheme"},
	{"invalid/novelsc", 416, "an unusual scheme"},
	{"invalid/unksm2", 405, "REGISTER"},
	{"invalid/bext01", 420, "unknown extensions"},
	{"invalid/invut", 415, "an unknown body"},
	{"invalid/regaut01", 405, "REGISTER"},
	{"invalid/multi01", 400, "two of what stands once"},
	{"invalid/mcl01", 400, "two lengths"},
	{"invalid/bcast", 0, "a response with a strange Via"},
	{"invalid/zeromf", 200, "an end point is no proxy: it answers"},
	{"invalid/cparam01", 405, "REGISTER"},
	{"invalid/cparam02", 405, "REGISTER"},
	{"invalid/regescrt", 405, "REGISTER"},
	{"invalid/sdp01", 406, "the caller does not read SDP"},
	// 3.4 Backward compatibility
	{"invalid/inv2543", 200, "a client of RFC 2543"},
	{"invalid/test", 0, "no SIP, and no Via to answer to"},
}

// SPEC SE4.
func TestRFC4475TortureMessages(t *testing.T) {
	files, err := filepath.Glob("testdata/rfc4475/*/*.dat")
	if err != nil || len(files) != len(torture) {
		t.Fatalf("%d messages in the table, %d files: %v", len(torture), len(files), err)
	}
	for _, network := range []string{"udp", "tcp"} {
		for _, c := range torture {
			t.Run(network+"/"+c.name, func(t *testing.T) { testTorture(t, network, c.name, c.status) })
		}
	}
}

func testTorture(t *testing.T, network, name string, want int) {
	raw, err := os.ReadFile("testdata/rfc4475/" + name + ".dat")
	if err != nil {
		t.Fatal(err)
	}
	e := serve(t, Config{Limits: Limits{MessageTimeout: 500 * time.Millisecond}}, newAnswering())
	p := newPeer(t, address0(e, "udp"))
	if network == "tcp" {
		p = newTCPPeer(t, e)
		want = overTCP(filepath.Base(name), want)
	}
	p.wire.write(raw)
	if cut := network == "tcp" && overTCP(filepath.Base(name), -1) == 0; want == 0 && !cut {
		p.ask("OPTIONS", "") // its answer shows that there was none before
	}
	if got := firstFinal(p); got != want {
		t.Errorf("answered %d, want %d", got, want)
	}
	// A normal call still works.
	next := newPeer(t, address0(e, "udp"))
	next.call()
	next.bye()
}

// firstFinal is the first final response to a message that is not the peer's own;
// 0: there was none up to that, or to the end of the connection.
func firstFinal(p *peer) int {
	for {
		raw, err := p.wire.read()
		if err != nil {
			return 0
		}
		m, _ := scan(raw)
		switch {
		case m == nil || m.isRequest() || m.status < 200:
		case m.get("call-id") == p.callID:
			return 0
		default:
			return m.status
		}
	}
}

// overTCP is the outcome where the end of the message cannot be known: it is
// refused if its length is missing or wrong, and cut off if the rest never comes.
func overTCP(name string, want int) int {
	switch name {
	case "clerr", "baddn":
		return 0
	case "inv2543":
		return 400
	}
	return want
}

type tcpWire struct {
	conn net.Conn
	tcp  *tcpConn
	in   chan []byte
}

func (w *tcpWire) write(b []byte) { _, _ = w.conn.Write(b) }
func (w *tcpWire) read() ([]byte, error) {
	select {
	case b, ok := <-w.in:
		if !ok {
			return nil, net.ErrClosed
		}
		return b, nil
	case <-time.After(patience):
		return nil, fmt.Errorf("nothing within %v", patience)
	}
}
func (w *tcpWire) addr() string    { return w.conn.LocalAddr().String() }
func (w *tcpWire) network() string { return "TCP" }

// newTCPPeer connects to an endpoint; messages are framed by the code under test.
func newTCPPeer(t *testing.T, e *Endpoint) *peer {
	t.Helper()
	conn, err := net.Dial("tcp", address0(e, "tcp").String())
	if err != nil {
		t.Fatal(err)
	}
	return tcpPeerOn(t, conn)
}

func tcpPeerOn(t *testing.T, conn net.Conn) *peer {
	w := &tcpWire{conn: conn, tcp: newTCPConn(conn, Limits{IdleTimeout: patience, MessageTimeout: patience}), in: make(chan []byte, 100)}
	go func() {
		defer close(w.in)
		w.tcp.serve(func(b []byte, _ flow) bool {
			w.in <- b
			return true
		}, func([]byte, error) {})
	}()
	t.Cleanup(func() {
		conn.Close()
		for range w.in {
		}
	})
	p := newPeer(t, conn.RemoteAddr().(*net.TCPAddr).AddrPort())
	p.wire = w
	return p
}
