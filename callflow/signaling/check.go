package signaling

import (
	"slices"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// What we take, as it stands in Allow, Accept and Supported.
const (
	allowed    = "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE"
	accepted   = "application/sdp, multipart/mixed"
	supported  = "timer"
	maxURI     = 2048 // bytes
	maxCSeq    = 1<<31 - 1
	sdpType    = "application/sdp"
	multiMixed = "multipart/mixed"
)

var (
	allowHeader     = Header{"Allow", allowed}
	acceptHeader    = Header{"Accept", accepted}
	supportedHeader = Header{"Supported", supported}

	handled = []string{"INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "INFO", "UPDATE"}
	// known methods that we do not take get 405, others 501 (RFC 3261 sections 21.4.6, 21.5.2).
	known = []string{"REGISTER", "PRACK", "SUBSCRIBE", "NOTIFY", "REFER", "MESSAGE", "PUBLISH"}
)

// request is a message that has passed the checks.
type request struct {
	*message
	target   sip.Uri
	via      via
	from, to address
	callID   string
	cseq     uint32
	contact  *address // of INVITE and UPDATE; nil: none
	routes   []string // Record-Route, as it came
	sdp      []byte   // of INVITE, UPDATE and ACK; nil: none
}

func (r *request) inDialog() bool { return r.to.param("tag") != "" }

// check is pure: it finds what is wrong with a request, in the order of RFC 3261
// section 8.2. The request is usable only without a refusal.
func check(m *message) (*request, *refusal) {
	r := &request{message: m}
	for _, step := range []func(*request) *refusal{
		checkVersion, checkSingles, checkMandatory, checkNumbers, checkLength, checkMethod,
		checkTarget, checkExtensions, checkContact, checkBody, checkAccept,
	} {
		if bad := step(r); bad != nil {
			return r, bad
		}
	}
	return r, nil
}

func checkVersion(r *request) *refusal {
	if !strings.EqualFold(r.version, "SIP/2.0") {
		return &refusal{status: 505}
	}
	return nil
}

// checkSingles: fields that may stand once (RFC 4475 section 3.3.8).
func checkSingles(r *request) *refusal {
	for _, key := range []string{"from", "to", "call-id", "cseq", "max-forwards", "content-length", "content-type"} {
		if len(r.all(key)) > 1 {
			return badRequest("Multiple " + key + " Values")
		}
	}
	return nil
}

func checkMandatory(r *request) *refusal {
	for _, key := range []string{"via", "from", "to", "call-id", "cseq"} {
		if r.get(key) == "" {
			return badRequest("Missing " + key)
		}
	}
	var err error
	for _, v := range r.all("via") {
		if slices.Contains(split(v, ','), "") {
			return badRequest("Malformed Via") // an empty list element
		}
	}
	if r.via, err = parseVia(r.list("via")[0]); err != nil {
		return badRequest("Malformed Via")
	}
	if r.from, err = parseAddress(r.get("from")); err != nil {
		return badRequest("Malformed From")
	}
	if r.to, err = parseAddress(r.get("to")); err != nil {
		return badRequest("Malformed To")
	}
	r.callID = r.get("call-id")
	return nil
}

func checkNumbers(r *request) *refusal {
	words := strings.Fields(r.get("cseq"))
	if len(words) != 2 || words[1] != r.method {
		return badRequest("CSeq Does Not Match The Request")
	}
	n, err := strconv.ParseUint(words[0], 10, 32)
	if err != nil || n > maxCSeq {
		return badRequest("Malformed CSeq")
	}
	r.cseq = uint32(n)
	if hops := r.get("max-forwards"); hops != "" {
		if _, err := strconv.ParseUint(hops, 10, 8); err != nil {
			return badRequest("Malformed Max-Forwards")
		}
	}
	return nil
}

// checkLength cuts what follows the body in a datagram (RFC 3261 section 18.3).
func checkLength(r *request) *refusal {
	length := r.get("content-length")
	if length == "" {
		return nil
	}
	n, err := strconv.ParseUint(length, 10, 32)
	if err != nil {
		return badRequest("Malformed Content-Length")
	}
	if n > uint64(len(r.body)) {
		return badRequest("Body Shorter Than Content-Length")
	}
	r.body = r.body[:n]
	return nil
}

func checkMethod(r *request) *refusal {
	switch {
	case slices.Contains(handled, r.method):
		return nil
	case slices.Contains(known, r.method):
		return &refusal{status: 405, extra: []Header{allowHeader}}
	}
	return &refusal{status: 501, extra: []Header{allowHeader}}
}

func checkTarget(r *request) *refusal {
	if len(r.uri) > maxURI {
		return &refusal{status: 414}
	}
	scheme, _, ok := strings.Cut(r.uri, ":")
	if !ok || !isToken(scheme) {
		return badRequest("Malformed Request-URI")
	}
	switch strings.ToLower(scheme) {
	case "sip", "tel":
	default: // sips needs TLS, which we do not offer
		return &refusal{status: 416}
	}
	if strings.ContainsAny(r.uri, "<>\"") || parseURI(r.uri, &r.target) != nil {
		return badRequest("Malformed Request-URI")
	}
	if len(r.target.Headers) > 0 {
		return badRequest("Header Fields In The Request-URI") // RFC 3261 section 19.1.1
	}
	return nil
}

// checkExtensions: RFC 3261 section 8.2.2.3. It spares ACK and CANCEL.
func checkExtensions(r *request) *refusal {
	if r.method == "ACK" || r.method == "CANCEL" {
		return nil
	}
	var unknown []string
	for _, tag := range r.list("require") {
		if !strings.EqualFold(tag, supported) {
			unknown = append(unknown, tag)
		}
	}
	if unknown != nil {
		return &refusal{status: 420, extra: []Header{{"Unsupported", strings.Join(unknown, ", ")}}}
	}
	return nil
}

// checkContact: an INVITE of RFC 2543 may lack a Contact; then requests go back
// where it came from.
func checkContact(r *request) *refusal {
	if r.method != "INVITE" && r.method != "UPDATE" {
		return nil
	}
	if contacts := r.list("contact"); len(contacts) > 0 {
		c, err := parseAddress(contacts[0])
		if err != nil || len(contacts) > 1 || c.uri.Scheme != "sip" && c.uri.Scheme != "sips" {
			return badRequest("Malformed Contact")
		}
		r.contact = &c
	}
	routes, err := readRoutes(r.message)
	if err != nil {
		return badRequest("Malformed Record-Route")
	}
	r.routes = routes
	return nil
}

// readRoutes are the Record-Route values in order.
func readRoutes(m *message) ([]string, error) {
	routes := m.list("record-route")
	for _, v := range routes {
		if _, err := parseAddress(v); err != nil {
			return nil, err
		}
	}
	return routes, nil
}

func checkBody(r *request) *refusal {
	if r.method != "INVITE" && r.method != "UPDATE" && r.method != "ACK" || len(r.body) == 0 {
		return nil
	}
	sdp, ok := sessionDescription(r.message)
	if !ok {
		if e := r.get("content-encoding"); e != "" && !strings.EqualFold(e, "identity") {
			return &refusal{status: 415, extra: []Header{{"Accept-Encoding", "identity"}, acceptHeader}}
		}
		return &refusal{status: 415, extra: []Header{acceptHeader}}
	}
	r.sdp = sdp
	return nil
}

// checkAccept: an INVITE whose sender cannot read SDP (RFC 3261 section 21.4.7).
func checkAccept(r *request) *refusal {
	if r.method != "INVITE" || !r.has("accept") {
		return nil
	}
	for _, a := range r.list("accept") {
		kind, _, _ := strings.Cut(a, ";")
		switch strings.ToLower(strings.TrimSpace(kind)) {
		case sdpType, "application/*", "*/*":
			return nil
		}
	}
	return &refusal{status: 406}
}
