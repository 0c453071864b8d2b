package signaling

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
)

// DialogHandler is told what happens in a dialog. Its methods are called one after
// the other, in the order in which the requests arrived.
type DialogHandler interface {
	// Offer answers a re-INVITE or UPDATE; an error refuses it with 488 and the
	// session stays as it was.
	Offer(sdp []byte) (answer []byte, err error)
	// LocalOffer makes our offer, for an INVITE without one and for refreshes.
	LocalOffer() (sdp []byte, err error)
	// RemoteAnswer takes the answer to LocalOffer.
	RemoteAnswer(sdp []byte) error
	// Info takes the body of an INFO and returns the status of its response.
	Info(contentType string, body []byte) (status int)
	// Ended is called once, last.
	Ended(End)
}

// Who ended a dialog.
const (
	ByPeer      = "peer"      // a BYE came
	ByUs        = "us"        // Hangup
	ByTimer     = "timer"     // the session was not refreshed
	ByPeerGone  = "peer-gone" // a request of ours was answered with 481 or 408, or not at all
	ByTransport = "transport" // the endpoint stopped
)

// End is how a dialog ended.
type End struct {
	By     string
	Reason string // the peer's Reason header (RFC 3326), or ours
}

// maxForwards of our requests.
const maxForwards = 70

// Dialog is an established call.
type Dialog struct {
	endpoint *Endpoint
	key      dialogKey
	handler  DialogHandler
	inbound  inbound
	acked    chan []byte   // the first ACK's body
	stop     chan End      // asks the loop to end; holds one
	over     chan struct{} // closed when the loop has ended
	timer    sessionTimer

	from, to  sip.Uri // ours and the peer's
	transport string
	source    netip.AddrPort // where the INVITE came from
	routes    []sip.Uri
	allows    string

	mu        sync.Mutex // held for the length of a request of ours
	cseq      uint32
	target    sip.Uri
	remoteSeq uint32
	offering  bool // our re-INVITE is under way
	acks      map[uint32]*sip.Request
}

// newServerDialog is a dialog that the peer began, with our tag.
func newServerDialog(e *Endpoint, req *sip.Request) *Dialog {
	d := &Dialog{endpoint: e, key: dialogKey{req.CallID().Value(), sip.GenerateTagN(16), tag(req.From().Params)},
		inbound: inbound{out: make(chan delivery, maxQueued)}, acked: make(chan []byte, 1), stop: make(chan End, 1), over: make(chan struct{}),
		from: req.To().Address, to: req.From().Address, transport: req.Transport(), cseq: 1,
		remoteSeq: req.CSeq().SeqNo, target: req.Contact().Address, acks: map[uint32]*sip.Request{}}
	d.source, _ = netip.ParseAddrPort(req.Source())
	for _, h := range req.GetHeaders("Record-Route") {
		if rr, ok := h.(*sip.RecordRouteHeader); ok {
			d.routes = append(d.routes, rr.Address)
			continue
		}
		var uri sip.Uri
		if _, err := sip.ParseAddressValue(h.Value(), &uri, &sip.HeaderParams{}); err == nil {
			d.routes = append(d.routes, uri)
		}
	}
	if h := req.GetHeader("Allow"); h != nil {
		d.allows = h.Value()
	}
	return d
}

// label gives a response our tag.
func (d *Dialog) label(res *sip.Response) {
	if h := res.To(); h != nil {
		h.Params.Add("tag", d.key.local)
	}
}

// Hangup ends the call with a BYE. It returns when the dialog is over; hanging up
// twice is harmless.
func (d *Dialog) Hangup(ctx context.Context, reason string) error {
	select {
	case d.stop <- End{By: ByUs, Reason: reason}:
	default: // somebody else is ending it
	}
	select {
	case <-d.over:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("hang up: %w", ctx.Err())
	}
}

// answer is a 2xx that waits for its ACK.
type answer struct {
	tx       *sip.ServerTx
	res      *sip.Response
	cseq     uint32
	interval time.Duration
	left     time.Duration
	most     time.Duration
	timer    *time.Timer
	offered  bool // it carried our offer: the ACK has the answer
}

// newAnswer begins the retransmission of RFC 3261 section 13.3.1.4.
func newAnswer(t1 time.Duration, tx *sip.ServerTx, res *sip.Response, cseq uint32) *answer {
	return &answer{tx: tx, res: res, cseq: cseq, interval: t1, left: 64 * t1, most: 8 * t1, timer: time.NewTimer(t1)}
}

// again sends the 2xx once more; false when it has been long enough.
func (a *answer) again() bool {
	if a.left -= a.interval; a.left <= 0 {
		return false
	}
	a.tx.Respond(a.res) // a lost one is made up for by the next
	a.interval = min(2*a.interval, a.most, a.left)
	a.timer.Reset(a.interval)
	return true
}

// loop is the dialog's goroutine: it owns the order of everything.
func (d *Dialog) loop(first *answer) {
	pending := first
	var deferred []delivery // what waits for the ACK
	session := time.NewTimer(d.timer.next())
	defer session.Stop()
	defer close(d.over)
	defer d.endpoint.dropDialog(d)
	established := false
	end := func(e End) {
		for _, w := range deferred {
			d.endpoint.refuse(w.req, w.tx, refusal{status: 481, reason: "Call/Transaction Does Not Exist"})
		}
		if established {
			d.handler.Ended(e)
		}
	}
	for {
		var resend <-chan time.Time
		if pending != nil {
			resend = pending.timer.C
		}
		select {
		case w := <-d.inbound.out:
			if pending != nil && !(w.req.IsAck() && w.req.CSeq().SeqNo == pending.cseq) {
				if w.req.IsAck() {
					continue
				}
				if len(deferred) < maxQueued {
					deferred = append(deferred, w)
				} else {
					d.endpoint.refuse(w.req, w.tx, unavailable())
				}
				// A BYE whose ACK is lost is believed after a moment.
				if w.req.Method == sip.BYE && pending.left > 4*d.endpoint.config.T1 {
					pending.left = 4 * d.endpoint.config.T1
				}
				continue
			}
			if w.req.IsAck() {
				if pending == nil {
					continue // a retransmission
				}
				pending.timer.Stop()
				if pending == first {
					established = true
					d.acked <- w.req.Body()
				} else if pending.offered {
					if err := d.handler.RemoteAnswer(w.req.Body()); err != nil {
						d.bye("the answer to our offer is unusable")
						end(End{By: ByUs, Reason: err.Error()})
						return
					}
				}
				pending = nil
				for len(deferred) > 0 && pending == nil {
					next := deferred[0]
					deferred = deferred[1:]
					var ended *End
					if pending, ended = d.take(next); ended != nil {
						end(*ended)
						return
					}
				}
				continue
			}
			var ended *End
			if pending, ended = d.take(w); ended != nil {
				end(*ended)
				return
			}
			session.Reset(d.timer.next())
		case <-resend:
			if pending.again() {
				continue
			}
			if by := byeOf(deferred); by != nil {
				ended := d.takeBye(*by)
				end(ended)
				return
			}
			d.bye("no ACK")
			end(End{By: ByPeerGone, Reason: "no ACK"})
			return
		case <-session.C:
			if !d.refresh() {
				d.bye("the session was not refreshed")
				end(End{By: ByTimer, Reason: "the session was not refreshed"})
				return
			}
			session.Reset(d.timer.next())
		case e := <-d.stop:
			d.bye(e.Reason)
			end(e)
			return
		case <-d.endpoint.stopping:
			d.bye("the node stops")
			end(End{By: ByTransport, Reason: "the endpoint stopped"})
			return
		}
	}
}

// byeOf finds a BYE among what waits.
func byeOf(list []delivery) *delivery {
	for i := range list {
		if list[i].req.Method == sip.BYE {
			return &list[i]
		}
	}
	return nil
}

// take handles one request in its turn. It returns an answer that waits for its
// ACK, or the end of the dialog.
func (d *Dialog) take(w delivery) (*answer, *End) {
	if seq := w.req.CSeq().SeqNo; seq < d.remoteSeq {
		d.endpoint.refuse(w.req, w.tx, refusal{status: 500, reason: "CSeq out of order"}) // section 12.2.2
		return nil, nil
	}
	d.remoteSeq = w.req.CSeq().SeqNo
	switch w.req.Method {
	case sip.BYE:
		e := d.takeBye(w)
		return nil, &e
	case sip.INVITE:
		return d.reinvited(w), nil
	case sip.UPDATE:
		d.updated(w)
	case sip.INFO:
		kind := ""
		if h := w.req.ContentType(); h != nil {
			kind = h.Value()
		}
		status := d.handler.Info(kind, w.req.Body())
		phrase := reasons[status]
		if status == 200 {
			phrase = "OK"
		}
		d.endpoint.respond(w.tx, sip.NewResponseFromRequest(w.req, status, phrase, nil))
	case sip.OPTIONS:
		d.endpoint.options(w.req, w.tx)
	default:
		d.endpoint.refuse(w.req, w.tx, notAllowed())
	}
	return nil, nil
}

func (d *Dialog) takeBye(w delivery) End {
	d.endpoint.respond(w.tx, sip.NewResponseFromRequest(w.req, 200, "OK", nil))
	reason := ""
	if h := w.req.GetHeader("Reason"); h != nil {
		reason = h.Value()
	}
	return End{By: ByPeer, Reason: reason}
}

// reinvited answers a re-INVITE.
func (d *Dialog) reinvited(w delivery) *answer {
	d.mu.Lock()
	offering := d.offering
	d.mu.Unlock()
	if offering {
		d.endpoint.refuse(w.req, w.tx, refusal{status: 491, reason: "Request Pending"}) // section 14.2
		return nil
	}
	if r := d.endpoint.tooBrief(w.req); r != nil {
		d.endpoint.refuse(w.req, w.tx, *r)
		return nil
	}
	var sdp []byte
	var err error
	offered := offer(w.req) == nil
	if offered {
		sdp, err = d.handler.LocalOffer()
	} else {
		sdp, err = d.handler.Offer(offer(w.req))
	}
	if err != nil {
		d.endpoint.refuse(w.req, w.tx, refusal{status: 488, reason: "Not Acceptable Here"})
		return nil
	}
	res := d.accept(w.req, sdp)
	d.endpoint.respond(w.tx, res)
	a := newAnswer(d.endpoint.config.T1, w.tx, res, w.req.CSeq().SeqNo)
	a.offered = offered
	return a
}

// updated answers an UPDATE (RFC 3311), which may only refresh the session.
func (d *Dialog) updated(w delivery) {
	if r := d.endpoint.tooBrief(w.req); r != nil {
		d.endpoint.refuse(w.req, w.tx, *r)
		return
	}
	var sdp []byte
	if o := offer(w.req); o != nil {
		var err error
		if sdp, err = d.handler.Offer(o); err != nil {
			d.endpoint.refuse(w.req, w.tx, refusal{status: 488, reason: "Not Acceptable Here"})
			return
		}
	}
	d.endpoint.respond(w.tx, d.accept(w.req, sdp))
}

// accept makes the 200 to a re-INVITE or UPDATE, which also refreshes the target
// (section 12.2.2) and the session (RFC 4028).
func (d *Dialog) accept(req *sip.Request, sdp []byte) *sip.Response {
	if c := req.Contact(); c != nil {
		d.mu.Lock()
		d.target = c.Address
		d.mu.Unlock()
	}
	res := sip.NewResponseFromRequest(req, 200, "OK", sdp)
	res.AppendHeader(d.endpoint.contact(d.transport))
	d.endpoint.introduce(res)
	if sdp != nil {
		res.AppendHeader(sip.NewHeader("Content-Type", "application/sdp"))
	}
	d.timer.agree(req, d.endpoint.config)
	d.timer.write(res)
	return res
}

// request builds a request of ours within the dialog. The lock is held.
func (d *Dialog) request(method sip.RequestMethod, cseq uint32) *sip.Request {
	uri, routes := d.target, d.routes
	if len(routes) > 0 && !routes[0].UriParams.Has("lr") {
		// A strict router (section 12.2.1.1): it wants to be the Request-URI.
		uri, routes = routes[0], append(routes[1:len(routes):len(routes)], d.target)
	}
	req := sip.NewRequest(method, uri)
	req.AppendHeader(d.endpoint.via(d.transport))
	for _, r := range routes {
		req.AppendHeader(&sip.RouteHeader{Address: r})
	}
	req.AppendHeader(&sip.FromHeader{Address: d.from, Params: sip.HeaderParams{{K: "tag", V: d.key.local}}})
	req.AppendHeader(&sip.ToHeader{Address: d.to, Params: sip.HeaderParams{{K: "tag", V: d.key.remote}}})
	id := sip.CallIDHeader(d.key.callID)
	req.AppendHeader(&id)
	req.AppendHeader(&sip.CSeqHeader{SeqNo: cseq, MethodName: method})
	forwards := sip.MaxForwardsHeader(maxForwards)
	req.AppendHeader(&forwards)
	req.AppendHeader(sip.NewHeader("User-Agent", d.endpoint.config.UserAgent))
	req.SetBody(nil) // writes Content-Length, without which a stream cannot be read
	req.SetTransport(strings.ToUpper(d.transport))
	req.SetDestination(d.destination())
	if strings.EqualFold(d.transport, "udp") {
		req.Laddr = sip.Addr{IP: d.endpoint.addr.Addr().AsSlice(), Port: int(d.endpoint.addr.Port())}
	}
	return req
}

// destination is where requests go: the first route, else the peer's contact, or
// where its INVITE came from when that is another host (it is behind a NAT) or the
// transport is a connection.
func (d *Dialog) destination() string {
	next := d.target
	if len(d.routes) > 0 {
		next = d.routes[0]
	} else if d.source.IsValid() && (!strings.EqualFold(d.transport, "udp") || !sameHost(next.Host, d.source.Addr())) {
		return d.source.String()
	}
	port := next.Port
	if port == 0 {
		port = 5060
	}
	return net.JoinHostPort(strings.Trim(next.Host, "[]"), strconv.Itoa(port))
}

func sameHost(host string, addr netip.Addr) bool {
	a, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && a.Unmap() == addr.Unmap()
}

// send sends a request within the dialog and waits for its final response. d.mu is
// not held meanwhile.
func (d *Dialog) send(ctx context.Context, method sip.RequestMethod, fill func(*sip.Request)) (*sip.Request, *sip.Response, error) {
	d.mu.Lock()
	d.cseq++
	req := d.request(method, d.cseq)
	d.mu.Unlock()
	if fill != nil {
		fill(req)
	}
	tx, err := d.endpoint.txl.Request(ctx, req)
	if err != nil {
		return req, nil, fmt.Errorf("send %s: %w", method, err)
	}
	defer tx.Terminate()
	for {
		select {
		case res := <-tx.Responses():
			if res != nil && !res.IsProvisional() {
				return req, res, nil
			}
		case <-tx.Done():
			return req, nil, fmt.Errorf("%s was not answered: %w", method, tx.Err())
		case <-ctx.Done():
			return req, nil, fmt.Errorf("%s was not answered: %w", method, ctx.Err())
		}
	}
}

// bye ends the dialog from our side. What comes of it does not matter.
func (d *Dialog) bye(reason string) {
	ctx, cancel := context.WithTimeout(context.Background(), 8*d.endpoint.config.T1)
	defer cancel()
	_, _, err := d.send(ctx, sip.BYE, func(req *sip.Request) {
		if reason != "" {
			req.AppendHeader(sip.NewHeader("Reason", fmt.Sprintf("SIP;cause=200;text=%q", reason)))
		}
	})
	if err != nil {
		d.endpoint.config.Logger.Debug("BYE", "sip_call", d.key.callID, "error", err)
	}
}

// errPeerGone: the peer does not know the dialog any more.
var errPeerGone = errors.New("the peer does not know the call any more")

// refresh keeps the session alive, or says that it is dead.
func (d *Dialog) refresh() bool {
	if !d.timer.ours {
		return d.timer.expires == 0 // we waited for the peer's in vain
	}
	ctx, cancel := context.WithTimeout(context.Background(), 32*d.endpoint.config.T1)
	defer cancel()
	var err error
	if strings.Contains(strings.ToUpper(d.allows), "UPDATE") {
		err = d.refreshByUpdate(ctx)
	} else {
		err = d.reinvite(ctx)
	}
	if err != nil {
		d.endpoint.config.Logger.Info("session not refreshed", "sip_call", d.key.callID, "error", err)
	}
	return !errors.Is(err, errPeerGone)
}

func (d *Dialog) refreshByUpdate(ctx context.Context) error {
	_, res, err := d.send(ctx, sip.UPDATE, func(req *sip.Request) {
		req.AppendHeader(d.endpoint.contact(d.transport))
		d.timer.writeRequest(req)
	})
	return outcome(res, err)
}

// outcome is what a response to a refresh means for the dialog.
func outcome(res *sip.Response, err error) error {
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", errPeerGone, err)
	case res.IsSuccess():
		return nil
	case res.StatusCode == 481 || res.StatusCode == 408:
		return fmt.Errorf("%w: %d", errPeerGone, res.StatusCode)
	}
	return fmt.Errorf("refused with %d", res.StatusCode)
}

// reinvite offers the session anew.
func (d *Dialog) reinvite(ctx context.Context) error {
	d.mu.Lock()
	d.offering = true
	d.mu.Unlock()
	defer func() {
		d.mu.Lock()
		d.offering = false
		d.mu.Unlock()
	}()
	sdp, err := d.handler.LocalOffer()
	if err != nil {
		return err
	}
	req, res, err := d.send(ctx, sip.INVITE, func(req *sip.Request) {
		req.AppendHeader(d.endpoint.contact(d.transport))
		req.AppendHeader(sip.NewHeader("Content-Type", "application/sdp"))
		d.timer.writeRequest(req)
		req.SetBody(sdp)
	})
	if err := outcome(res, err); err != nil {
		return err
	}
	d.ack(req.CSeq().SeqNo)
	return d.handler.RemoteAnswer(res.Body())
}

// ack acknowledges a 2xx to our re-INVITE, and is kept to be sent again.
func (d *Dialog) ack(cseq uint32) {
	d.mu.Lock()
	req := d.request(sip.ACK, cseq)
	clear(d.acks)
	d.acks[cseq] = req
	d.mu.Unlock()
	d.write(req)
}

// ackAgain answers a retransmitted 2xx.
func (d *Dialog) ackAgain(cseq uint32) {
	d.mu.Lock()
	req := d.acks[cseq]
	d.mu.Unlock()
	if req != nil {
		d.write(req)
	}
}

// write sends a request that has no transaction.
func (d *Dialog) write(req *sip.Request) {
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Second)
	defer cancel()
	conn, err := d.endpoint.tpl.ClientRequestConnection(ctx, req)
	if err == nil {
		defer conn.TryClose()
		err = conn.WriteMsg(req)
	}
	if err != nil {
		d.endpoint.config.Logger.Debug("ACK not sent", "sip_call", d.key.callID, "error", err)
	}
}
