package signaling

import (
	"fmt"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// allow are the methods that we understand.
const allow = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE"

// known are the methods that exist; others are 501 (RFC 3261 section 21.5.2).
const known = allow + ", REGISTER, MESSAGE, SUBSCRIBE, NOTIFY, REFER, PRACK, PUBLISH"

// maxCSeq is one more than the largest sequence number (section 8.1.1.5).
const maxCSeq = 1 << 31

// refusal is an error response.
type refusal struct {
	status  int
	reason  string
	headers []sip.Header
}

func (r refusal) response(req *sip.Request) *sip.Response {
	res := sip.NewResponseFromRequest(req, r.status, r.reason, nil)
	res.SipVersion = "SIP/2.0" // not what the peer claims
	for _, h := range r.headers {
		res.AppendHeader(h)
	}
	return res
}

func notAllowed() refusal {
	return refusal{status: 405, reason: "Method Not Allowed", headers: []sip.Header{sip.NewHeader("Allow", allow)}}
}

func unavailable() refusal {
	return refusal{status: 503, reason: "Service Unavailable", headers: []sip.Header{sip.NewHeader("Retry-After", "30")}}
}

func bad(why string) *refusal { return &refusal{status: 400, reason: "Bad Request: " + why} }

// check is what a request must be to be handled at all; nil if it may be.
func check(req *sip.Request) *refusal {
	if r := malformed(req); r != nil {
		return r
	}
	if !strings.EqualFold(req.SipVersion, "SIP/2.0") {
		return &refusal{status: 505, reason: "Version Not Supported"}
	}
	if !strings.Contains(", "+known+",", ", "+string(req.Method)+",") {
		return &refusal{status: 501, reason: "Not Implemented", headers: []sip.Header{sip.NewHeader("Allow", allow)}}
	}
	switch strings.ToLower(req.Recipient.Scheme) {
	case "sip", "sips":
	case "tel":
		return nil
	default:
		return &refusal{status: 416, reason: "Unsupported URI Scheme"}
	}
	if req.IsAck() || req.IsCancel() {
		return nil // Require does not apply to them (section 8.2.2.3)
	}
	if r := required(req); r != nil {
		return r
	}
	return content(req)
}

// malformed finds what makes a request unusable: the headers of section 8.1.1.
func malformed(req *sip.Request) *refusal {
	switch {
	case req.Via() == nil:
		return bad("no Via")
	case req.From() == nil || tag(req.From().Params) == "":
		return bad("no From, or no tag in it")
	case req.To() == nil:
		return bad("no To")
	case req.CallID() == nil || req.CallID().Value() == "":
		return bad("no Call-ID")
	case req.CSeq() == nil:
		return bad("no CSeq")
	case req.CSeq().MethodName != req.Method:
		return bad("CSeq names another method")
	case req.CSeq().SeqNo >= maxCSeq:
		return bad("CSeq out of range")
	case req.Recipient.Wildcard:
		return bad("the Request-URI is no URI")
	}
	for _, name := range []string{"From", "To", "Call-ID", "CSeq", "Max-Forwards"} {
		if len(req.GetHeaders(name)) > 1 {
			return bad(fmt.Sprintf("more than one %s", name))
		}
	}
	if m := req.MaxForwards(); m != nil && m.Val() > 255 {
		return bad("Max-Forwards out of range")
	}
	if n := req.ContentLength(); n != nil && int(*n) > len(req.Body()) {
		return bad("the body is shorter than Content-Length")
	}
	if req.Method == sip.INVITE && req.Contact() == nil {
		return bad("no Contact")
	}
	return nil
}

// required refuses extensions that the peer insists on and we do not have.
func required(req *sip.Request) *refusal {
	var missing []string
	for _, h := range req.GetHeaders("Require") {
		for option := range strings.SplitSeq(h.Value(), ",") {
			if option = strings.TrimSpace(option); option != "" && !strings.EqualFold(option, "timer") {
				missing = append(missing, option)
			}
		}
	}
	if missing == nil {
		return nil
	}
	return &refusal{status: 420, reason: "Bad Extension", headers: []sip.Header{sip.NewHeader("Unsupported", strings.Join(missing, ", "))}}
}

// content refuses bodies that we would have to understand and do not.
func content(req *sip.Request) *refusal {
	if len(req.Body()) == 0 || (req.Method != sip.INVITE && req.Method != sip.UPDATE) {
		return nil
	}
	kind := ""
	if h := req.ContentType(); h != nil {
		kind, _, _ = strings.Cut(strings.ToLower(strings.TrimSpace(h.Value())), ";")
	}
	encoded := req.GetHeader("Content-Encoding")
	plain := encoded == nil || strings.EqualFold(strings.TrimSpace(encoded.Value()), "identity")
	if strings.TrimSpace(kind) == "application/sdp" && plain {
		return nil
	}
	if h := req.GetHeader("Content-Disposition"); h != nil && strings.Contains(strings.ToLower(h.Value()), "handling=optional") {
		return nil
	}
	return &refusal{status: 415, reason: "Unsupported Media Type", headers: []sip.Header{
		sip.NewHeader("Accept", "application/sdp"), sip.NewHeader("Accept-Encoding", "identity")}}
}

// offer is the session description of a request; nil if it has none.
func offer(req *sip.Request) []byte {
	if h := req.ContentType(); h == nil || !strings.HasPrefix(strings.ToLower(h.Value()), "application/sdp") {
		return nil
	}
	if len(req.Body()) == 0 {
		return nil
	}
	return req.Body()
}
