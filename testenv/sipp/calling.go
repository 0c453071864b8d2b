package sipp

import (
	"fmt"

	"github.com/conclave-voice/conclave/testenv/pcap"
)

// scenario returns the XML of a caller.
func (c Caller) scenario(captures map[*pcap.Stream]string) string {
	s := open(c.Codec, c.Patience, captures)
	s.noEvents, s.refusal = c.NoEvents, c.RefuseReinvites
	s.local = fmt.Sprintf("<sip:%s@[local_ip]>;tag=[pid]caller[call_number]", c.From)
	s.remote = fmt.Sprintf("<%s>[peer_tag_param]", c.uri())

	c.invite(s, "")
	if c.Username != "" {
		c.answerChallenge(s)
	}
	if c.Expect >= 300 && c.Cancel == NoCancel {
		c.provisional(s)
		s.receive("response", fmt.Sprint(c.Expect), "")
		c.ackRefusal(s)
		s.finish()
		return s.String()
	}
	afterwards := labelMade
	if c.Cancel == NoCancel {
		c.provisional(s)
		s.receive("response", fmt.Sprint(c.Expect), `rrs="true"`)
	} else {
		c.cancel(s)
		afterwards = labelHangUp // the answer was faster
	}
	s.label(labelAnswered)
	c.ackAnswer(s, afterwards)
	s.label(labelMade)
	s.steps(c.Steps)
	s.closing(c.End)
	return s.String()
}

func (c Caller) uri() string { return fmt.Sprintf("sip:%s@%s", c.Number, c.Target) }

// invite sends the INVITE, with an Authorization header if it is given.
func (c Caller) invite(s *scenario, authorization string) {
	s.sequence++
	body := ""
	if !c.LateOffer {
		body = s.sdp("sendrecv")
	}
	head := []string{"INVITE " + c.uri() + " SIP/2.0", viaOf(s.sequence, "INVITE"), "From: " + s.local, "To: <" + c.uri() + ">",
		"Call-ID: [call_id]", fmt.Sprintf("CSeq: %d INVITE", s.sequence), contact, maxForwards, agent,
		"Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE", "Supported: timer"}
	if authorization != "" {
		head = append(head, authorization)
	}
	s.message(resend, sdpType, body, append(head, c.Headers...)...)
}

func (c Caller) provisional(s *scenario) {
	for _, status := range []string{"100", "180", "181", "182", "183"} {
		s.receive("response", status, `optional="true"`)
	}
}

// ackRefusal acknowledges a final response of 300 or more inside the transaction,
// with the INVITE's own branch (RFC 3261 section 17.1.1.3).
func (c Caller) ackRefusal(s *scenario) {
	s.message("", "", "", "ACK "+c.uri()+" SIP/2.0", viaOf(s.sequence, "INVITE"), "From: "+s.local,
		"[last_To:]", "Call-ID: [call_id]", fmt.Sprintf("CSeq: %d ACK", s.sequence), maxForwards)
}

// ackAnswer acknowledges a 2xx, with the answer to a late offer, and goes to a
// label.
func (c Caller) ackAnswer(s *scenario, next string) {
	body := ""
	if c.LateOffer {
		body = s.sdp("sendrecv")
	}
	s.request("ACK", `next="`+next+`"`, sdpType, body)
}

// answerChallenge answers a 401 or 407 by another INVITE with credentials.
func (c Caller) answerChallenge(s *scenario) {
	challenged := s.newLabel()
	s.receive("response", "100", `optional="true"`)
	s.receive("response", "407", `auth="true" optional="true" next="`+challenged+`"`)
	s.receive("response", "401", `auth="true"`)
	s.label(challenged)
	c.ackRefusal(s)
	c.invite(s, fmt.Sprintf("[authentication username=%s password=%s]", c.Username, c.Password))
}

// cancel gives up. The answer may be faster (RFC 3261 section 9.1): the call is
// then up, and goes on at labelAnswered.
func (c Caller) cancel(s *scenario) {
	const answered = `optional="true" rrs="true" next="` + labelAnswered + `"`
	some := s.newLabel()
	switch c.Cancel {
	case CancelOnTrying, CancelAtOnce:
		// SIPp stands at the first of these, so its time-out counts.
		timeout := ""
		if c.Cancel == CancelAtOnce {
			timeout = `timeout="1" ontimeout="` + some + `"`
		}
		s.receive("response", "181", `optional="true" next="`+some+`" `+timeout)
		s.receive("response", "180", `optional="true" next="`+some+`"`)
		s.receive("response", "183", `optional="true" next="`+some+`"`)
		s.receive("response", "200", answered)
		s.receive("response", "100", "")
	case CancelOnRinging:
		s.receive("response", "100", `optional="true"`)
		s.receive("response", "183", `optional="true" next="`+some+`"`)
		s.receive("response", "200", answered)
		s.receive("response", "180", "")
	}
	s.label(some)
	s.message(resend, "", "", "CANCEL "+c.uri()+" SIP/2.0", viaOf(s.sequence, "INVITE"),
		"From: "+s.local, "To: <"+c.uri()+">", "Call-ID: [call_id]",
		fmt.Sprintf("CSeq: %d CANCEL", s.sequence), maxForwards)

	// The 200 to the CANCEL and the 487 to the INVITE come in either order, or a
	// 200 to the INVITE instead. SIPp takes the two 200s for the same but for the
	// look at their CSeq; a message that is optional and does not jump is passed.
	c.provisional(s)
	s.receive("response", "481", `optional="true"`)
	s.line(`<recv response="200" rrs="true" optional="true" next="%s" test="invited"><action>`+
		`<ereg regexp="INVITE" search_in="hdr" header="CSeq:" assign_to="invited"/></action></recv>`, labelAnswered)
	s.receive("response", "487", "")
	c.ackRefusal(s)
	s.jump(labelEnd)
}
