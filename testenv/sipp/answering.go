package sipp

import (
	"fmt"

	"github.com/conclave-voice/conclave/testenv/pcap"
)

// keepDialog are the actions by which what an INVITE says is kept: for our own
// requests, and for a 487 after the CANCEL has become the last request.
const keepDialog = `<ereg regexp="[^ ].*" search_in="hdr" header="From:" assign_to="remote"/>` +
	`<ereg regexp="[^ ].*" search_in="hdr" header="To:" assign_to="local"/>` +
	`<ereg regexp="[0-9]+" search_in="hdr" header="CSeq:" assign_to="number"/>`

// scenario returns the XML of a called party.
func (a Answerer) scenario(captures map[*pcap.Stream]string) string {
	s := open(a.Codec, a.Patience, captures)
	const tag = ";tag=[pid]called[call_number]"
	s.local, s.remote = "[$local]"+tag, "[$remote]"
	s.line(`<recv request="INVITE" rrs="true"><action>%s</action></recv>`, keepDialog)
	s.line(`<Reference variables="remote,local,number"/>`) // SIPp refuses one that is not used
	answer := func(status, attributes, body string, headers ...string) {
		head := []string{"SIP/2.0 " + status, "[last_Via:]", "[last_Record-Route:]", "From: " + s.remote, "To: " + s.local,
			"[last_Call-ID:]", "CSeq: [$number] INVITE", contact, agent}
		s.message(attributes, sdpType, body, append(head, headers...)...)
	}
	if a.Username != "" {
		good := s.newLabel()
		answer("401 Unauthorized", resend, "", `WWW-Authenticate: Digest realm="testenv", nonce="5a1e03c2f7", qop="auth", algorithm=MD5`)
		s.receive("request", "ACK", "")
		s.line(`<recv request="INVITE" next="%s" test="authorized"><action>%s<verifyauth assign_to="authorized" `+
			`username="%s" password="%s"/></action></recv>`, good, keepDialog, a.Username, a.Password)
		answer("403 Forbidden", resend, "")
		s.receive("request", "ACK", `next="`+labelEnd+`"`)
		s.label(good)
	}
	if a.Ring > 0 {
		up := s.newLabel()
		answer("180 Ringing", "", "")
		s.receive("request", "CANCEL", fmt.Sprintf(`timeout="%d" ontimeout="%s"`, a.Ring.Milliseconds(), up))
		s.response("200 OK", "", "")
		answer("487 Request Terminated", resend, "")
		s.receive("request", "ACK", `next="`+labelEnd+`"`)
		s.label(up)
	}
	if a.Status >= 300 {
		answer(fmt.Sprint(a.Status, " Refused"), resend, "")
		s.receive("request", "ACK", "")
		s.finish()
		return s.String()
	}
	answer("200 OK", resend, s.sdp("sendrecv"))
	s.receive("request", "ACK", "")
	s.steps(a.Steps)
	s.closing(a.End)
	return s.String()
}
