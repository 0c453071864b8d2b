package signaling

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"
)

// ErrCancelled: the caller gave up before the answer.
var ErrCancelled = errors.New("cancelled by the caller")

// ErrNoACK: the answer was never acknowledged; a BYE has been sent.
var ErrNoACK = errors.New("the answer was not acknowledged")

// Address is one end of a call.
type Address struct {
	User, Host, Display string
}

// Invite is a new call that has not been answered.
type Invite struct {
	endpoint  *Endpoint
	req       *sip.Request
	tx        *sip.ServerTx
	source    netip.AddrPort
	dialog    *Dialog
	cancelled atomic.Bool
	final     bool // a final response was sent
}

// CallID is SIP's Call-ID.
func (in *Invite) CallID() string { return in.req.CallID().Value() }

// From is who calls, as it says itself.
func (in *Invite) From() Address {
	h := in.req.From()
	return Address{User: h.Address.User, Host: h.Address.Host, Display: h.DisplayName}
}

// RequestURI is what is called.
func (in *Invite) RequestURI() Address {
	return Address{User: in.req.Recipient.User, Host: in.req.Recipient.Host}
}

// Source is where the request came from.
func (in *Invite) Source() netip.AddrPort { return in.source }

// Transport is "udp" or "tcp".
func (in *Invite) Transport() string { return strings.ToLower(in.req.Transport()) }

// Offer is the caller's session description; nil for a late offer.
func (in *Invite) Offer() []byte { return offer(in.req) }

// Header gives all values of a header.
func (in *Invite) Header(name string) []string {
	var values []string
	for _, h := range in.req.GetHeaders(name) {
		values = append(values, h.Value())
	}
	return values
}

// URI is the Request-URI as it was sent, for digest authentication.
func (in *Invite) URI() string { return in.req.Recipient.String() }

// invite begins a new call.
func (e *Endpoint) invite(req *sip.Request, tx *sip.ServerTx) {
	if e.draining.Load() {
		e.refuse(req, tx, unavailable())
		return
	}
	if r := e.tooBrief(req); r != nil {
		e.refuse(req, tx, *r)
		return
	}
	key := inviteKey{req.CallID().Value(), tag(req.From().Params), req.CSeq().Value()}
	if !e.claim(key) {
		e.refuse(req, tx, refusal{status: 482, reason: "Loop Detected"}) // a merged request
		return
	}
	source, _ := netip.ParseAddrPort(req.Source())
	in := &Invite{endpoint: e, req: req, tx: tx, source: netip.AddrPortFrom(source.Addr().Unmap(), source.Port())}
	in.dialog = newServerDialog(e, req)
	ctx, cancel := context.WithCancel(context.Background())
	tx.OnCancel(func(*sip.Request) {
		in.cancelled.Store(true)
		cancel()
	})
	e.respond(tx, sip.NewResponseFromRequest(req, 100, "Trying", nil))
	e.spawn("a call", func() {
		defer e.release(key)
		defer cancel()
		defer in.abandon()
		stop := context.AfterFunc(ctx, func() {})
		defer stop()
		go func() {
			select {
			case <-e.stopping:
				cancel()
			case <-ctx.Done():
			}
		}()
		e.handler.ServeInvite(ctx, in)
	})
}

// claim is false if the same request is being handled already: it came by two ways
// (section 8.2.2.2).
func (e *Endpoint) claim(key inviteKey) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, taken := e.invites[key]; taken {
		return false
	}
	e.invites[key] = struct{}{}
	return true
}

func (e *Endpoint) release(key inviteKey) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.invites, key)
}

// abandon answers a call that the handler left unanswered.
func (in *Invite) abandon() {
	if !in.final && !in.cancelled.Load() {
		in.Reject(Rejection{Status: 500})
	}
}

// Ringing tells the caller that it will take a while.
func (in *Invite) Ringing() error {
	res := sip.NewResponseFromRequest(in.req, 180, "Ringing", nil)
	in.dialog.label(res)
	if err := in.tx.Respond(res); err != nil {
		return fmt.Errorf("send 180: %w", err)
	}
	return nil
}

// Rejection is a final response that is no answer.
type Rejection struct {
	Status     int
	Reason     string // empty: the standard one
	RetryAfter time.Duration
	Headers    [][2]string
}

// reasons are the phrases of RFC 3261 section 21.
var reasons = map[int]string{400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 403: "Forbidden", 404: "Not Found",
	407: "Proxy Authentication Required", 408: "Request Timeout", 480: "Temporarily Unavailable", 486: "Busy Here", 488: "Not Acceptable Here",
	500: "Server Internal Error", 503: "Service Unavailable", 603: "Decline"}

// Reject refuses the call.
func (in *Invite) Reject(r Rejection) error {
	in.final = true
	if r.Reason == "" {
		if r.Reason = reasons[r.Status]; r.Reason == "" {
			r.Reason = "Refused"
		}
	}
	res := sip.NewResponseFromRequest(in.req, r.Status, r.Reason, nil)
	in.dialog.label(res)
	for _, h := range r.Headers {
		res.AppendHeader(sip.NewHeader(h[0], h[1]))
	}
	if r.RetryAfter > 0 {
		res.AppendHeader(sip.NewHeader("Retry-After", seconds(r.RetryAfter)))
	}
	if err := in.tx.Respond(res); err != nil {
		return fmt.Errorf("refuse the call with %d: %w", r.Status, err)
	}
	return nil
}

// Accept answers the call with a session description and waits for the ACK, whose
// own description (the answer to a late offer) it returns. The answer is sent again
// until the ACK comes. The errors are ErrCancelled and ErrNoACK; h.Ended is called
// only after Accept has succeeded.
func (in *Invite) Accept(ctx context.Context, sdp []byte, h DialogHandler) (*Dialog, []byte, error) {
	d := in.dialog
	in.final = true
	res := sip.NewResponseFromRequest(in.req, 200, "OK", sdp)
	d.label(res)
	res.AppendHeader(in.endpoint.contact(in.req.Transport()))
	in.endpoint.introduce(res)
	if sdp != nil {
		res.AppendHeader(sip.NewHeader("Content-Type", "application/sdp"))
	}
	d.timer.agree(in.req, in.endpoint.config)
	d.timer.write(res)
	d.handler = h
	in.endpoint.addDialog(d)
	if err := in.tx.Respond(res); err != nil {
		in.endpoint.dropDialog(d)
		return nil, nil, fmt.Errorf("send the answer: %w", err)
	}
	// The stack decides under its own lock which of CANCEL and 200 came first.
	if in.cancelled.Load() {
		in.endpoint.dropDialog(d)
		return nil, nil, ErrCancelled
	}
	first := newAnswer(in.endpoint.config.T1, in.tx, res, in.req.CSeq().SeqNo)
	in.endpoint.spawn("a dialog", func() { d.loop(first) })
	select {
	case body := <-d.acked:
		return d, body, nil
	case <-d.over:
		return nil, nil, ErrNoACK
	}
}
