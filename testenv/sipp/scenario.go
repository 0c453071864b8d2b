package sipp

import (
	"fmt"
	"html"
	"strings"
	"time"

	"github.com/conclave-voice/conclave/testenv/pcap"
)

// The labels that all scenarios have. Steps number theirs from firstLabel on.
const (
	labelEnd      = "1" // the call is over
	labelHangUp   = "2" // send BYE
	labelByeCame  = "3" // BYE has come
	labelAnswered = "4" // the INVITE was answered
	labelMade     = "5" // the call is up
	firstLabel    = 10
)

// hangUpRequest is the request by which the test itself tells a call to hang up:
// SIPp has no other way to be told something about a call that is under way.
const hangUpRequest = "MESSAGE"

// scenario is an XML scenario being written. The dialog's own CSeq numbers and
// labels are known while writing, so the scenario has no variables for them.
type scenario struct {
	strings.Builder
	local, remote string // the From and To of our requests in the dialog
	codec         pcap.Codec
	noEvents      bool
	refusal       int // status of the answers to re-INVITEs; 0: 200
	patience      time.Duration
	sequence      int // CSeq of our last request
	version       int // of our last SDP
	labels        int
	captures      map[*pcap.Stream]string // where the streams' files are
}

// open returns a scenario with its head.
func open(codec pcap.Codec, patience time.Duration, captures map[*pcap.Stream]string) *scenario {
	s := &scenario{codec: codec, patience: patience, labels: firstLabel, captures: captures}
	s.line(`<?xml version="1.0" encoding="UTF-8"?>`)
	s.line(`<scenario name="conclave">`)
	return s
}

func (s *scenario) line(format string, a ...any) {
	fmt.Fprintf(s, format+"\n", a...)
}

func (s *scenario) newLabel() string {
	s.labels++
	return fmt.Sprint(s.labels)
}

func (s *scenario) label(id string) { s.line(`<label id="%s"/>`, id) }

// jump goes to a label. SIPp obeys "next" only of a message or a nop.
func (s *scenario) jump(label string) { s.line(`<nop next="%s"/>`, label) }

// receive waits for a message. kind is request or response; attributes are
// further ones of the element.
func (s *scenario) receive(kind, value, attributes string) {
	s.line(`<recv %s="%s" %s/>`, kind, value, attributes)
}

// message sends one. The body may be empty.
func (s *scenario) message(attributes, contentType, body string, head ...string) {
	s.line(`<send %s><![CDATA[`, attributes)
	for _, h := range head {
		s.line("%s", h)
	}
	if body == "" {
		s.line("Content-Length: 0\n\n]]></send>")
		return
	}
	s.line("Content-Type: %s\nContent-Length: [len]\n\n%s\n]]></send>", contentType, body)
}

const (
	contact     = "Contact: <sip:conclave-test@[local_ip]:[local_port];transport=[transport]>"
	maxForwards = "Max-Forwards: 70"
	agent       = "User-Agent: conclave-testenv"
	sdpType     = "application/sdp"
	// A request that is not answered is sent again (RFC 3261 timer E).
	resend = `retrans="500"`
)

// viaOf is the Via of a request. The branch names the transaction by its method
// and number, so that a CANCEL and an ACK can have that of their INVITE.
func viaOf(sequence int, method string) string {
	return fmt.Sprintf("Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=z9hG4bK-[pid]-[call_number]-%s-%d", method, sequence)
}

// request sends a request inside the dialog. An ACK has the number of the INVITE
// before it.
func (s *scenario) request(method, attributes, contentType, body string, headers ...string) {
	if method != "ACK" {
		s.sequence++
	}
	head := []string{method + " [next_url] SIP/2.0", viaOf(s.sequence, method), "[routes]", "From: " + s.local, "To: " + s.remote,
		"Call-ID: [call_id]", fmt.Sprintf("CSeq: %d %s", s.sequence, method), contact, maxForwards, agent}
	s.message(attributes, contentType, body, append(head, headers...)...)
}

// response answers the request just received.
func (s *scenario) response(status, attributes, body string) {
	s.message(attributes, sdpType, body, "SIP/2.0 "+status, "[last_Via:]", "[last_Record-Route:]",
		"[last_From:]", "[last_To:]", "[last_Call-ID:]", "[last_CSeq:]", contact, agent)
}

// sdp returns a session description with the codec, and telephone events if they
// are wanted, only, so that what is played is what was agreed.
func (s *scenario) sdp(d direction) string {
	s.version++
	encoding := map[pcap.Codec]string{pcap.PCMU: "PCMU", pcap.PCMA: "PCMA"}[s.codec]
	formats := []string{fmt.Sprint(s.codec)}
	attributes := []string{fmt.Sprintf("a=rtpmap:%d %s/8000", s.codec, encoding)}
	if !s.noEvents {
		formats = append(formats, fmt.Sprint(pcap.EventType))
		attributes = append(attributes, fmt.Sprintf("a=rtpmap:%d telephone-event/8000", pcap.EventType),
			fmt.Sprintf("a=fmtp:%d 0-15", pcap.EventType))
	}
	return strings.Join(append([]string{
		"v=0",
		fmt.Sprintf("o=conclave-test 1 %d IN IP[media_ip_type] [media_ip]", s.version),
		"s=-",
		"c=IN IP[media_ip_type] [media_ip]",
		"t=0 0",
		"m=audio [media_port] RTP/AVP " + strings.Join(formats, " "),
		"a=ptime:20",
		"a=" + string(d),
	}, attributes...), "\n")
}

// during lets a time pass. What the other side asks meanwhile is answered; its BYE
// ends the call. The
// time-out is at the first message, where SIPp stands, and at the last, which it
// looks at after an optional one that led nowhere.
func (s *scenario) during(d time.Duration) {
	again, reinvited, over := s.newLabel(), s.newLabel(), s.newLabel()
	s.label(again)
	timeout := fmt.Sprintf(`timeout="%d" ontimeout="%s"`, max(1, d.Milliseconds()), over)
	s.receive("request", "INVITE", `optional="true" next="`+reinvited+`" `+timeout)
	s.receive("request", hangUpRequest, `optional="true" next="`+labelHangUp+`"`)
	s.receive("request", "BYE", `next="`+labelByeCame+`" `+timeout)
	s.label(reinvited)
	if s.refusal != 0 {
		s.response(fmt.Sprint(s.refusal, " Refused"), resend, "")
	} else {
		s.response("200 OK", resend, s.sdp("sendrecv"))
	}
	s.receive("request", "ACK", `next="`+again+`"`)
	s.label(over)
}

// breath is a short wait behind a send. SIPp goes on with the next command only
// after it has looked at its sockets, and what comes in while it stands at a
// command that is no receive is unexpected.
const breath = time.Millisecond

// steps writes what a party does in the call. It begins behind an ACK.
func (s *scenario) steps(steps []Step) {
	s.during(breath)
	for _, step := range steps {
		if step.stream != nil {
			s.line(`<nop><action><exec play_pcap_audio="%s"/></action></nop>`, html.EscapeString(s.captures[step.stream]))
		}
		for _, key := range step.info {
			s.request("INFO", resend, "application/dtmf-relay", fmt.Sprintf("Signal=%c\nDuration=160", key))
			s.receive("response", "200", "")
		}
		if step.offer != "" {
			s.request("INVITE", resend, sdpType, s.sdp(step.offer), step.extra...)
			s.receive("response", "100", `optional="true"`)
			s.receive("response", "200", `rrs="true"`)
			s.request("ACK", "", "", "")
			s.during(breath)
		}
		if step.wait > 0 {
			s.during(step.wait)
		}
	}
}

// closing writes the end of the call and of the scenario.
func (s *scenario) closing(end End) {
	if end == AwaitBye {
		s.during(s.patience)
	}
	s.label(labelHangUp)
	s.request("BYE", resend, "", "")
	// Both may hang up at the same time: each answers the other's BYE.
	both, answered := s.newLabel(), s.newLabel()
	s.receive("request", "BYE", `optional="true" next="`+both+`"`)
	s.receive("response", "481", `optional="true" next="`+labelEnd+`"`)
	s.receive("response", "200", `next="`+labelEnd+`"`)
	s.label(both)
	s.response("200 OK", "", "")
	s.receive("response", "481", `optional="true" next="`+answered+`"`)
	s.receive("response", "200", "")
	s.label(answered)
	s.jump(labelEnd)

	s.label(labelByeCame)
	s.response("200 OK", "", "")
	s.finish()
}

// finish writes what a call that is over goes to.
func (s *scenario) finish() {
	s.label(labelEnd)
	s.line(`</scenario>`)
}
