package caller

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/emiago/sipgo/sip"

	"github.com/conclave-voice/conclave/testenv/pcap"
)

// kept is an answer that is given again to the repetition of its request.
type kept struct {
	branch string
	method sip.RequestMethod
	text   string
}

// takeRequest answers a request of the node in this call. A repetition gets the same
// answer; as no provisional response is ever sent, the node repeats an INVITE until it
// has ours, so that our 2xx needs no timer of its own.
func (c *Call) takeRequest(r *sip.Request, from netip.AddrPort) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.Method == sip.ACK {
		c.takeACK(r)
		return
	}
	branch, _ := r.Via().Params.Get("branch")
	if i := slices.IndexFunc(c.kept, func(k kept) bool { return k.branch == branch && k.method == r.Method }); i >= 0 {
		c.phone.send(from, c.kept[i].text)
		return
	}
	text := c.answer(r).String()
	c.kept = append(c.kept, kept{branch, r.Method, text})
	c.kept = c.kept[max(0, len(c.kept)-maxKept):]
	c.phone.send(from, text)
}

// answer decides what to answer. mu is held.
func (c *Call) answer(r *sip.Request) *sip.Response {
	ours, _ := r.To().Params.Get("tag")
	theirs, _ := r.From().Params.Get("tag")
	switch {
	case r.Method == sip.CANCEL: // nothing of the node's waits for an answer
		return response(r, 200, "OK", c.tag)
	case ours != c.tag || theirs != c.remoteTag || !c.over.IsZero():
		return response(r, 481, "Call/Transaction Does Not Exist", c.tag)
	case r.CSeq().SeqNo <= c.theirs: // RFC 3261 section 12.2.2
		c.ear.event(time.Now(), fmt.Sprintf("%s with CSeq %d after %d", r.Method, r.CSeq().SeqNo, c.theirs))
		return response(r, 500, "CSeq Out of Order", c.tag)
	}
	c.theirs = r.CSeq().SeqNo
	switch r.Method {
	case sip.INVITE, sip.UPDATE:
		return c.answerOffer(r)
	case sip.BYE:
		reason := "BYE"
		if h := r.GetHeader("Reason"); h != nil {
			reason += ", " + h.Value()
		}
		c.end(reason)
		return response(r, 200, "OK", c.tag)
	case sip.INFO, sip.OPTIONS, sip.NOTIFY, sip.MESSAGE:
		return response(r, 200, "OK", c.tag)
	}
	return response(r, 405, "Method Not Allowed", c.tag)
}

// answerOffer takes a re-INVITE or an UPDATE (RFC 3311), with an offer or without. mu
// is held.
func (c *Call) answerOffer(r *sip.Request) *sip.Response {
	if c.inviting { // RFC 3261 section 14.2
		return response(r, 491, "Request Pending", c.tag)
	}
	res := response(r, 200, "OK", c.tag)
	res.AppendHeader(&sip.ContactHeader{Address: sip.Uri{Scheme: "sip", User: c.dial.From,
		Host: c.phone.local.Addr().String(), Port: int(c.phone.local.Port())}})
	body := ""
	switch {
	case len(r.Body()) > 0:
		offer, err := understand(r.Body())
		if err != nil {
			c.ear.event(time.Now(), fmt.Sprintf("%s refused: %v", r.Method, err))
			return response(r, 488, "Not Acceptable Here", c.tag)
		}
		c.change(r, offer)
		body = c.describe(offer.answering(c.held))
	case r.Method == sip.INVITE: // our offer; its answer comes with the ACK
		c.offered = true
		body = c.describe(sendRecv)
	}
	c.follow(r.Contact())
	if body != "" {
		res.AppendHeader(sip.NewHeader("Content-Type", "application/sdp"))
		res.SetBody([]byte(body))
	}
	return res
}

// takeACK takes the answer to our offer, if there was one. mu is held.
func (c *Call) takeACK(r *sip.Request) {
	if !c.offered || len(r.Body()) == 0 || !c.over.IsZero() {
		return
	}
	c.offered = false
	answer, err := understand(r.Body())
	if err != nil {
		c.ear.event(time.Now(), fmt.Sprintf("ACK not understood: %v", err))
		return
	}
	c.change(r, answer)
}

// change follows the node's description. mu is held.
func (c *Call) change(r *sip.Request, to remote) {
	c.ear.event(time.Now(), fmt.Sprintf("%s from %s: audio goes to %v, %s", r.Method, r.Via().Host, to.media, to.direction))
	c.remote = to
}

func (c *Call) remoteEvent() uint8 {
	if c.remote.event == 0 {
		return pcap.EventType
	}
	return c.remote.event
}
