package wan

import (
	"context"
	"encoding/binary"
	"io"
	"net/netip"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// device is a TUN device in memory.
type device struct {
	sent     chan []byte // by the site
	received chan []byte // by the site
	closed   chan struct{}
}

func newDevice() *device {
	return &device{make(chan []byte), make(chan []byte, 64), make(chan struct{})}
}

func (d *device) Read(b []byte) (int, error) {
	select {
	case p := <-d.sent:
		return copy(b, p), nil
	case <-d.closed:
		return 0, os.ErrClosed
	}
}

func (d *device) Write(p []byte) (int, error) {
	select {
	case d.received <- append([]byte{}, p...):
		return len(p), nil
	default:
		return 0, io.ErrShortWrite
	}
}

func (d *device) Close() error { close(d.closed); return nil }

// udp is an IPv4 packet with a UDP header, with no checksums: the router reads none.
func udp(from, to string, port uint16) []byte {
	p := make([]byte, 28)
	p[0], p[9] = 0x45, byte(UDP)
	binary.BigEndian.PutUint16(p[2:], 28)
	source, target := netip.MustParseAddr(from).As4(), netip.MustParseAddr(to).As4()
	copy(p[12:], source[:])
	copy(p[16:], target[:])
	binary.BigEndian.PutUint16(p[20:], 40000)
	binary.BigEndian.PutUint16(p[22:], port)
	return p
}

var testClasses = []Class{{Name: "sip", Protocol: UDP, Ports: []PortRange{Port(5060)}}}

// newTestRouter joins the sites a (10.1) and b (10.2) in a bubble of synctest.
func newTestRouter(t *testing.T) (r *Router, a, b *device) {
	t.Helper()
	a, b = newDevice(), newDevice()
	r, err := New(Options{Classes: testClasses, Log: hclog.NewNullLogger(), Sites: []Site{
		{Name: "a", Networks: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}, Device: a},
		{Name: "b", Networks: []netip.Prefix{netip.MustParsePrefix("10.2.0.0/16")}, Device: b}}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return r, a, b
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestPacketsArriveWhenTheyShould(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, a, b := newTestRouter(t)
		must(t, r.Impair(Link{"a", "b"}, "", Impairment{Delay: 80 * time.Millisecond}),
			r.Impair(Link{"a", "b"}, "sip", Impairment{Delay: 10 * time.Millisecond}))
		begin := time.Now()
		a.sent <- udp("10.1.0.1", "10.2.0.1", 9)
		a.sent <- udp("10.1.0.1", "10.2.0.1", 5060)
		b.sent <- udp("10.2.0.1", "10.1.0.1", 9)
		for _, step := range []struct {
			at   *device
			port uint16
			when time.Duration
		}{{a, 9, 0}, {b, 5060, 10 * time.Millisecond}, {b, 9, 80 * time.Millisecond}} {
			p := <-step.at.received
			if port, when := binary.BigEndian.Uint16(p[22:]), time.Since(begin); port != step.port || when != step.when {
				t.Errorf("port %d arrives after %v, want port %d after %v", port, when, step.port, step.when)
			}
		}
	})
}

// SPEC OP2: what is cut is cut at once, in one direction, with what is under way.
func TestCutTakesWhatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, a, b := newTestRouter(t)
		there := Link{"a", "b"}
		must(t, r.Impair(there, "", Impairment{Delay: time.Second}))
		a.sent <- udp("10.1.0.1", "10.2.0.1", 9)
		synctest.Wait()
		must(t, r.Cut(there, ""))
		a.sent <- udp("10.1.0.1", "10.2.0.1", 9)
		b.sent <- udp("10.2.0.1", "10.1.0.1", 9)
		<-a.received // the other direction is whole
		time.Sleep(2 * time.Second)
		must(t, r.Heal(there, ""))
		a.sent <- udp("10.1.0.1", "10.2.0.1", 10)
		if p := <-b.received; binary.BigEndian.Uint16(p[22:]) != 10 {
			t.Error("a packet passed the cut")
		}
		synctest.Wait()
		c := r.Counters()[0]
		if want := (Counter{Link: there, Class: Other, Sent: 3, SentOctets: 84, Delivered: 1, DeliveredOctets: 28, Cut: 2}); c != want {
			t.Errorf("counted %+v, want %+v", c, want)
		}
	})
}

func TestWhatIsUnderWayIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, a, _ := newTestRouter(t)
		must(t, r.Impair(Link{"a", "b"}, "", Impairment{Delay: time.Minute}))
		for range inFlight + 5 {
			a.sent <- udp("10.1.0.1", "10.2.0.1", 9)
		}
		synctest.Wait()
		if c := r.Counters()[0]; c.Overflow != 5 || c.Sent != inFlight+5 {
			t.Errorf("counted %+v", c)
		}
	})
}

func TestWhatBelongsNowhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, a, b := newTestRouter(t)
		for _, p := range [][]byte{{}, {0x60}, udp("10.1.0.1", "10.9.0.1", 9), udp("10.1.0.1", "10.1.0.2", 9), append([]byte{0x4f}, make([]byte, 30)...)} {
			a.sent <- p
		}
		a.sent <- udp("10.1.0.1", "10.2.0.1", 9)
		<-b.received
		if n := r.Unroutable(); n != 5 {
			t.Errorf("%d packets belonged nowhere, want 5", n)
		}
	})
}

func TestMistakesAreNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _, _ := newTestRouter(t)
		for want, err := range map[string]error{
			"the sites are a, b":   r.Cut(Link{"a", "c"}, ""),
			"there are sip, other": r.Cut(Link{"a", "b"}, "gossip"),
			"a share from 0 to 1":  r.Impair(Link{"a", "b"}, "", Impairment{Loss: 30}),
		} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want one with %q", err, want)
			}
		}
		must(t, r.Cut(Link{"b", "a"}, "sip"), r.Impair(Link{"b", "a"}, "sip", Impairment{Loss: 0.5}))
		if s := r.States()[1]; len(s.CutOnly) != 1 || s.Classes["sip"].Loss != 0.5 || s.Cut {
			t.Errorf("state %+v", s)
		}
		must(t, r.Heal(Link{"b", "a"}, ""), r.Clear(Link{"b", "a"}, ""))
		if s := r.States()[1]; len(s.CutOnly) != 0 || len(s.Classes) != 0 {
			t.Errorf("state after healing %+v", s)
		}
	})
}

func TestClasses(t *testing.T) {
	classes := []Class{
		{Name: "sip", Ports: []PortRange{Port(5060)}},
		{Name: "rtp", Protocol: UDP, Ports: []PortRange{{20000, 29999}}},
		{Name: "icmp", Protocol: ICMP},
	}
	r, err := New(Options{Classes: classes})
	must(t, err)
	fragment := udp("10.1.0.1", "10.2.0.1", 5060)
	fragment[7] = 185 // 1,480 octets on
	reply := udp("10.1.0.1", "10.2.0.1", 9)
	binary.BigEndian.PutUint16(reply[20:], 25000)
	ping := udp("10.1.0.1", "10.2.0.1", 5060)
	ping[9] = byte(ICMP)
	for want, p := range map[string][]byte{"sip": udp("10.1.0.1", "10.2.0.1", 5060), "rtp": reply, "icmp": ping, Other: fragment} {
		h, err := readHeader(p)
		must(t, err)
		if got := r.names[r.classOf(h)]; got != want {
			t.Errorf("%x is of class %s, want %s", p, got, want)
		}
	}
	for _, bad := range [][]Class{{{Name: Other}}, {{}}, {{Name: "a"}, {Name: "a"}}} {
		if _, err := New(Options{Classes: bad}); err == nil {
			t.Errorf("classes %v are taken", bad)
		}
	}
}
