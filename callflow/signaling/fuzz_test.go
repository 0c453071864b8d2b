package signaling

import (
	"bytes"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/emiago/sipgo/sip"
)

// sink is a flow whose messages go nowhere; it keeps the last one.
type sink struct{ last []byte }

func (s *sink) network() string        { return "UDP" }
func (s *sink) local() netip.AddrPort  { return netip.MustParseAddrPort("192.0.2.1:5060") }
func (s *sink) remote() netip.AddrPort { return netip.MustParseAddrPort("192.0.2.2:5060") }
func (s *sink) alive() bool            { return true }
func (s *sink) LocalAddr() net.Addr    { return net.UDPAddrFromAddrPort(s.local()) }
func (s *sink) Ref(int) int            { return 1 }
func (s *sink) TryClose() (int, error) { return 1, nil }
func (s *sink) Close() error           { return nil }
func (s *sink) WriteMsg(m sip.Message) error {
	return s.send(encode(m))
}
func (s *sink) send(b []byte) error {
	s.last = b
	return nil
}

// FuzzReceive feeds datagrams to everything before a handler: the split, the checks
// and the refusals. What is answered must be a SIP response, and nothing panics
// (SPEC SE4).
func FuzzReceive(f *testing.F) {
	files, _ := filepath.Glob("testdata/rfc4475/*/*.dat")
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	e, err := Listen(Config{Listen: []ListenAddr{{"udp", "127.0.0.1:0"}}}, newAnswering())
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(e.closeSockets)
	f.Fuzz(func(t *testing.T, raw []byte) {
		out := &sink{}
		m, bad := scan(bytes.Clone(raw))
		if m == nil {
			return
		}
		m.flow = out
		if !m.isRequest() {
			_, _ = sip.ClientTxKeyMake(m.sipResponse())
			return
		}
		var r *request
		if bad == nil {
			r, bad = check(m)
		}
		if bad != nil {
			if bad.status < 400 || bad.status > 599 {
				t.Errorf("refused with %d", bad.status)
			}
			e.refuse(m, bad)
		} else {
			_ = serverKey(r, r.method)
			_ = out.WriteMsg(e.response(m, 200, "", "tag", answerHeaders(m, e)...))
			d := newDialog(e, nil, out)
			d.initAsServer(r, "tag", "<sip:x>")
			_, _ = d.nextHop()
		}
		if out.last == nil {
			return
		}
		if res, bad := scan(out.last); res == nil || bad != nil || res.isRequest() {
			t.Errorf("answered with what is no response: %q", out.last)
		}
	})
}

func answerHeaders(m *message, e *Endpoint) []Header {
	_, headers := answerSessionTimer(m, e.config, e.config.Clock.Now())
	return headers
}
