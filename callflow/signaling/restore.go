package signaling

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/emiago/sipgo/sip"
)

// CauseElsewhere: the dialog goes on at another node (Dialog.Abandon).
const CauseElsewhere Cause = "elsewhere"

// cseqLeap is how far the CSeq of a restored dialog is ahead of the last that is known:
// the node that had the dialog may have sent more requests since. The peer accepts any
// higher number (RFC 3261 section 12.2.2).
const cseqLeap = 1 << 10

// Restore goes on with a dialog that another endpoint has had. Nothing is sent: the peer
// is told of the new Contact by a Reinvite, and what it sends to the old one until then
// is lost. h is told of what happens from now on.
//
// It fails if the dialog is here, if the endpoint has as many as it may, or if there is
// no way to the peer; ErrTransport where that is a TCP connection that cannot be made.
func (e *Endpoint) Restore(ctx context.Context, st DialogState, h DialogHandler) (*Dialog, error) {
	d, err := e.restore(ctx, st, h)
	if err != nil {
		return nil, fmt.Errorf("restore the dialog %s: %w", st.CallID, err)
	}
	return d, nil
}

func (e *Endpoint) restore(ctx context.Context, st DialogState, h DialogHandler) (*Dialog, error) {
	var target sip.Uri
	if err := parseURI(st.RemoteTarget, &target); err != nil {
		return nil, err
	}
	target.Headers = nil
	if st.CallID == "" || st.LocalTag == "" {
		return nil, errors.New("its state has no Call-ID or tag")
	}
	if e.dialogs.size() >= e.config.Limits.MaxDialogs {
		return nil, &StatusError{Status: 503, Reason: "too many dialogs on this node"}
	}
	d := newDialog(e, h, nil)
	d.state = st
	d.state.RouteSet = slices.Clone(st.RouteSet)
	d.state.LocalCSeq += cseqLeap
	d.localSDP = slices.Clone(st.LocalSDP)
	d.target = target
	var err error
	d.timer = sessionTimer{interval: st.SessionExpires, weDo: st.WeRefresh, started: e.config.Clock.Now()}
	if d.flow, err = e.flowFor(ctx, d); err != nil {
		return nil, err
	}
	d.state.LocalContact = e.contact("", d.flow)
	d.established = true
	close(d.confirmed)
	if !e.dialogs.addNew(d) {
		return nil, errors.New("it is here already")
	}
	if !d.serve() {
		e.dialogs.remove(d)
		return nil, errStopped
	}
	return d, nil
}

// flowFor is a flow of ours to the peer of a dialog that came by another endpoint's.
func (e *Endpoint) flowFor(ctx context.Context, d *Dialog) (flow, error) {
	if d.state.Network == "UDP" && len(d.state.RouteSet) == 0 && d.state.Peer.IsValid() {
		return e.flowTo(ctx, "UDP", d.state.Peer, nil)
	}
	next, err := d.nextHop()
	if err != nil {
		return nil, err
	}
	peers, err := next.resolve(ctx)
	if err != nil {
		return nil, err
	}
	if len(peers) == 0 {
		return nil, errNoRoute
	}
	return e.flowTo(ctx, next.network, peers[0], nil)
}

// Abandon ends the dialog at this endpoint without a word to the peer: it goes on at
// another. False: it has ended before.
func (d *Dialog) Abandon() bool {
	return d.finish(End{By: ByLocal, Cause: CauseElsewhere}, false)
}
