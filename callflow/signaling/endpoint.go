package signaling

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"net"
	"net/netip"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
)

const (
	// farewellTime bounds how long Run waits for the answers to its last BYEs.
	farewellTime = 2 * time.Second
	// overloadPause is the Retry-After of a refusal for lack of room.
	overloadPause = 10 * time.Second
	// drainPause is the Retry-After of a node that takes no new calls.
	drainPause = 60 * time.Second
)

// Handler takes new calls.
type Handler interface {
	// ServeInvite handles one INVITE, on a goroutine of its own. ctx ends with a
	// CANCEL, when the endpoint stops, and with the return. A return without a final
	// response sends 500, and so does a panic. A dialog outlives the return, and does
	// better without what came with the INVITE.
	ServeInvite(ctx context.Context, in *Invite)
}

// Address is an address that is listened on.
type Address struct {
	Network string // "udp" or "tcp"
	Addr    netip.AddrPort
}

// Endpoint is a SIP user agent on some addresses.
type Endpoint struct {
	config  Config
	handler Handler
	logger  hclog.Logger
	seed    maphash.Seed

	stats       *counters
	limiter     *limiter
	sockets     []*udpSocket
	listeners   []net.Listener
	connections *connections
	servers     *serverTable
	clients     *clientTable
	dialogs     *dialogTable

	draining atomic.Bool
	pending  atomic.Int64 // INVITEs without a final response

	calls     context.Context // ends when the endpoint stops
	stopCalls context.CancelFunc

	mu      sync.Mutex // guards the two below
	noCalls bool       // no more goroutines for calls
	noIO    bool       // no more goroutines for sockets and transactions
	callsWG sync.WaitGroup
	ioWG    sync.WaitGroup
}

// Listen binds every address at once, so that a port in use is an error that says
// which, and returns an endpoint that does not serve yet.
func Listen(c Config, h Handler) (*Endpoint, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	c.setDefaults()
	e := &Endpoint{
		config: c, handler: h, logger: c.Logger, seed: maphash.MakeSeed(),
		stats:       newCounters(),
		limiter:     newLimiter(c.Limits),
		connections: newConnections(c.Limits),
		servers:     newServerTable(c.Limits.MaxTransactions),
		clients:     &clientTable{byKey: map[string]*clientTx{}},
		dialogs:     &dialogTable{byTag: map[string]*Dialog{}},
	}
	e.calls, e.stopCalls = context.WithCancel(context.Background())
	for _, l := range c.Listen {
		if err := e.bind(l); err != nil {
			e.closeSockets()
			return nil, fmt.Errorf("listen for SIP on %s %s: %w; choose another address or stop what uses it", l.Network, l.Addr, err)
		}
	}
	return e, nil
}

func (e *Endpoint) bind(l ListenAddr) error {
	if l.Network == "udp" {
		s, err := listenUDP(l.Addr)
		if err == nil {
			e.sockets = append(e.sockets, s)
		}
		return err
	}
	t, err := net.Listen("tcp", l.Addr)
	if err == nil {
		e.listeners = append(e.listeners, t)
	}
	return err
}

func (e *Endpoint) closeSockets() {
	for _, s := range e.sockets {
		s.conn.Close()
	}
	for _, l := range e.listeners {
		l.Close()
	}
	e.connections.closeAll()
}

// Addrs are the bound addresses, in the order of Config.Listen by network.
func (e *Endpoint) Addrs() []Address {
	var all []Address
	for _, s := range e.sockets {
		all = append(all, Address{"udp", s.bound})
	}
	for _, l := range e.listeners {
		all = append(all, Address{"tcp", unmap(l.Addr().(*net.TCPAddr).AddrPort())})
	}
	return all
}

// Drain says whether new calls are refused with 503; dialogs go on.
func (e *Endpoint) Drain(on bool) { e.draining.Store(on) }

// Trust says which networks have no rate limit, in place of Limits.Trusted: carriers and
// nodes come and go. The list is not to be changed any more.
func (e *Endpoint) Trust(networks []netip.Prefix) { e.limiter.trusted.Store(&networks) }

// Run serves until ctx is done. Then it refuses new calls, ends the contexts of
// handlers, hangs up what is left, waits until all handlers have returned, and
// closes the sockets. It returns early when a socket fails.
func (e *Endpoint) Run(ctx context.Context) error {
	failed := make(chan error, len(e.sockets))
	for _, s := range e.sockets {
		e.spawnIO(func() {
			if err := s.serve(e.receiveUDP); err != nil {
				failed <- fmt.Errorf("read SIP on udp %s: %w", s.bound, err)
			}
		})
	}
	for _, l := range e.listeners {
		e.spawnIO(func() {
			acceptAll(l, ctx.Done(), func(c net.Conn) { _, _ = e.adopt(c) }, func(err error) {
				e.logger.Warn("SIP connection not accepted", "addr", l.Addr(), "error", err)
			})
		})
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	e.stop()
	return err
}

// stop ends everything and waits for it, calls first and sockets last.
func (e *Endpoint) stop() {
	e.Drain(true)
	e.stopCalls()
	giveUp := time.AfterFunc(farewellTime, e.clients.terminateAll)
	for _, d := range e.dialogs.list() {
		d.finish(End{By: ByLocal, Cause: CauseShutdown}, true)
	}
	e.mu.Lock()
	e.noCalls = true
	e.mu.Unlock()
	e.callsWG.Wait()
	giveUp.Stop()
	e.mu.Lock()
	e.noIO = true
	e.mu.Unlock()
	e.closeSockets()
	e.clients.terminateAll()
	e.servers.terminateAll()
	e.ioWG.Wait()
}

// spawn runs f on a goroutine that Run waits for; false when it is too late.
func (e *Endpoint) spawn(f func()) bool { return e.begin(&e.noCalls, &e.callsWG, f) }

// spawnIO is spawn for what serves a socket or a transaction: it is possible until
// the calls have ended, so that their BYEs are answered.
func (e *Endpoint) spawnIO(f func()) bool { return e.begin(&e.noIO, &e.ioWG, f) }

// enlist counts something in that Run waits for as for a call, until leave; false when it
// is too late.
func (e *Endpoint) enlist() bool { return e.count(&e.noCalls, &e.callsWG) }

func (e *Endpoint) leave() { e.callsWG.Done() }

func (e *Endpoint) count(closed *bool, wg *sync.WaitGroup) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if *closed {
		return false
	}
	wg.Add(1)
	return true
}

func (e *Endpoint) begin(closed *bool, wg *sync.WaitGroup, f func()) bool {
	if !e.count(closed, wg) {
		return false
	}
	go func() {
		defer wg.Done()
		defer e.recovered("goroutine")
		f()
	}()
	return true
}

// recovered keeps a panic from ending the process: one message must never end all
// calls. The stack is logged, the message is not.
func (e *Endpoint) recovered(where string) bool {
	r := recover()
	if r == nil {
		return false
	}
	e.stats.dropped("panic")
	e.logger.Error("panic in SIP "+where, "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
	return true
}

var errStopped = errors.New("the SIP endpoint has stopped")
