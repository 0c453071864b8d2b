package caller

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"
)

// Refused is the final response of a node that did not take a request.
type Refused struct {
	Method string
	Status int
	Reason string
}

func (r *Refused) Error() string { return fmt.Sprintf("%s: %d %s", r.Method, r.Status, r.Reason) }

// acknowledgement is an ACK that is sent again whenever its response comes again.
type acknowledgement struct {
	cseq uint32
	to   netip.AddrPort
	text string
}

// maxKept is how many ACKs and answers a call keeps for repetitions.
const maxKept = 8

// open sends the first INVITE, again with credentials where they are asked for.
func (c *Call) open(ctx context.Context) error {
	c.mu.Lock()
	invite := c.invite(sendRecv)
	c.mu.Unlock()
	for try := 0; ; try++ {
		res, err := c.phone.request(ctx, c.dial.To, invite)
		if err != nil {
			c.cancel(invite)
			return err
		}
		if res.StatusCode < 300 {
			return c.accept(invite, res)
		}
		c.mu.Lock()
		c.refuseACK(invite, res)
		credentials, asked := c.authorize(res)
		if try > 0 || !asked {
			c.mu.Unlock()
			return &Refused{"INVITE", res.StatusCode, res.Reason}
		}
		invite = c.invite(sendRecv)
		invite.AppendHeader(credentials)
		c.mu.Unlock()
	}
}

// cancel gives an INVITE up (RFC 3261 section 9.1). It is sent once: a node that misses
// it, and answers, hears no ACK and ends the call.
func (c *Call) cancel(invite *sip.Request) {
	r := sip.NewRequest(sip.CANCEL, invite.Recipient)
	for _, name := range []string{"Via", "From", "To", "Call-ID", "Max-Forwards"} {
		sip.CopyHeaders(name, invite, r)
	}
	r.AppendHeader(&sip.CSeqHeader{SeqNo: invite.CSeq().SeqNo, MethodName: sip.CANCEL})
	r.SetBody(nil)
	c.phone.send(c.dial.To, r.String())
}

// authorize answers a challenge (RFC 3261 section 22): the first that we can.
func (c *Call) authorize(res *sip.Response) (sip.Header, bool) {
	ask, give := "WWW-Authenticate", "Authorization"
	if res.StatusCode == sip.StatusProxyAuthRequired {
		ask, give = "Proxy-Authenticate", "Proxy-Authorization"
	}
	for _, h := range res.GetHeaders(ask) {
		challenge, err := digest.ParseChallenge(h.Value())
		if err != nil || !digest.CanDigest(challenge) || c.dial.User == "" {
			continue
		}
		credentials, err := digest.Digest(challenge, digest.Options{Method: "INVITE", URI: c.target.String(),
			Username: c.dial.User, Password: c.dial.Password})
		if err == nil {
			return sip.NewHeader(give, credentials.String()), true
		}
	}
	return nil, false
}

// newRequest is the next request of the dialog. mu is held.
func (c *Call) newRequest(method sip.RequestMethod) *sip.Request {
	if method != sip.ACK {
		c.cseq++
	}
	local := c.phone.local
	r := sip.NewRequest(method, c.target)
	via := &sip.ViaHeader{ProtocolName: "SIP", ProtocolVersion: "2.0", Transport: "UDP", Host: local.Addr().String(), Port: int(local.Port()), Params: sip.NewParams()}
	via.Params.Add("branch", sip.GenerateBranchN(16))
	via.Params.Add("rport", "")
	r.AppendHeader(via)
	ours := sip.Uri{Scheme: "sip", User: c.dial.From, Host: local.Addr().String(), Port: int(local.Port())}
	from := &sip.FromHeader{Address: ours, Params: sip.NewParams()}
	from.Params.Add("tag", c.tag)
	r.AppendHeader(from)
	to := &sip.ToHeader{Address: sip.Uri{Scheme: "sip", User: c.dial.Number, Host: c.dial.To.Addr().String()}, Params: sip.NewParams()}
	if c.remoteTag != "" {
		to.Params.Add("tag", c.remoteTag)
	}
	r.AppendHeader(to)
	id, hops := sip.CallIDHeader(c.id), sip.MaxForwardsHeader(70)
	r.AppendHeader(&id)
	r.AppendHeader(&sip.CSeqHeader{SeqNo: c.cseq, MethodName: method})
	r.AppendHeader(&hops)
	r.AppendHeader(&sip.ContactHeader{Address: ours})
	r.SetBody(nil)
	return r
}

// invite is an INVITE with an offer. mu is held.
func (c *Call) invite(direction string) *sip.Request {
	r := c.newRequest(sip.INVITE)
	r.AppendHeader(sip.NewHeader("Content-Type", "application/sdp"))
	r.SetBody([]byte(c.describe(direction)))
	return r
}

// describe is our session description; its version grows when it differs from the last
// (RFC 3264 section 8). mu is held.
func (c *Call) describe(direction string) string {
	if direction != c.direction {
		c.version++
		c.direction = direction
	}
	local := netip.AddrPortFrom(c.phone.local.Addr(), uint16(udpPort(c.media)))
	return describe(local, c.version, direction, c.remoteEvent())
}

// accept takes the 2xx to an INVITE: the dialog is as it says.
func (c *Call) accept(invite *sip.Request, res *sip.Response) error {
	r, err := understand(res.Body())
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remoteTag, _ = res.To().Params.Get("tag")
	c.follow(res.Contact())
	ack := c.newRequest(sip.ACK) // of the dialog, to its target (RFC 3261 section 13.2.2.4)
	ack.CSeq().SeqNo = invite.CSeq().SeqNo
	c.acknowledge(acknowledgement{invite.CSeq().SeqNo, c.next, ack.String()})
	if err != nil {
		return err
	}
	c.remote, c.answered = r, true
	c.ear.event(time.Now(), fmt.Sprintf("answered by %v, audio goes to %v, %s", c.next, r.media, r.direction))
	return nil
}

// refuseACK acknowledges a refusal of an INVITE, in its transaction (RFC 3261 section
// 17.1.1.3). mu is held.
func (c *Call) refuseACK(invite *sip.Request, res *sip.Response) {
	ack := sip.NewRequest(sip.ACK, invite.Recipient)
	for _, name := range []string{"Via", "From", "Call-ID", "Max-Forwards"} {
		sip.CopyHeaders(name, invite, ack)
	}
	sip.CopyHeaders("To", res, ack)
	ack.AppendHeader(&sip.CSeqHeader{SeqNo: invite.CSeq().SeqNo, MethodName: sip.ACK})
	ack.SetBody(nil)
	c.acknowledge(acknowledgement{invite.CSeq().SeqNo, c.next, ack.String()})
}

// acknowledge sends an ACK, and keeps it. mu is held.
func (c *Call) acknowledge(a acknowledgement) {
	c.acks = append(c.acks, a)
	c.acks = c.acks[max(0, len(c.acks)-maxKept):]
	c.phone.send(a.to, a.text)
}

func (c *Call) acknowledgeAgain(cseq uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := slices.IndexFunc(c.acks, func(a acknowledgement) bool { return a.cseq == cseq }); i >= 0 {
		c.phone.send(c.acks[i].to, c.acks[i].text)
	}
}

// follow sends what comes next to a Contact (RFC 3261 section 12.2.1.2): the node may
// be another one than before. mu is held.
func (c *Call) follow(contact *sip.ContactHeader) {
	if contact == nil {
		return
	}
	address, err := netip.ParseAddr(contact.Address.Host)
	if err != nil {
		return // there is no DNS here
	}
	port := uint16(contact.Address.Port)
	if port == 0 {
		port = 5060
	}
	c.target, c.next = contact.Address, netip.AddrPortFrom(address, port)
}

// HangUp sends a BYE and waits for the answer. The call has ended for us in any case.
func (c *Call) HangUp(ctx context.Context) error {
	c.mu.Lock()
	if !c.over.IsZero() {
		c.mu.Unlock()
		return nil
	}
	bye, to := c.newRequest(sip.BYE), c.next
	c.end("hung up")
	c.mu.Unlock()
	res, err := c.phone.request(ctx, to, bye)
	if err == nil && res.StatusCode >= 300 {
		err = &Refused{"BYE", res.StatusCode, res.Reason}
	}
	return err
}

// Hold puts the node on hold: it need send no audio, and gets none (RFC 3264 section
// 8.4). Resume takes it back. A [*Refused] with 491 is for a request of the node that
// crossed ours: try again.
func (c *Call) Hold(ctx context.Context) error { return c.reinvite(ctx, true) }

// Resume ends Hold.
func (c *Call) Resume(ctx context.Context) error { return c.reinvite(ctx, false) }

func (c *Call) reinvite(ctx context.Context, hold bool) error {
	c.mu.Lock()
	if c.inviting || !c.over.IsZero() {
		c.mu.Unlock()
		return fmt.Errorf("hold or resume call %s: it has ended, or another change is under way", c.id)
	}
	direction := sendRecv
	if hold {
		direction = sendOnly
	}
	c.inviting = true
	invite, to := c.invite(direction), c.next
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.inviting = false
	}()
	res, err := c.phone.request(ctx, to, invite)
	switch {
	case err != nil:
		return err
	case res.StatusCode >= 300:
		c.mu.Lock()
		defer c.mu.Unlock()
		c.refuseACK(invite, res)
		return &Refused{"INVITE", res.StatusCode, res.Reason}
	}
	if err := c.accept(invite, res); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held = hold
	return nil
}
