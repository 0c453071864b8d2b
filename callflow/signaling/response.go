package signaling

import (
	"hash/maphash"
	"strconv"

	"github.com/emiago/sipgo/sip"
)

// response answers a message that may lack anything but a Via. Header fields are
// repeated as they came; sipgo's NewResponseFromRequest would write them anew.
func (e *Endpoint) response(m *message, status int, reason, toTag string, extra ...Header) *sip.Response {
	if reason == "" {
		reason = reasonPhrase(status)
	}
	res := sip.NewResponse(status, clean(reason))
	for i, value := range m.list("via") {
		if v, err := parseVia(value); i == 0 && err == nil {
			value = annotate(value, v, m.flow.remote())
		}
		res.AppendHeader(sip.NewHeader("Via", value))
	}
	add := func(name, value string) {
		if value != "" {
			res.AppendHeader(sip.NewHeader(name, value))
		}
	}
	add("From", m.get("from"))
	to := m.get("to")
	if a, err := parseAddress(to); err == nil && a.param("tag") == "" && toTag != "" {
		to += ";tag=" + toTag
	}
	add("To", to)
	add("Call-ID", m.get("call-id"))
	add("CSeq", m.get("cseq"))
	if status == 100 {
		add("Timestamp", m.get("timestamp"))
	}
	if m.method == "INVITE" && status > 100 && status < 300 {
		for _, r := range m.all("record-route") {
			add("Record-Route", r)
		}
	}
	add("Server", e.config.UserAgent)
	for _, h := range extra {
		add(h.Name, clean(h.Value))
	}
	res.SetBody(nil)
	return res
}

// setSDP puts a session description into a message.
func setSDP(m interface {
	AppendHeader(sip.Header)
	SetBody([]byte)
}, sdp []byte) {
	if len(sdp) == 0 {
		return
	}
	m.AppendHeader(sip.NewHeader("Content-Type", sdpType))
	m.SetBody(sdp)
}

// statelessTag is the same for each copy of a request (RFC 3261 section 8.2.7).
func (e *Endpoint) statelessTag(m *message) string {
	var h maphash.Hash
	h.SetSeed(e.seed)
	for _, key := range []string{"via", "from", "call-id", "cseq"} {
		h.WriteString(m.get(key))
		h.WriteByte(0)
	}
	return strconv.FormatUint(h.Sum64(), 36)
}

// refuse answers without a transaction. An ACK is never answered, nor a message
// without a Via that can be read.
func (e *Endpoint) refuse(m *message, bad *refusal) {
	e.stats.dropped("refused")
	vias := m.list("via")
	if m.method == "ACK" || len(vias) == 0 {
		return
	}
	res := e.response(m, bad.status, bad.reason, e.statelessTag(m), bad.extra...)
	e.stats.answered(m.method, bad.status)
	if err := m.flow.WriteMsg(res); err != nil {
		e.logger.Debug("refusal not sent", "status", bad.status, "to", m.flow.remote(), "error", err)
	}
}
