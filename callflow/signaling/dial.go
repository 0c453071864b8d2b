package signaling

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net/netip"
	"time"

	"github.com/emiago/sipgo/sip"
)

// maxAttempts bounds the INVITEs of one leg: a challenge of the callee, one of a
// proxy, a session interval that is too short, and one more of each kind.
const maxAttempts = 6

// DialRequest is a call to make.
type DialRequest struct {
	Target string // SIP URI; ;transport=tcp chooses TCP
	From   Party  // an empty Host means our address
	To     Party  // the zero value means Target
	// Headers are added to the INVITE; those that a dialog depends on are not theirs
	// to set.
	Headers []Header
	// CallID, if set, is the leg's; it must be unlike that of any other call. A header
	// that proves something about this call names it.
	CallID      string
	Offer       []byte // nil: the callee offers, and DialogHandler.Offer answers
	Credentials *Credentials
	MaxForwards int // 0: 70
	// Progress, if set, is told of provisional responses, and of an early answer.
	Progress func(status int, sdp []byte)
}

// Dial calls and returns when the callee has answered and been acknowledged. Each
// call has a Call-ID, tags and a Contact of its own. A final refusal is a
// *StatusError; ErrTimeout and ErrTransport stand for no answer at all. A target
// with several addresses is tried at each until one answers other than 503.
//
// When ctx ends Dial cancels, and returns the error of ctx once the callee has
// confirmed, at most 64*T1 later; an answer that was on its way is acknowledged and
// hung up. With an error, h.Ended is not called.
func (e *Endpoint) Dial(ctx context.Context, req DialRequest, h DialogHandler) (d *Dialog, answer []byte, err error) {
	var target sip.Uri
	if err := parseURI(req.Target, &target); err != nil {
		return nil, nil, fmt.Errorf("dial %q: %w", req.Target, err)
	}
	way, err := hopOf(&target)
	if err != nil {
		return nil, nil, fmt.Errorf("dial %q: %w", req.Target, err)
	}
	peers, err := way.resolve(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("dial %q: %w", req.Target, err)
	}
	err = errNoRoute
	for _, peer := range peers {
		leg := &leg{endpoint: e, request: req, target: target, network: way.network, peer: peer}
		if d, answer, err = leg.call(ctx, h); err == nil || ctx.Err() != nil || !failsOver(err) {
			break
		}
	}
	if err != nil {
		return nil, nil, fmt.Errorf("dial %q: %w", req.Target, err)
	}
	return d, answer, nil
}

// failsOver: the next address may do better (RFC 3263 section 4.3).
func failsOver(err error) bool {
	var refused *StatusError
	return errors.Is(err, ErrTimeout) || errors.Is(err, ErrTransport) ||
		errors.As(err, &refused) && refused.Status == 503
}

// leg is one call to one address.
type leg struct {
	endpoint *Endpoint
	request  DialRequest
	target   sip.Uri
	network  string
	peer     netip.AddrPort
	dialog   *Dialog
	least    time.Duration // Min-SE that the callee asked for
	early    []byte        // answer in a provisional response
}

func (l *leg) call(ctx context.Context, h DialogHandler) (*Dialog, []byte, error) {
	e := l.endpoint
	if e.dialogs.size() >= e.config.Limits.MaxDialogs {
		return nil, nil, &StatusError{Status: 503, Reason: "too many dialogs on this node"}
	}
	f, err := e.flowTo(ctx, l.network, l.peer, nil)
	if err != nil {
		return nil, nil, err
	}
	d := newDialog(e, h, f)
	l.dialog = d
	l.init(f)
	// Before the INVITE, so that a request that follows the 200 closely finds it.
	e.dialogs.add(d)
	res, cseq, err := l.invite(ctx)
	if err == nil && res.status >= 300 {
		err = statusError(res)
		if res.status == 487 && ctx.Err() != nil {
			err = context.Cause(ctx)
		}
	}
	if err != nil {
		l.discard()
		return nil, nil, err
	}
	return l.answered(ctx, res, cseq)
}

// init gives the dialog what it has before there is an answer.
func (l *leg) init(f flow) {
	e, r := l.endpoint, l.request
	from := r.From
	if from.Host == "" {
		from.Host = e.contactAddr(f).String()
	}
	to := "<" + clean(r.Target) + ">"
	if r.To != (Party{}) {
		to = partyAddr(r.To)
	}
	l.dialog.state = DialogState{
		CallID: cmp.Or(clean(r.CallID), rand.Text()), LocalTag: rand.Text(), Initiator: true,
		// RFC 3261 section 8.1.1.5: less than 2^31; leave room to count.
		LocalCSeq: uint32(mathrand.IntN(1 << 16)),
		LocalURI:  partyAddr(from), RemoteURI: to,
		LocalContact: e.contact(rand.Text()[:12], f),
	}
	l.dialog.setTarget(&address{spec: r.Target, uri: l.target})
	l.dialog.credentials = r.Credentials
}

func partyAddr(p Party) string {
	uri := "sip:" + p.Host
	if p.User != "" {
		uri = "sip:" + p.User + "@" + p.Host
	}
	if p.Display == "" {
		return "<" + clean(uri) + ">"
	}
	return quote(p.Display) + " <" + clean(uri) + ">"
}

// invite sends INVITEs until there is an answer that is no question.
func (l *leg) invite(ctx context.Context) (*message, uint32, error) {
	d := l.dialog
	for attempt := 1; ; attempt++ {
		o, err := d.outgoing(ctx, "INVITE", 0)
		if err != nil {
			return nil, 0, err
		}
		o.network, o.peer, o.maxForwards, o.sdp = l.network, l.peer, l.request.MaxForwards, l.request.Offer
		o.headers = append(append(o.headers, allowHeader, supportedHeader), l.request.Headers...)
		o.headers = append(o.headers, askSessionTimer(l.endpoint.config, sessionTimer{}, l.least)...)
		req, f, err := o.prepare(ctx, l.endpoint)
		if err != nil {
			return nil, 0, err
		}
		d.mu.Lock()
		d.flow = f
		d.mu.Unlock()
		res, err := l.endpoint.invite(ctx, req, f, inviteHooks{progress: l.progress, again: l.again})
		if err != nil || attempt == maxAttempts || ctx.Err() != nil || !l.tryAgain(req, res) {
			return res, o.cseq, err
		}
	}
}

// tryAgain: the refusal was a question that we have an answer to.
func (l *leg) tryAgain(req *sip.Request, res *message) bool {
	if res.status == 422 { // RFC 4028 section 7.3
		asked := minSE(res)
		if asked <= l.least {
			return false
		}
		l.least = asked
		return true
	}
	if res.status == 401 || res.status == 407 {
		// The same challenge again means that the credentials are wrong; a stale
		// nonce does not (RFC 3261 section 22.2).
		name := "Authorization"
		if res.status == 407 {
			name = "Proxy-Authorization"
		}
		l.dialog.mu.Lock()
		_, answered := l.dialog.auth[name]
		l.dialog.mu.Unlock()
		return (!answered || isStale(res)) && l.dialog.authorize(req, res)
	}
	return false
}

func (l *leg) progress(m *message) {
	sdp, _ := sessionDescription(m)
	if len(sdp) > 0 {
		l.early = sdp
	}
	if l.request.Progress != nil {
		defer l.endpoint.recovered("progress handler")
		l.request.Progress(m.status, sdp)
	}
}

// discard ends a dialog that never was.
func (l *leg) discard() {
	l.dialog.finish(End{By: ByLocal, Cause: CauseAbandoned}, false)
	l.dialog.close()
}

// answered makes the dialog of a 2xx (RFC 3261 section 12.1.2) and acknowledges.
func (l *leg) answered(ctx context.Context, res *message, cseq uint32) (*Dialog, []byte, error) {
	d := l.dialog
	if err := d.initAsClient(res); err != nil {
		_ = d.acknowledge(cseq, nil)
		d.finish(End{By: ByLocal, Cause: CauseAbandoned}, true)
		d.close()
		return nil, nil, err
	}
	sdp, _ := sessionDescription(res)
	if len(sdp) == 0 {
		sdp = l.early
	}
	answer, reply, err := l.describe(sdp)
	if ackErr := d.acknowledge(cseq, reply); err == nil {
		err = ackErr
	}
	if err == nil && ctx.Err() != nil {
		err = context.Cause(ctx) // the 200 won the race against the CANCEL
	}
	if err == nil && !d.establish(nil) {
		err = errDialogOver
	}
	if err == nil && !d.serve() {
		err = errStopped
	}
	if err != nil {
		d.mu.Lock()
		d.established = false
		d.mu.Unlock()
		d.finish(End{By: ByLocal, Cause: CauseAbandoned}, true)
		d.close()
		return nil, nil, err
	}
	return d, answer, nil
}

// describe completes offer and answer: reply goes into the ACK.
func (l *leg) describe(sdp []byte) (answer, reply []byte, err error) {
	d := l.dialog
	if len(sdp) == 0 {
		return nil, nil, errors.New("the 2xx has no session description")
	}
	if l.request.Offer != nil {
		d.mu.Lock()
		d.localSDP = l.request.Offer
		d.mu.Unlock()
		return sdp, nil, nil
	}
	err = errPanicked
	defer l.endpoint.recovered("dialog handler")
	if reply, err = d.handler.Offer(sdp); err != nil {
		return nil, nil, fmt.Errorf("answer the callee's offer: %w", err)
	}
	d.mu.Lock()
	d.localSDP = reply
	d.mu.Unlock()
	return nil, reply, nil
}

// initAsClient fills the state from a 2xx.
func (d *Dialog) initAsClient(res *message) error {
	to, err := parseAddress(res.get("to"))
	if err != nil {
		return fmt.Errorf("read To of the 2xx: %w", err)
	}
	routes, err := readRoutes(res)
	if err != nil {
		return fmt.Errorf("read Record-Route of the 2xx: %w", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.state.RemoteTag = to.param("tag")
	for i := len(routes) - 1; i >= 0; i-- { // in reverse
		d.state.RouteSet = append(d.state.RouteSet, routes[i])
	}
	if contacts := res.list("contact"); len(contacts) > 0 {
		if a, err := parseAddress(contacts[0]); err == nil {
			d.setTarget(&a)
		}
	}
	d.state.PeerUpdates = res.hasToken("allow", "UPDATE")
	d.timer = takeSessionTimer(res, d.endpoint.config.Clock.Now())
	return nil
}

// again: a further 2xx. A copy of the first gets the ACK again; one with another
// tag comes from another branch of a fork, and is acknowledged and hung up (RFC
// 3261 section 13.2.2.4).
func (l *leg) again(res *message) {
	to, err := parseAddress(res.get("to"))
	if err != nil {
		return
	}
	d := l.dialog
	d.mu.Lock()
	first := d.state.RemoteTag
	state, credentials := d.state, d.credentials
	cseq := d.lastACK.cseq
	d.mu.Unlock()
	if first == "" {
		return // the first one is being handled at this moment; copies follow
	}
	if to.param("tag") == first {
		d.acknowledgeAgain(res)
		return
	}
	l.endpoint.spawn(func() {
		other := newDialog(l.endpoint, d.handler, res.flow)
		state.RouteSet = nil
		other.state, other.credentials = state, credentials
		if other.initAsClient(res) == nil && other.acknowledge(cseq, nil) == nil {
			_ = other.bye(context.Background(), nil)
		}
	})
}
