package signaling

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/hashicorp/go-hclog"
	"golang.org/x/sync/errgroup"
)

// Handler takes new calls.
type Handler interface {
	// ServeInvite handles one INVITE outside a dialog, on a goroutine of its own,
	// until the call has ended. ctx ends with a CANCEL and with the endpoint.
	ServeInvite(ctx context.Context, in *Invite)
}

// Config is how an endpoint runs. Zero values mean the defaults.
type Config struct {
	Addr           netip.AddrPort // UDP and TCP are both bound to it; port 0 picks one
	UserAgent      string
	SessionExpires time.Duration // how often a session is refreshed (RFC 4028); default 30 min
	MinSE          time.Duration // the least that peers may ask for; default 90 s
	T1             time.Duration // RFC 3261's estimate of the round trip; default 500 ms
	SourceRate     float64       // datagrams a second from one address; default 400
	Logger         hclog.Logger
}

func (c Config) withDefaults() Config {
	if c.UserAgent == "" {
		c.UserAgent = "Conclave"
	}
	if c.SessionExpires == 0 {
		c.SessionExpires = 30 * time.Minute
	}
	if c.MinSE == 0 {
		c.MinSE = 90 * time.Second
	}
	if c.T1 == 0 {
		c.T1 = 500 * time.Millisecond
	}
	if c.SourceRate == 0 {
		c.SourceRate = 400
	}
	if c.Logger == nil {
		c.Logger = hclog.NewNullLogger()
	}
	return c
}

// Endpoint is a SIP user agent on one address.
type Endpoint struct {
	config  Config
	handler Handler
	addr    netip.AddrPort
	packets *packetConn
	streams net.Listener
	tpl     *sip.TransportLayer
	txl     *sip.TransactionLayer

	draining atomic.Bool
	stopping chan struct{}
	counters counters

	mu      sync.Mutex
	dialogs map[dialogKey]*Dialog
	invites map[inviteKey]struct{} // being handled: to see merged requests
	running sync.WaitGroup
}

// dialogKey is a dialog's id as RFC 3261 section 12 has it, from our side.
type dialogKey struct{ callID, local, remote string }

// inviteKey is what merged requests have in common (section 8.2.2.2).
type inviteKey struct{ callID, from, cseq string }

// Stats counts since the endpoint was made.
type Stats struct {
	Received  uint64 // requests that were valid
	Refused   uint64 // requests answered with an error by this layer
	Malformed uint64 // datagrams that are not SIP
	Limited   uint64 // datagrams dropped because their source sends too many
	Panics    uint64
	Dialogs   int
}

type counters struct{ received, refused, malformed, limited, panics atomic.Uint64 }

// Listen binds UDP and TCP on one address, so that a port in use is an error at
// once, and returns an endpoint that does not serve yet.
func Listen(c Config, h Handler) (*Endpoint, error) {
	c = c.withDefaults()
	udp, tcp, err := bind(c.Addr)
	if err != nil {
		return nil, err
	}
	e := &Endpoint{config: c, handler: h, addr: udp.LocalAddr().(*net.UDPAddr).AddrPort(),
		stopping: make(chan struct{}), dialogs: map[dialogKey]*Dialog{}, invites: map[inviteKey]struct{}{}}
	e.packets = newPacketConn(udp, c.SourceRate, &e.counters)
	e.streams = &steadyListener{Listener: tcp, logger: c.Logger}
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil)) // it logs strangers' messages in full
	e.tpl = sip.NewTransportLayer(net.DefaultResolver, sip.NewParser(), nil, sip.WithTransportLayerLogger(quiet))
	e.tpl.OnMessage(e.arrived) // before the transaction layer's own
	e.txl = sip.NewTransactionLayer(e.tpl, sip.WithTransactionLayerLogger(quiet), sip.WithTransactionLayerUnhandledResponseHandler(e.strayResponse))
	e.txl.OnRequest(e.request)
	return e, nil
}

// bind takes the port for both transports. With port 0 the two must come to agree.
func bind(addr netip.AddrPort) (*net.UDPConn, net.Listener, error) {
	for try := 0; ; try++ {
		udp, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(addr))
		if err != nil {
			return nil, nil, fmt.Errorf("listen for SIP on UDP %s: %w", addr, err)
		}
		bound := udp.LocalAddr().(*net.UDPAddr).AddrPort()
		tcp, err := net.Listen("tcp", bound.String())
		if err == nil {
			return udp, tcp, nil
		}
		udp.Close()
		if addr.Port() != 0 || try == 20 {
			return nil, nil, fmt.Errorf("listen for SIP on TCP %s: %w", bound, err)
		}
	}
}

// Addr is where the endpoint listens.
func (e *Endpoint) Addr() netip.AddrPort { return e.addr }

// Drain refuses new calls with 503 and a time to try again; dialogs go on.
func (e *Endpoint) Drain(on bool) { e.draining.Store(on) }

// Stats is a snapshot.
func (e *Endpoint) Stats() Stats {
	e.mu.Lock()
	defer e.mu.Unlock()
	return Stats{Received: e.counters.received.Load(), Refused: e.counters.refused.Load(), Malformed: e.counters.malformed.Load(),
		Limited: e.counters.limited.Load(), Panics: e.counters.panics.Load(), Dialogs: len(e.dialogs)}
}

// Run serves until ctx is done; then it closes the sockets and waits for all that
// it started.
func (e *Endpoint) Run(ctx context.Context) error {
	var g errgroup.Group
	g.Go(func() error { return e.serveUDP() })
	g.Go(func() error { return ignoreClosed(e.tpl.ServeTCP(e.streams)) })
	<-ctx.Done()
	close(e.stopping)
	e.packets.shut()
	e.streams.Close()
	e.txl.Close()
	err := errors.Join(e.tpl.Close(), g.Wait())
	e.running.Wait()
	return err
}

// Close gives the sockets of an endpoint back that was never run.
func (e *Endpoint) Close() {
	e.packets.shut()
	e.streams.Close()
}

// serveUDP reads the socket. The stack's reader remembers each source for as long
// as it runs, so it is started anew whenever it has seen many.
func (e *Endpoint) serveUDP() error {
	for {
		err := e.tpl.ServeUDP(e.packets)
		if e.packets.closed.Load() {
			return ignoreClosed(err)
		}
		e.packets.renew()
	}
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// spawn runs f on a goroutine that Run waits for, and survives its panics.
func (e *Endpoint) spawn(what string, f func()) {
	e.running.Add(1)
	go func() {
		defer e.running.Done()
		defer e.survive(what)
		f()
	}()
}

// survive is deferred around everything that a message can set off.
func (e *Endpoint) survive(what string) {
	if r := recover(); r != nil {
		e.counters.panics.Add(1)
		e.config.Logger.Error("panic while handling SIP", "what", what, "panic", r, "stack", string(debug.Stack()))
	}
}

// arrived notes the order of requests within dialogs. It is called by the readers,
// before the stack hands each message to its own goroutine.
func (e *Endpoint) arrived(msg sip.Message) {
	req, ok := msg.(*sip.Request)
	if !ok || malformed(req) != nil {
		return
	}
	if d := e.dialogOf(req); d != nil {
		d.inbound.expect(req)
	}
}

// request takes a request that is not a retransmission.
func (e *Endpoint) request(req *sip.Request, tx *sip.ServerTx) {
	e.running.Add(1)
	defer e.running.Done()
	defer func() {
		if r := recover(); r != nil {
			e.counters.panics.Add(1)
			e.config.Logger.Error("panic while handling SIP", "method", req.Method, "panic", r, "stack", string(debug.Stack()))
			tx.Terminate()
		}
	}()
	if req.IsAck() {
		defer tx.Terminate() // the stack would keep its transaction for ever
	}
	if r := check(req); r != nil {
		e.refuse(req, tx, *r)
		return
	}
	e.counters.received.Add(1)
	if tag(req.To().Params) != "" {
		e.withinDialog(req, tx)
		return
	}
	switch req.Method {
	case sip.INVITE:
		e.invite(req, tx)
	case sip.OPTIONS:
		e.options(req, tx)
	case sip.ACK: // to nothing: there is no response to an ACK
	case sip.CANCEL, sip.BYE, sip.INFO, sip.UPDATE, sip.PRACK, sip.NOTIFY:
		e.refuse(req, tx, refusal{status: 481, reason: "Call/Transaction Does Not Exist"})
	default:
		e.refuse(req, tx, notAllowed())
	}
}

func (e *Endpoint) withinDialog(req *sip.Request, tx *sip.ServerTx) {
	d := e.dialogOf(req)
	switch {
	case d != nil:
		d.inbound.deliver(req, tx)
	case req.IsAck():
	default:
		e.refuse(req, tx, refusal{status: 481, reason: "Call/Transaction Does Not Exist"})
	}
}

func (e *Endpoint) options(req *sip.Request, tx *sip.ServerTx) {
	if e.draining.Load() {
		e.refuse(req, tx, unavailable())
		return
	}
	res := sip.NewResponseFromRequest(req, 200, "OK", nil)
	e.introduce(res)
	e.respond(tx, res)
}

// introduce adds what tells the peer what we are.
func (e *Endpoint) introduce(res *sip.Response) {
	res.AppendHeader(sip.NewHeader("Allow", allow))
	res.AppendHeader(sip.NewHeader("Accept", "application/sdp"))
	res.AppendHeader(sip.NewHeader("Supported", "timer"))
	res.AppendHeader(sip.NewHeader("Server", e.config.UserAgent))
}

func (e *Endpoint) refuse(req *sip.Request, tx *sip.ServerTx, r refusal) {
	e.counters.refused.Add(1)
	if req.IsAck() {
		return
	}
	e.respond(tx, r.response(req))
}

func (e *Endpoint) respond(tx *sip.ServerTx, res *sip.Response) {
	if err := tx.Respond(res); err != nil {
		e.config.Logger.Debug("response not sent", "status", res.StatusCode, "error", err)
	}
}

// strayResponse takes responses that belong to no transaction: a 2xx to our
// re-INVITE that the peer sends again because our ACK was lost.
func (e *Endpoint) strayResponse(res *sip.Response) {
	defer e.survive("a stray response")
	if res.CSeq() == nil || res.CSeq().MethodName != sip.INVITE || !res.IsSuccess() || res.From() == nil || res.To() == nil || res.CallID() == nil {
		return
	}
	key := dialogKey{res.CallID().Value(), tag(res.From().Params), tag(res.To().Params)}
	e.mu.Lock()
	d := e.dialogs[key]
	e.mu.Unlock()
	if d != nil {
		d.ackAgain(res.CSeq().SeqNo)
	}
}

// dialogOf finds the dialog that a request belongs to, from the other side's view
// of the tags.
func (e *Endpoint) dialogOf(req *sip.Request) *Dialog {
	key := dialogKey{req.CallID().Value(), tag(req.To().Params), tag(req.From().Params)}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.dialogs[key]
}

func (e *Endpoint) addDialog(d *Dialog) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.dialogs[d.key] = d
}

func (e *Endpoint) dropDialog(d *Dialog) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.dialogs, d.key)
}

func tag(p sip.HeaderParams) string {
	t, _ := p.Get("tag")
	return t
}

// contact is where the peer reaches us in a dialog.
func (e *Endpoint) contact(transport string) *sip.ContactHeader {
	uri := sip.Uri{Scheme: "sip", Host: hostOf(e.addr.Addr()), Port: int(e.addr.Port())}
	if !strings.EqualFold(transport, "udp") {
		uri.UriParams = sip.HeaderParams{{K: "transport", V: strings.ToLower(transport)}}
	}
	return &sip.ContactHeader{Address: uri}
}

func hostOf(a netip.Addr) string {
	if a.Is6() {
		return "[" + a.String() + "]"
	}
	return a.String()
}

// via is the top Via of our own requests.
func (e *Endpoint) via(transport string) *sip.ViaHeader {
	return &sip.ViaHeader{ProtocolName: "SIP", ProtocolVersion: "2.0", Transport: strings.ToUpper(transport),
		Host: hostOf(e.addr.Addr()), Port: int(e.addr.Port()),
		Params: sip.HeaderParams{{K: "branch", V: sip.GenerateBranch()}, {K: "rport", V: ""}}}
}

func seconds(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }
