package signaling

import (
	"errors"
	"time"

	"github.com/emiago/sipgo/sip"
)

// unacked is a 2xx to an INVITE that the peer has not acknowledged. It is sent
// again by us: transactions end with the first one (RFC 6026 section 7.1).
type unacked struct {
	response *sip.Response
	flow     flow
	cseq     uint32
	offered  bool // the 2xx holds our offer, the ACK will hold the answer
	initial  bool // of the dialog
	interval time.Duration
	next     time.Time
	deadline time.Time
}

// awaitACK begins to send a 2xx again.
func (d *Dialog) awaitACK(r *request, res *sip.Response, offered, initial bool) {
	c := d.endpoint.config
	now := c.Clock.Now()
	d.unacked = &unacked{
		response: res, flow: r.flow, cseq: r.cseq, offered: offered, initial: initial,
		interval: c.T1, next: now.Add(c.T1), deadline: now.Add(64 * c.T1),
	}
}

// resend is due: again with twice the pause, up to T2 = 8*T1 (RFC 3261 section
// 13.3.1.4), also by TCP.
func (d *Dialog) resend(now time.Time) {
	u := d.unacked
	if !now.Before(u.deadline) {
		d.finish(End{By: ByLocal, Cause: CauseNoACK}, true)
		return
	}
	if now.Before(u.next) {
		return
	}
	_ = u.flow.WriteMsg(u.response) // an error now may be none the next time
	u.interval = min(2*u.interval, 8*d.endpoint.config.T1)
	u.next = now.Add(u.interval)
}

// tick does what is due.
func (d *Dialog) tick() {
	now := d.endpoint.config.Clock.Now()
	if d.unacked != nil {
		d.resend(now)
	}
	d.mu.Lock()
	expires, refresh := d.timer.expiresAt(), d.timer.refreshAt()
	due := !refresh.IsZero() && !now.Before(refresh)
	if due {
		d.timer.asked = true
	}
	d.mu.Unlock()
	if !expires.IsZero() && !now.Before(expires) {
		d.finish(End{By: ByLocal, Cause: CauseSessionExpired}, true,
			Reason{Protocol: "SIP", Cause: 408, Text: "Session timer expired"}.header()...)
		return
	}
	if due {
		// Not here: the peer's requests must not wait for the answer.
		d.endpoint.spawn(d.refresh)
	}
}

// handle takes one request.
func (d *Dialog) handle(ev event) {
	if ev.call != nil {
		ev.call()
		return
	}
	r := ev.request
	if r.from.param("tag") != d.remoteTag() {
		if ev.tx != nil {
			ev.tx.reject(481, "")
		}
		return
	}
	if r.method == "ACK" {
		d.acked(r)
		return
	}
	if !d.inOrder(r) {
		ev.tx.reject(500, "", retryAfter(time.Second)) // RFC 3261 section 12.2.2
		return
	}
	d.dispatch(ev)
}

func (d *Dialog) remoteTag() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.state.RemoteTag
}

// inOrder takes the CSeq, and the way the request came by.
func (d *Dialog) inOrder(r *request) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.state.RemoteCSeqKnown && r.cseq <= d.state.RemoteCSeq {
		return false
	}
	d.state.RemoteCSeq, d.state.RemoteCSeqKnown = r.cseq, true
	d.flow = r.flow
	return true
}

// dispatch handles a request, or keeps it until the ACK. A BYE does not wait: who
// hangs up may never send the ACK.
func (d *Dialog) dispatch(ev event) {
	if u := d.unacked; u != nil && ev.tx.method != "BYE" && (u.initial || ev.tx.method != "INFO") {
		if len(d.deferred) >= maxDeferred {
			ev.tx.reject(500, "", retryAfter(time.Second))
			d.endpoint.stats.dropped("queue_full")
			return
		}
		d.deferred = append(d.deferred, ev)
		return
	}
	switch ev.tx.method {
	case "BYE":
		d.finish(End{By: ByPeer, Cause: CauseBye, Reason: ev.tx.get("reason")}, false)
		ev.tx.reject(200, "")
	case "INFO":
		ev.tx.reject(d.info(ev.tx), "")
	case "INVITE":
		d.onReinvite(ev.tx)
	case "UPDATE":
		d.onUpdate(ev.tx)
	case "OPTIONS":
		ev.tx.reject(200, "", d.endpoint.capabilities()...)
	default: // CANCEL is handled by its transaction; others do not get here
		ev.tx.reject(501, "", allowHeader)
	}
}

func (d *Dialog) info(t *serverTx) (status int) {
	if len(t.body) == 0 {
		return 200 // RFC 2976: a sign of life
	}
	status = 500
	defer d.endpoint.recovered("dialog handler")
	return d.handler.Info(t.get("content-type"), t.body)
}

// acked: the ACK of our 2xx. Copies of it say nothing.
func (d *Dialog) acked(r *request) {
	u := d.unacked
	if u == nil || r.cseq != u.cseq {
		return
	}
	d.unacked = nil
	switch {
	case u.offered && r.sdp == nil:
		d.finish(End{By: ByLocal, Cause: CauseNoAnswer}, true)
		return
	case u.initial:
		if !d.establish(r.sdp) {
			d.finish(End{By: ByLocal, Cause: CauseAbandoned}, true)
			return
		}
	case u.offered:
		if err := d.remoteAnswer(r.sdp); err != nil {
			d.endpoint.logger.Debug("answer in the ACK not usable", "call_id", r.callID, "error", err)
			d.finish(End{By: ByLocal, Cause: CauseNoAnswer}, true)
			return
		}
	}
	d.offers.release()
	d.resume()
}

// resume handles what waited for the ACK, until something waits again.
func (d *Dialog) resume() {
	for len(d.deferred) > 0 && d.unacked == nil {
		ev := d.deferred[0]
		d.deferred = d.deferred[1:]
		d.dispatch(ev)
	}
}

// negotiate gets our side of a request's offer, or our offer where it has none.
func (d *Dialog) negotiate(t *serverTx) (sdp []byte, err error) {
	err = errPanicked
	defer d.endpoint.recovered("dialog handler")
	if t.sdp != nil {
		return d.handler.Offer(t.sdp)
	}
	return d.handler.LocalOffer()
}

func (d *Dialog) remoteAnswer(sdp []byte) (err error) {
	err = errPanicked
	defer d.endpoint.recovered("dialog handler")
	return d.handler.RemoteAnswer(sdp)
}

// onReinvite: RFC 3261 section 14.2. A CANCEL of a re-INVITE changes nothing: it is
// answered within a moment.
func (d *Dialog) onReinvite(t *serverTx) {
	if bad := checkSessionInterval(t.message, d.endpoint.config.MinSE); bad != nil {
		t.reject(bad.status, "", bad.extra...)
		return
	}
	if !d.offers.tryPeer() {
		t.reject(491, "")
		return
	}
	sdp, err := d.negotiate(t)
	if err != nil {
		d.offers.release()
		d.refuseOffer(t, err)
		return
	}
	res := d.success(t, sdp)
	d.awaitACK(t.request, res, t.sdp == nil, false)
	if err := t.respond(res); err != nil {
		d.endpoint.logger.Debug("200 of re-INVITE not sent", "call_id", t.callID, "error", err)
	}
}

// onUpdate: RFC 3311. Without an offer it refreshes target and session only.
func (d *Dialog) onUpdate(t *serverTx) {
	if bad := checkSessionInterval(t.message, d.endpoint.config.MinSE); bad != nil {
		t.reject(bad.status, "", bad.extra...)
		return
	}
	if t.sdp == nil {
		_ = t.respond(d.success(t, nil))
		return
	}
	if !d.offers.tryPeer() {
		t.reject(491, "")
		return
	}
	defer d.offers.release()
	sdp, err := d.negotiate(t)
	if err != nil {
		d.refuseOffer(t, err)
		return
	}
	_ = t.respond(d.success(t, sdp))
}

func (d *Dialog) refuseOffer(t *serverTx, err error) {
	d.endpoint.logger.Debug("offer refused", "call_id", t.callID, "error", err)
	status := 488
	var chosen *StatusError
	switch {
	case errors.As(err, &chosen) && chosen.Status >= 300 && chosen.Status < 700:
		status = chosen.Status
	case errors.Is(err, errPanicked):
		status = 500
	}
	t.reject(status, "")
}

// success is the 2xx to a re-INVITE or UPDATE: with it, target and session are
// refreshed.
func (d *Dialog) success(t *serverTx, sdp []byte) *sip.Response {
	e := d.endpoint
	d.mu.Lock()
	defer d.mu.Unlock()
	d.setTarget(t.contact)
	timer, headers := answerSessionTimer(t.message, e.config, e.config.Clock.Now())
	d.timer = timer
	if t.has("allow") {
		d.state.PeerUpdates = t.hasToken("allow", "UPDATE")
	}
	if sdp != nil {
		d.localSDP = sdp
	}
	headers = append([]Header{{"Contact", d.state.LocalContact}, allowHeader, supportedHeader}, headers...)
	res := e.response(t.message, 200, "", "", headers...)
	setSDP(res, sdp)
	return res
}
