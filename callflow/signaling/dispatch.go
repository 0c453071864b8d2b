package signaling

import (
	"errors"
	"time"

	"github.com/emiago/sipgo/sip"
)

// receiveUDP takes a datagram. Strangers are counted before anything is read.
func (e *Endpoint) receiveUDP(raw []byte, f flow) {
	if !e.limiter.allow(f.remote().Addr(), e.config.Clock.Now()) {
		e.stats.dropped("rate")
		return
	}
	e.receive(raw, f)
}

// receive sorts one message. It runs on the goroutine of the socket, in order of
// arrival, and never waits.
func (e *Endpoint) receive(raw []byte, f flow) {
	defer e.recovered("message")
	if isKeepAlive(raw) {
		e.stats.dropped("keepalive")
		return
	}
	m, bad := scan(raw)
	if m == nil {
		e.stats.dropped("not_sip")
		return
	}
	m.flow = f
	if !m.isRequest() {
		if bad != nil {
			e.stats.dropped("not_sip")
			return
		}
		e.onResponse(m)
		return
	}
	if bad != nil {
		e.refuse(m, bad)
		return
	}
	r, bad := check(m)
	if bad != nil {
		e.refuse(m, bad)
		return
	}
	e.onRequest(r)
}

// isKeepAlive: line breaks, or the zeros that some phones send.
func isKeepAlive(raw []byte) bool {
	for _, b := range raw {
		if b != '\r' && b != '\n' && b != 0 {
			return false
		}
	}
	return true
}

func (e *Endpoint) onResponse(m *message) {
	vias := m.list("via")
	res := m.sipResponse()
	// More than one Via: it was not meant for us (RFC 3261 section 8.1.3.3).
	if len(vias) == 1 {
		if key, err := sip.ClientTxKeyMake(res); err == nil {
			if t := e.clients.find(key); t != nil {
				t.receive(res)
				return
			}
		}
	}
	e.stats.dropped("stray_response")
}

func (e *Endpoint) onRequest(r *request) {
	if r.method == "ACK" {
		e.onACK(r)
		return
	}
	key := serverKey(r, r.method)
	if t := e.servers.find(key); t != nil {
		_ = t.Receive(t.Origin()) // a copy: the state machine sends its last response again
		return
	}
	t, bad := e.addServerTx(r, key)
	if bad != nil {
		e.refuse(r.message, bad)
		return
	}
	switch {
	case r.method == "CANCEL":
		e.onCancel(t)
	case r.inDialog():
		e.onInDialog(t)
	case r.method == "INVITE":
		e.onInvite(t)
	case r.method == "OPTIONS":
		e.onOptions(t)
	default: // BYE, INFO and UPDATE belong to dialogs
		t.reject(481, "")
	}
}

// onACK: of a refusal it belongs to the transaction, of a 2xx to the dialog.
func (e *Endpoint) onACK(r *request) {
	if t := e.servers.find(serverKey(r, "INVITE")); t != nil && t.answered() >= 300 {
		e.absorbACK(t)
		return
	}
	d := e.dialogs.find(r.callID, r.to.param("tag"))
	if d == nil {
		e.stats.dropped("stray_ack")
		return
	}
	if err := d.enqueue(event{request: r}); err != nil {
		e.stats.dropped("queue_full")
	}
}

func (e *Endpoint) onCancel(t *serverTx) {
	invite := e.servers.find(serverKey(t.request, "INVITE"))
	if invite == nil {
		t.reject(481, "")
		return
	}
	invite.mu.Lock()
	in, tag := invite.invite, invite.tag
	invite.mu.Unlock()
	t.reject(200, tag) // the tag of the INVITE's responses, RFC 3261 section 9.2
	if in != nil {
		in.cancelled(t.get("reason"))
	}
}

func (e *Endpoint) onInDialog(t *serverTx) {
	d := e.dialogs.find(t.callID, t.to.param("tag"))
	if d == nil {
		t.reject(481, "")
		return
	}
	if t.method == "INVITE" {
		// At once: it stops the peer's retransmissions, and sipgo's own 100, which
		// would repeat only some header fields.
		_ = t.respond(e.response(t.message, 100, "", ""))
	}
	switch err := d.enqueue(event{request: t.request, tx: t}); {
	case errors.Is(err, errQueueFull):
		e.stats.dropped("queue_full")
		t.reject(500, "", retryAfter(time.Second))
	case err != nil:
		t.reject(481, "")
	}
}

func (e *Endpoint) onOptions(t *serverTx) {
	if e.draining.Load() {
		t.reject(503, "", retryAfter(drainPause))
		return
	}
	t.reject(200, "", e.capabilities()...)
}

// capabilities are what OPTIONS asks for (RFC 3261 section 11.2).
func (e *Endpoint) capabilities() []Header {
	return []Header{allowHeader, acceptHeader, {"Accept-Encoding", "identity"}, {"Accept-Language", "en"}, supportedHeader}
}

func (e *Endpoint) onInvite(t *serverTx) {
	_ = t.respond(e.response(t.message, 100, "", ""))
	limits := e.config.Limits
	switch {
	case e.draining.Load():
		t.reject(503, "", retryAfter(drainPause))
	case e.pending.Load() >= int64(limits.MaxPending) || e.dialogs.size() >= limits.MaxDialogs:
		t.reject(503, "", retryAfter(overloadPause))
	default:
		in := newInvite(e, t)
		if !e.spawn(in.serve) {
			in.close()
			t.reject(503, "", retryAfter(drainPause))
		}
	}
}
