package signaling

import (
	"context"
	"time"

	"github.com/emiago/sipgo/sip"
)

// inviteHooks are told of what comes besides the final response.
type inviteHooks struct {
	progress func(*message)  // 101 to 199
	again    func(*message)  // further 2xx: copies, or those of other branches
	over     <-chan struct{} // closed: the dialog has ended, and the response is for nobody
}

// invite runs an INVITE of ours up to its final response, whatever the number of
// provisional ones. When ctx ends it sends CANCEL, as soon as a provisional
// response allows that (RFC 3261 section 9.1), and goes on waiting: a 200 may have
// won the race, and then the caller has to send ACK and BYE. After a CANCEL the
// wait is at most 64*T1.
func (e *Endpoint) invite(ctx context.Context, req *sip.Request, f flow, hooks inviteHooks) (*message, error) {
	var again func(*sip.Response)
	if hooks.again != nil {
		again = func(res *sip.Response) { hooks.again(responseMessage(res, f)) }
	}
	t, err := e.start(req, f, again)
	if err != nil {
		return nil, err
	}
	var (
		proceeding, cancelled bool
		giveUp                <-chan time.Time
		ended                 = ctx.Done()
	)
	cancel := func() {
		cancelled = true
		giveUp = e.config.Clock.After(64 * e.config.T1)
		e.spawn(func() { _, _ = e.exchange(context.Background(), cancelOf(req), f) })
	}
	for {
		select {
		case res := <-t.Responses():
			m := responseMessage(res, f)
			if m.status >= 200 {
				e.stats.sentAndGot("INVITE", m.status)
				return m, nil
			}
			if m.status > 100 && hooks.progress != nil {
				hooks.progress(m)
			}
			if proceeding = true; ctx.Err() != nil && !cancelled {
				cancel()
			}
		case <-ended:
			ended = nil // once
			if proceeding {
				cancel()
			}
		case <-hooks.over:
			if !cancelled && proceeding {
				cancel()
			}
			e.spawn(func() { e.drain(t) })
			return nil, errDialogOver
		case <-t.Done():
			return nil, e.unanswered(req, t)
		case <-giveUp:
			t.Terminate()
			return nil, context.Cause(ctx)
		}
	}
}

// drain reads the responses that nobody waits for any more, so that the final one is
// acknowledged and the peer stops repeating it.
func (e *Endpoint) drain(t *clientTx) {
	giveUp := e.config.Clock.After(64 * e.config.T1)
	for {
		select {
		case res := <-t.Responses():
			if res.StatusCode >= 200 {
				return
			}
		case <-t.Done():
			return
		case <-giveUp:
			t.Terminate()
			return
		}
	}
}
