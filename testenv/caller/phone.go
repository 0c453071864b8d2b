package caller

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/hashicorp/go-hclog"
	"golang.org/x/sync/errgroup"

	"github.com/conclave-voice/conclave/testenv/tone"
)

// Options say where a phone lives.
type Options struct {
	// Listen opens a UDP socket; the port may be 0. nil: in this program's namespace.
	Listen  func(local netip.AddrPort) (*net.UDPConn, error)
	Address netip.Addr // ours; written into SIP and SDP
	Port    uint16     // of SIP; 0: any
	Tones   []int      // that are listened for, in Hz; nil: the nine of [tone.Caller]
	Log     hclog.Logger
}

// Phone is a socket for SIP and its calls.
type Phone struct {
	options Options
	conn    *net.UDPConn
	local   netip.AddrPort
	stop    context.CancelFunc
	parts   *errgroup.Group

	mu      sync.Mutex
	closed  bool
	calls   map[string]*Call              // by Call-ID; an ended one stays a while, to answer repetitions
	waiting map[string]chan *sip.Response // by the branch of a request
}

// Open opens the socket. Close closes it.
func Open(o Options) (*Phone, error) {
	if o.Listen == nil {
		o.Listen = func(local netip.AddrPort) (*net.UDPConn, error) {
			return net.ListenUDP("udp4", net.UDPAddrFromAddrPort(local))
		}
	}
	o.Tones = slices.Clone(o.Tones)
	if o.Tones == nil {
		for n := range 9 {
			o.Tones = append(o.Tones, int(tone.Caller(n)))
		}
	}
	conn, err := o.Listen(netip.AddrPortFrom(o.Address, o.Port))
	if err != nil {
		return nil, fmt.Errorf("open a socket for SIP at %v: %w", o.Address, err)
	}
	_ = conn.SetReadBuffer(4 << 20) // as much as the system allows
	p := &Phone{options: o, conn: conn, local: conn.LocalAddr().(*net.UDPAddr).AddrPort(),
		calls: map[string]*Call{}, waiting: map[string]chan *sip.Response{}}
	ctx, stop := context.WithCancel(context.Background())
	p.stop = stop
	p.parts = new(errgroup.Group)
	p.parts.Go(func() error { return p.read(ctx) })
	p.parts.Go(func() error { return p.speak(ctx) })
	return p, nil
}

// Close ends the phone as if its plug were pulled: without a BYE. See [Call.HangUp].
func (p *Phone) Close() error {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.stop()
	p.conn.Close() // wakes the reader
	for _, c := range p.all() {
		c.finish("the phone was closed")
	}
	if err := p.parts.Wait(); err != nil {
		return fmt.Errorf("phone at %v: %w", p.local, err)
	}
	return nil
}

// ListenFor adds a tone, in Hz, to those that the phone's calls listen for from now on.
func (p *Phone) ListenFor(tone int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if slices.Contains(p.options.Tones, tone) {
		return
	}
	p.options.Tones = append(p.options.Tones, tone)
	for _, c := range p.calls {
		c.listenFor(p.options.Tones)
	}
}

// Calls returns the calls that have not ended.
func (p *Phone) Calls() []*Call {
	return slices.DeleteFunc(p.all(), func(c *Call) bool { return c.hasEnded() })
}

func (p *Phone) all() (calls []*Call) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.calls {
		calls = append(calls, c)
	}
	return calls
}

// add puts a call into the table and begins to listen, and takes out those calls that
// ended so long ago that nothing of them is repeated any more (RFC 3261 section
// 17.1.1.2, timer B).
func (p *Phone) add(c *Call) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return fmt.Errorf("phone at %v: %w", p.local, net.ErrClosed)
	}
	for id, old := range p.calls {
		if old.endedBefore(time.Now().Add(-64 * t1)) {
			delete(p.calls, id)
		}
	}
	p.calls[c.id] = c
	c.listenFor(p.options.Tones)
	p.parts.Go(c.listen)
	return nil
}

func (p *Phone) find(id string) *Call {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls[id]
}

// maxMessage is the largest datagram of UDP.
const maxMessage = 64 << 10

// read takes SIP messages until the socket is closed. It never waits.
func (p *Phone) read(ctx context.Context) error {
	buffer := make([]byte, maxMessage)
	for {
		n, from, err := p.conn.ReadFromUDPAddrPort(buffer)
		if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read SIP: %w", err)
		}
		m, err := sip.ParseMessage(slices.Clone(buffer[:n]))
		if err != nil {
			p.options.Log.Debug("not understood", "from", from, "error", err)
			continue
		}
		switch m := m.(type) {
		case *sip.Response:
			p.takeResponse(m)
		case *sip.Request:
			p.takeRequest(m, from)
		}
	}
}

// slots is how many parts the calls send in, one after the other within a frame.
const slots = 4

// speak sends the audio of all calls until ctx is done.
func (p *Phone) speak(ctx context.Context) error {
	ticker := time.NewTicker(frame / slots)
	defer ticker.Stop()
	begun, sent := time.Now(), 0
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		// A ticker drops what it is late for: what is due is told by the clock.
		due := int(time.Since(begun) / (frame / slots))
		if due-sent > slots*50 {
			sent = due - 1 // the machine stood still for a second: that is over
		}
		for ; sent < due; sent++ {
			for _, c := range p.Calls() {
				if c.slot == sent%slots {
					c.speak()
				}
			}
		}
	}
}

// send sends a message; an answer goes where its request came from (RFC 3581 section 4).
func (p *Phone) send(to netip.AddrPort, message string) {
	_, _ = p.conn.WriteToUDPAddrPort([]byte(message), to) // lost, it is asked for again
}

// takeRequest finds the call that a request is for.
func (p *Phone) takeRequest(r *sip.Request, from netip.AddrPort) {
	if r.CallID() == nil || r.From() == nil || r.To() == nil || r.CSeq() == nil || r.Via() == nil {
		return // nothing that could be answered
	}
	if c := p.find(r.CallID().Value()); c != nil {
		c.takeRequest(r, from)
		return
	}
	switch r.Method {
	case sip.ACK:
	case sip.OPTIONS:
		p.send(from, response(r, 200, "OK", "").String())
	case sip.INVITE:
		p.send(from, response(r, 486, "Busy Here", "").String()) // nobody rings this phone
	default:
		p.send(from, response(r, 481, "Call/Transaction Does Not Exist", "").String())
	}
}

// response builds a response. tag is ours, and added where the request has none.
func response(r *sip.Request, status int, reason, tag string) *sip.Response {
	res := sip.NewResponseFromRequest(r, status, reason, nil)
	if tag != "" && res.To() != nil && !r.To().Params.Has("tag") {
		res.To().Params.Add("tag", tag)
	}
	res.AppendHeader(sip.NewHeader("Allow", strings.Join([]string{"INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "INFO", "UPDATE"}, ", ")))
	return res
}
