package caller

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/emiago/sipgo/sip"
)

// The timers of RFC 3261 section 17.1.1.1.
const (
	t1 = 500 * time.Millisecond
	t2 = 4 * time.Second
)

// request sends a request and returns its final response. It is sent again until there
// is one: an INVITE until any response, at growing intervals, another at T2 at most.
// The wait ends with ctx, or after 64 T1.
func (p *Phone) request(ctx context.Context, to netip.AddrPort, r *sip.Request) (*sip.Response, error) {
	branch, _ := r.Via().Params.Get("branch")
	responses := make(chan *sip.Response, 4)
	p.mu.Lock()
	p.waiting[branch] = responses
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		delete(p.waiting, branch)
		p.mu.Unlock()
	}()

	invite, text := r.Method == sip.INVITE, []byte(r.String())
	interval := t1
	again, limit := time.NewTimer(0), time.NewTimer(64*t1)
	defer again.Stop()
	defer limit.Stop()
	for {
		select {
		case <-again.C:
			_, _ = p.conn.WriteToUDPAddrPort(text, to) // the next one may get through
			again.Reset(interval)
			if interval *= 2; !invite {
				interval = min(interval, t2)
			}
		case res := <-responses:
			if res.StatusCode >= 200 {
				return res, nil
			}
			if invite { // it has arrived: no more repetitions, and the phone may ring for long
				again.Stop()
				limit.Stop()
			}
		case <-limit.C:
			return nil, fmt.Errorf("%s to %v: no response within %v", r.Method, to, 64*t1)
		case <-ctx.Done():
			return nil, fmt.Errorf("%s to %v: %w", r.Method, to, context.Cause(ctx))
		}
	}
}

// takeResponse gives a response to the request that waits for it. The final response to
// an INVITE is repeated until its ACK arrives, when nobody waits for it any more.
func (p *Phone) takeResponse(r *sip.Response) {
	if r.Via() == nil || r.CSeq() == nil || r.CallID() == nil {
		return
	}
	branch, _ := r.Via().Params.Get("branch")
	p.mu.Lock()
	responses := p.waiting[branch]
	p.mu.Unlock()
	select {
	case responses <- r:
		return
	default: // nobody waits, or enough wait already
	}
	if c := p.find(r.CallID().Value()); c != nil && r.CSeq().MethodName == sip.INVITE && r.StatusCode >= 200 {
		c.acknowledgeAgain(r.CSeq().SeqNo)
	}
}
