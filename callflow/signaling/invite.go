package signaling

import (
	"context"
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"crypto/rand"
)

// ErrCancelled: the caller sent CANCEL before the final response.
var ErrCancelled = errors.New("the caller has cancelled the INVITE")

// Invite is a new call that came, checked, and not yet answered. Its methods may
// be called from any goroutine.
type Invite struct {
	endpoint *Endpoint
	tx       *serverTx
	localTag string
	ctx      context.Context
	cancel   context.CancelCauseFunc

	mu     sync.Mutex
	closed error // why there can be no further final response; nil: there can
}

func newInvite(e *Endpoint, t *serverTx) *Invite {
	in := &Invite{endpoint: e, tx: t, localTag: rand.Text()}
	in.ctx, in.cancel = context.WithCancelCause(e.calls)
	e.pending.Add(1)
	t.mu.Lock()
	t.invite, t.tag = in, in.localTag
	t.mu.Unlock()
	return in
}

// serve runs the handler.
func (in *Invite) serve() {
	defer in.close()
	defer in.endpoint.recovered("handler")
	if bad := checkSessionInterval(in.tx.message, in.endpoint.config.MinSE); bad != nil {
		_ = in.refuse(bad.status, "", bad.extra...)
		return
	}
	in.endpoint.handler.ServeInvite(in.ctx, in)
}

// close gives the final response that the handler did not give.
func (in *Invite) close() {
	in.cancel(nil)
	status := 500
	if in.endpoint.calls.Err() != nil {
		status = 503
	}
	if in.refuse(status, "") == nil && status == 500 {
		in.endpoint.logger.Error("handler gave no final response", "call_id", in.tx.callID)
	}
}

// cancelled is called by the CANCEL's goroutine.
func (in *Invite) cancelled(reason string) {
	if in.refuse(487, "") != nil {
		return
	}
	in.endpoint.logger.Debug("INVITE cancelled", "call_id", in.tx.callID, "reason", reason)
	in.cancel(ErrCancelled)
}

// settle claims the right to send the final response, once.
func (in *Invite) settle(as error) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.closed != nil {
		return in.closed
	}
	in.closed = as
	in.endpoint.pending.Add(-1)
	return nil
}

func (in *Invite) refuse(status int, reason string, extra ...Header) error {
	as := errAnswered
	if status == 487 {
		as = ErrCancelled
	}
	if err := in.settle(as); err != nil {
		return err
	}
	return in.tx.respond(in.endpoint.response(in.tx.message, status, reason, in.localTag, extra...))
}

// CallID is the caller's Call-ID.
func (in *Invite) CallID() string { return in.tx.callID }

// From is who calls, by the caller's own word.
func (in *Invite) From() Party { return in.tx.from.party() }

// To is whom the caller meant.
func (in *Invite) To() Party { return in.tx.to.party() }

// RequestURI is where the call was sent: what was dialled. Display is empty.
func (in *Invite) RequestURI() Party {
	return Party{User: uriUser(&in.tx.target), Host: in.tx.target.Host}
}

// RequestURIText is the Request-URI as it came: digest is computed over it.
func (in *Invite) RequestURIText() string { return in.tx.uri }

// Source is the address that the INVITE came from.
func (in *Invite) Source() netip.AddrPort { return in.tx.flow.remote() }

// Local is the address that the INVITE came to.
func (in *Invite) Local() netip.AddrPort { return in.tx.flow.local() }

// Transport is "UDP" or "TCP".
func (in *Invite) Transport() string { return in.tx.flow.network() }

// Offer is the caller's session description; nil: the caller wants ours.
func (in *Invite) Offer() []byte { return in.tx.sdp }

// MaxForwards is how many hops are left for a call made on behalf of this one; 70
// if the caller gave none.
func (in *Invite) MaxForwards() int {
	if n, err := strconv.Atoi(in.tx.get("max-forwards")); err == nil {
		return n
	}
	return 70
}

// Header is all values of a header field, one for each line, whatever the case or
// form of its name; Authorization and Proxy-Authorization among them.
func (in *Invite) Header(name string) []string { return in.tx.all(fieldKey(name)) }

// Ringing sends 180.
func (in *Invite) Ringing() error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.closed != nil {
		return in.closed
	}
	contact := Header{"Contact", in.contact()}
	return in.tx.respond(in.endpoint.response(in.tx.message, 180, "", in.localTag, contact, allowHeader))
}

// Rejection is a final response other than 2xx.
type Rejection struct {
	Status     int    // 300 to 699
	Reason     string // empty: the usual phrase
	RetryAfter time.Duration
	Headers    []Header // such as WWW-Authenticate, or Contact of a 302
	Warning    string   // text for people, sent as warning 399
}

// Reject refuses the call.
func (in *Invite) Reject(r Rejection) error {
	if r.Status < 300 || r.Status > 699 {
		return errors.New("reject INVITE: status " + strconv.Itoa(r.Status) + " is no refusal; use 300 to 699")
	}
	extra := r.Headers
	if r.RetryAfter > 0 {
		extra = append(extra, retryAfter(r.RetryAfter))
	}
	if r.Warning != "" {
		host := in.endpoint.contactAddr(in.tx.flow).String()
		extra = append(extra, Header{"Warning", "399 " + host + " " + quote(r.Warning)})
	}
	return in.refuse(r.Status, r.Reason, extra...)
}

// contact is our Contact: the address that the call came to, and what was dialled.
func (in *Invite) contact() string {
	user := in.tx.target.User
	if strings.ContainsAny(user, "<>\" ") {
		user = ""
	}
	return in.endpoint.contact(user, in.tx.flow)
}

// Accept answers with 200 and waits for the ACK. The 200 is sent again until then
// (RFC 3261 section 13.3.1.4); without an ACK in 64*T1 the dialog is ended with BYE.
//
// sdp is the answer to Offer, or our own offer when there was none; then ackSDP is
// the caller's answer. h is told what happens in the dialog from the ACK on, which
// may be before Accept has returned. When Accept returns an error h.Ended is not
// called: ErrCancelled, an *EndedError (hung up before the ACK, or no ACK), or that
// of ctx; then a BYE follows as soon as it may.
func (in *Invite) Accept(ctx context.Context, sdp []byte, h DialogHandler) (d *Dialog, ackSDP []byte, err error) {
	if d, err = in.answer(sdp, h); err != nil {
		return nil, nil, err
	}
	select {
	case <-d.confirmed:
	case <-d.gone:
	case <-ctx.Done():
		if d.abandon() {
			return nil, nil, context.Cause(ctx)
		}
	}
	return d.afterACK()
}

// answer makes the dialog and sends the 200.
func (in *Invite) answer(sdp []byte, h DialogHandler) (*Dialog, error) {
	e, r := in.endpoint, in.tx.request
	if err := in.settle(errAnswered); err != nil {
		return nil, err
	}
	d := newDialog(e, h, r.flow)
	d.initAsServer(r, in.localTag, in.contact())
	timer, headers := answerSessionTimer(r.message, e.config, e.config.Clock.Now())
	d.timer = timer
	headers = append([]Header{{"Contact", d.state.LocalContact}, allowHeader, supportedHeader}, headers...)
	res := e.response(r.message, 200, "", in.localTag, headers...)
	setSDP(res, sdp)
	d.localSDP = sdp
	d.awaitACK(r, res, r.sdp == nil, true)
	e.dialogs.add(d)
	if !d.serve() {
		e.dialogs.remove(d)
		in.tx.reject(503, in.localTag)
		return nil, errStopped
	}
	if err := in.tx.respond(res); err != nil {
		d.finish(End{By: ByLocal, Cause: CauseTransport}, false)
		return nil, err
	}
	return d, nil
}
