package signaling

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

const (
	// maxGlare is how often a request that met the peer's own is tried again.
	maxGlare = 8
	// refreshTime bounds one session refresh.
	refreshTime = 32 * time.Second
)

// outgoing begins a request in the dialog (RFC 3261 section 12.2.1.1) with the
// next CSeq, or with the one given.
func (d *Dialog) outgoing(ctx context.Context, method string, cseq uint32) (*outgoing, error) {
	h, err := d.nextHop()
	if err != nil {
		return nil, err
	}
	peers, err := h.resolve(ctx)
	if err != nil {
		return nil, err
	}
	if len(peers) == 0 {
		return nil, errNoRoute
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if cseq == 0 {
		d.state.LocalCSeq++
		cseq = d.state.LocalCSeq
	}
	o := &outgoing{
		method: method, callID: d.state.CallID, cseq: cseq,
		from: d.state.LocalURI + ";tag=" + d.state.LocalTag, to: d.state.RemoteURI,
		near: d.flow, network: h.network, peer: peers[0],
	}
	if d.state.RemoteTag != "" {
		o.to += ";tag=" + d.state.RemoteTag
	}
	o.uri, o.routes = route(d.target, d.state.RemoteTarget, d.state.RouteSet)
	if method != "BYE" && method != "ACK" {
		o.contact = d.state.LocalContact
	}
	for _, a := range d.auth {
		o.headers = append(o.headers, a)
	}
	// A peer that called by TCP may be behind a NAT: only its own connection
	// reaches it.
	if len(d.state.RouteSet) == 0 && d.flow.network() == "TCP" {
		o.fixed = d.flow
	}
	if len(d.state.RouteSet) == 0 && h.network == "UDP" && behindNAT(o.peer.Addr(), d.flow.remote().Addr()) {
		o.peer = d.flow.remote()
	}
	return o, nil
}

// behindNAT: a private address that a public one sent to us leads nowhere.
func behindNAT(target, source netip.Addr) bool {
	hidden := target.IsPrivate() || target.IsUnspecified() || target.IsLinkLocalUnicast()
	return hidden && target != source && !source.IsPrivate() && !source.IsLoopback()
}

// nextHop is where the first route leads, or else the remote target.
func (d *Dialog) nextHop() (hop, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.state.RouteSet) == 0 {
		return hopOf(&d.target)
	}
	first, err := parseAddress(d.state.RouteSet[0])
	if err != nil {
		return hop{}, fmt.Errorf("read the route set: %w", err)
	}
	return hopOf(&first.uri)
}

// route is the Request-URI and the Route values for a route set. A first route
// without lr is a strict router, which wants itself in the Request-URI and the
// target last (RFC 3261 section 12.2.1.1).
func route(target sip.Uri, targetText string, routes []string) (sip.Uri, []string) {
	if len(routes) == 0 {
		return target, nil
	}
	first, err := parseAddress(routes[0])
	loose := slices.ContainsFunc(first.uri.UriParams, func(p sip.HeaderKV) bool { return strings.EqualFold(p.K, "lr") })
	if err != nil || loose {
		return target, routes
	}
	return first.uri, append(slices.Clone(routes[1:]), "<"+targetText+">")
}

// exchange sends a request that is no INVITE and waits for its final response.
// Once it answers a challenge.
func (d *Dialog) exchange(ctx context.Context, method string, headers []Header, sdp []byte) (*message, error) {
	for challenged := false; ; challenged = true {
		o, err := d.outgoing(ctx, method, 0)
		if err != nil {
			return nil, err
		}
		o.headers, o.sdp = append(o.headers, headers...), sdp
		req, f, err := o.prepare(ctx, d.endpoint)
		if err != nil {
			return nil, err
		}
		res, err := d.endpoint.exchange(ctx, req, f)
		if err != nil || challenged || !d.authorize(req, res) {
			return res, err
		}
	}
}

// authorize prepares the answer to a challenge; false if there is none.
func (d *Dialog) authorize(req *sip.Request, res *message) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.credentials == nil || res.status != 401 && res.status != 407 {
		return false
	}
	h, err := answerChallenge(res, *d.credentials, string(req.Method), req.Recipient.String())
	if err != nil {
		return false
	}
	if d.auth == nil {
		d.auth = map[string]Header{}
	}
	d.auth[h.Name] = h
	return true
}

// Reinvite offers a new session description and returns the peer's answer: Negotiate,
// for who has nothing else that changes what is offered.
func (d *Dialog) Reinvite(ctx context.Context, offer []byte) (answer []byte, err error) {
	err = d.Negotiate(ctx, func() ([]byte, error) { return offer, nil }, func(a []byte) error {
		answer = a
		return nil
	})
	return answer, err
}

// glareDelay: who owns the Call-ID waits longer (RFC 3261 section 14.1).
func (d *Dialog) glareDelay() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.state.Initiator {
		return 2100*time.Millisecond + time.Duration(rand.IntN(191))*10*time.Millisecond
	}
	return time.Duration(1+rand.IntN(200)) * 10 * time.Millisecond
}

func (d *Dialog) endedError() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return &EndedError{d.end}
}

// reinviteOnce has an offer made, sends it, and has the answer read, while no other
// offer is under way.
func (d *Dialog) reinviteOnce(ctx context.Context, offer func() ([]byte, error), answered func([]byte) error) error {
	if err := d.offers.acquire(ctx, d.over); err != nil {
		if errors.Is(err, errDialogOver) {
			err = d.endedError()
		}
		return err
	}
	defer d.offers.release()
	sdp, err := offer()
	if err != nil {
		return err
	}
	for challenged := false; ; challenged = true {
		res, req, err := d.sendReinvite(ctx, sdp)
		if err != nil {
			return err
		}
		switch {
		case res.status < 300:
			answer, err := d.reinvited(res, req, sdp)
			if err != nil {
				return err
			}
			return answered(answer)
		case !challenged && d.authorize(req, res):
			continue
		case res.status == 481 || res.status == 408:
			d.finish(End{By: ByPeer, Cause: CauseGone, Status: res.status}, true)
		case res.status == 487 && ctx.Err() != nil:
			return context.Cause(ctx)
		}
		return statusError(res)
	}
}

func (d *Dialog) sendReinvite(ctx context.Context, offer []byte) (*message, *sip.Request, error) {
	o, err := d.outgoing(ctx, "INVITE", 0)
	if err != nil {
		return nil, nil, err
	}
	d.mu.Lock()
	timer := askSessionTimer(d.endpoint.config, d.timer, d.endpoint.config.MinSE)
	d.mu.Unlock()
	o.headers = append(append(o.headers, allowHeader, supportedHeader), timer...)
	o.sdp = offer
	req, f, err := o.prepare(ctx, d.endpoint)
	if err != nil {
		return nil, nil, err
	}
	res, err := d.endpoint.invite(ctx, req, f, inviteHooks{again: func(m *message) { d.acknowledgeAgain(m) }, over: d.over})
	if errors.Is(err, errDialogOver) {
		err = d.endedError()
	}
	if errors.Is(err, ErrTimeout) || errors.Is(err, ErrTransport) {
		d.lost(err)
	}
	return res, req, err
}

// lost ends the dialog after a request that reached nobody.
func (d *Dialog) lost(err error) {
	end := End{By: ByLocal, Cause: CauseGone, Status: 408}
	if errors.Is(err, ErrTransport) {
		end = End{By: ByLocal, Cause: CauseTransport}
	}
	d.finish(end, true)
}

// reinvited takes the 2xx to our re-INVITE.
func (d *Dialog) reinvited(res *message, req *sip.Request, offer []byte) ([]byte, error) {
	d.refreshed(res)
	answer, _ := sessionDescription(res)
	if err := d.acknowledge(req.CSeq().SeqNo, nil); err != nil {
		return nil, err
	}
	d.mu.Lock()
	d.localSDP = offer
	d.mu.Unlock()
	if len(answer) == 0 {
		return nil, errors.New("the 2xx to our offer has no answer")
	}
	return answer, nil
}

// refreshed takes target and session interval from a 2xx.
func (d *Dialog) refreshed(res *message) {
	d.mu.Lock()
	if contacts := res.list("contact"); len(contacts) > 0 {
		if a, err := parseAddress(contacts[0]); err == nil {
			d.setTarget(&a)
		}
	}
	if res.has("allow") {
		d.state.PeerUpdates = res.hasToken("allow", "UPDATE")
	}
	d.timer = d.timer.renewed(res, d.endpoint.config.Clock.Now())
	d.mu.Unlock()
	d.wake() // the times have changed
}

// acknowledge sends the ACK of a 2xx and keeps it for further copies of the 2xx.
func (d *Dialog) acknowledge(cseq uint32, sdp []byte) error {
	ctx, cancel := context.WithTimeout(context.Background(), d.endpoint.config.Limits.MessageTimeout)
	defer cancel()
	o, err := d.outgoing(ctx, "ACK", cseq)
	if err != nil {
		return err
	}
	o.sdp = sdp
	req, f, err := o.prepare(ctx, d.endpoint)
	if err != nil {
		return err
	}
	ack := sentACK{cseq: cseq, bytes: encode(req), flow: f}
	d.mu.Lock()
	d.lastACK = ack
	d.mu.Unlock()
	return f.send(ack.bytes)
}

// acknowledgeAgain answers a copy of a 2xx: our ACK was lost.
func (d *Dialog) acknowledgeAgain(res *message) {
	d.mu.Lock()
	ack := d.lastACK
	d.mu.Unlock()
	number, _, _ := strings.Cut(res.get("cseq"), " ")
	if ack.bytes != nil && number == fmt.Sprint(ack.cseq) {
		_ = ack.flow.send(ack.bytes)
	}
}

// refresh keeps the session alive (RFC 4028 section 7.4): by UPDATE if the peer
// takes it, else by re-INVITE with the description that is in force. When it fails
// the session runs out and is ended then, unless the peer knows of no dialog.
func (d *Dialog) refresh() {
	ctx, cancel := context.WithTimeout(d.endpoint.calls, refreshTime)
	defer cancel()
	d.mu.Lock()
	update, timer := d.state.PeerUpdates, d.timer
	d.mu.Unlock()
	if !update {
		d.refreshFailed(d.Negotiate(ctx, d.inForce, func(answer []byte) error {
			return d.enqueue(event{call: func() {
				if err := d.remoteAnswer(answer); err != nil {
					d.finish(End{By: ByLocal, Cause: CauseNoAnswer}, true)
				}
			}})
		}))
		return
	}
	headers := append([]Header{supportedHeader, allowHeader}, askSessionTimer(d.endpoint.config, timer, d.endpoint.config.MinSE)...)
	res, err := d.exchange(ctx, "UPDATE", headers, nil)
	switch {
	case err != nil:
		d.refreshFailed(err)
	case res.status < 300:
		d.refreshed(res)
	case res.status == 481 || res.status == 408:
		d.finish(End{By: ByPeer, Cause: CauseGone, Status: res.status}, true)
	default:
		d.refreshFailed(statusError(res))
	}
}

func (d *Dialog) refreshFailed(err error) {
	if err != nil {
		d.endpoint.logger.Debug("session not refreshed", "call_id", d.CallID(), "error", err)
	}
}
