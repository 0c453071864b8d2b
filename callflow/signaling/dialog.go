package signaling

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/jonboulle/clockwork"
)

const (
	// maxQueue is how many requests may wait in a dialog. A request that finds it
	// full gets 500 with Retry-After.
	maxQueue = 64
	// maxDeferred is how many may wait for an ACK; likewise.
	maxDeferred = 16
)

// DialogHandler is told what happens in a dialog. All calls of one dialog are
// made one after the other, in the order of arrival. A method must not call
// Dialog.Negotiate or Reinvite; it may call Hangup.
type DialogHandler interface {
	// Offer answers a re-INVITE or UPDATE with an offer. An error refuses it with
	// 488, or with the status of a *StatusError; the dialog goes on unchanged.
	Offer(sdp []byte) (answer []byte, err error)
	// LocalOffer makes our offer, for a re-INVITE without one.
	LocalOffer() (sdp []byte, err error)
	// RemoteAnswer takes the answer to LocalOffer, or to an offer that we repeated
	// to refresh the session. An error ends the dialog.
	RemoteAnswer(sdp []byte) error
	// Info takes an INFO and returns its status.
	Info(contentType string, body []byte) (status int)
	// Ended is called exactly once, as the last.
	Ended(End)
}

// DialogState is a dialog as data (RFC 3261 section 12), so that another node can
// go on with it.
type DialogState struct {
	CallID              string
	LocalTag, RemoteTag string
	LocalCSeq           uint32 // of our last request; 0: none yet
	RemoteCSeq          uint32 // of the peer's last request
	RemoteCSeqKnown     bool
	LocalURI, RemoteURI string   // From and To without tags, as name-addr
	RemoteTarget        string   // URI
	RouteSet            []string // Route values in the order of sending
	LocalContact        string   // Contact value
	Initiator           bool     // we sent the INVITE
	Network             string   // "UDP" or "TCP"
	Local, Peer         netip.AddrPort
	PeerUpdates         bool          // the peer takes UPDATE
	SessionExpires      time.Duration // 0: no session timer
	WeRefresh           bool
	Refreshed           time.Time // last refresh of the session
	LocalSDP            []byte    // our last offer or answer
}

// Dialog is an answered call leg. Its methods may be called from any goroutine.
type Dialog struct {
	endpoint *Endpoint
	handler  DialogHandler
	offers   offerLock

	confirmed chan struct{} // closed: the ACK is here
	over      chan struct{} // closed: the end is decided
	gone      chan struct{} // closed: all is done

	mu          sync.Mutex // guards what follows
	state       DialogState
	target      sip.Uri
	flow        flow // that the peer's last request came by, or our INVITE went by
	timer       sessionTimer
	localSDP    []byte
	ackSDP      []byte
	lastACK     sentACK
	credentials *Credentials
	auth        map[string]Header // by name: to repeat in further requests
	established bool              // the handler knows of the dialog
	abandoned   bool
	finished    bool
	end         End
	queue       []event // at most maxQueue
	serving     bool    // the endpoint waits for the dialog
	working     bool    // a goroutine looks after it
	alarm       clockwork.Timer

	// Owned by the goroutine that looks after the dialog.
	unacked  *unacked
	deferred []event
}

// event is something that a dialog has to deal with: a request (tx is nil for an ACK),
// or a call of the handler.
type event struct {
	request *request
	tx      *serverTx
	call    func()
}

// sentACK is what a retransmitted 2xx is answered with.
type sentACK struct {
	cseq  uint32
	bytes []byte
	flow  flow
}

func newDialog(e *Endpoint, h DialogHandler, f flow) *Dialog {
	return &Dialog{
		endpoint: e, handler: h, flow: f,
		confirmed: make(chan struct{}),
		over:      make(chan struct{}),
		gone:      make(chan struct{}),
		offers:    offerLock{free: make(chan struct{}, 1)},
	}
}

// initAsServer fills the state from an INVITE (RFC 3261 section 12.1.1). What it takes it
// copies, for any part of a message keeps the whole of it.
func (d *Dialog) initAsServer(r *request, localTag, contact string) {
	d.state = DialogState{
		CallID: strings.Clone(r.callID), LocalTag: localTag, RemoteTag: strings.Clone(r.from.param("tag")),
		RemoteCSeq: r.cseq, RemoteCSeqKnown: true,
		LocalURI: r.to.nameAddr(), RemoteURI: r.from.nameAddr(),
		RouteSet: cloned(r.routes), LocalContact: contact,
		PeerUpdates: r.hasToken("allow", "UPDATE"),
	}
	if r.contact != nil {
		d.setTarget(r.contact)
	} else {
		d.setTarget(sourceTarget(r.flow))
	}
}

// sourceTarget stands in for a Contact that is not there.
func sourceTarget(f flow) *address {
	a := &address{spec: "sip:" + f.remote().String()}
	if f.network() == "TCP" {
		a.spec += ";transport=tcp"
	}
	_ = parseURI(a.spec, &a.uri)
	return a
}

// setTarget is target refresh. A target that cannot be read is not taken.
func (d *Dialog) setTarget(a *address) {
	if a == nil || a.uri.Scheme != "sip" {
		return
	}
	var target sip.Uri
	spec := strings.Clone(a.spec)
	if parseURI(spec, &target) != nil {
		return
	}
	// Header fields and the method have no place in a Request-URI.
	target.Headers = nil
	d.target, d.state.RemoteTarget = target, spec
}

func cloned(list []string) []string {
	copies := slices.Clone(list)
	for i := range copies {
		copies[i] = strings.Clone(copies[i])
	}
	return copies
}

// ID names the dialog uniquely in this endpoint.
func (d *Dialog) ID() string { return d.State().LocalTag }

// CallID is the Call-ID of the leg.
func (d *Dialog) CallID() string { return d.State().CallID }

// RemoteTarget is the URI that requests are sent to.
func (d *Dialog) RemoteTarget() string { return d.State().RemoteTarget }

// State is a copy of the state.
func (d *Dialog) State() DialogState {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.state
	s.RouteSet = append([]string(nil), s.RouteSet...)
	s.LocalSDP = append([]byte(nil), d.localSDP...)
	s.Network, s.Local, s.Peer = d.flow.network(), d.flow.local(), d.flow.remote()
	s.SessionExpires, s.WeRefresh, s.Refreshed = d.timer.interval, d.timer.weDo, d.timer.started
	return s
}

// finish decides how the dialog ends; only the first call counts. With bye, a BYE
// is sent. True: this was the first call.
func (d *Dialog) finish(end End, bye bool, reason ...Header) bool {
	d.mu.Lock()
	if d.finished {
		d.mu.Unlock()
		return false
	}
	d.finished, d.end = true, end
	d.mu.Unlock()
	d.endpoint.dialogs.remove(d)
	if bye {
		d.endpoint.spawn(func() { _ = d.bye(context.Background(), reason) })
	}
	close(d.over)
	d.wake()
	return true
}

// establish: from now on the handler is told. False if the dialog was given up.
func (d *Dialog) establish(ackSDP []byte) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.abandoned {
		return false
	}
	d.established, d.ackSDP = true, ackSDP
	close(d.confirmed)
	return true
}

// abandon has the dialog ended as soon as the ACK allows a BYE (RFC 3261 section
// 15). False: the ACK is here already.
func (d *Dialog) abandon() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.abandoned = !d.established
	return d.abandoned
}

// afterACK is what Accept returns.
func (d *Dialog) afterACK() (*Dialog, []byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.established {
		return nil, nil, &EndedError{d.end}
	}
	answer := d.ackSDP
	d.ackSDP = nil // nobody asks again
	return d, answer, nil
}

// Hangup sends BYE and waits for its answer. The dialog has ended even when that
// does not come; the error tells why. A second Hangup is an *EndedError.
func (d *Dialog) Hangup(ctx context.Context, why Reason) error {
	if !d.finish(End{By: ByLocal, Cause: CauseHangup}, false) {
		d.mu.Lock()
		defer d.mu.Unlock()
		return &EndedError{d.end}
	}
	return d.bye(ctx, why.header())
}

func (d *Dialog) bye(ctx context.Context, headers []Header) error {
	res, err := d.exchange(ctx, "BYE", headers, nil)
	if err != nil {
		return err
	}
	// 481 and 408 are as good: the peer knows of no dialog.
	if res.status >= 300 && res.status != 481 && res.status != 408 {
		return statusError(res)
	}
	return nil
}

func statusError(m *message) *StatusError {
	e := &StatusError{Status: m.status, Reason: m.reason, Warning: m.get("warning")}
	if m.status >= 300 && m.status < 400 {
		e.Contacts = m.list("contact")
	}
	return e
}

// dialogTable finds dialogs by our tag, which is random and unique.
type dialogTable struct {
	mu    sync.Mutex
	byTag map[string]*Dialog
}

func (t *dialogTable) add(d *Dialog) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.byTag[d.state.LocalTag] = d
}

// addNew is add, unless a dialog with this tag is there.
func (t *dialogTable) addNew(d *Dialog) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byTag[d.state.LocalTag] != nil {
		return false
	}
	t.byTag[d.state.LocalTag] = d
	return true
}

func (t *dialogTable) remove(d *Dialog) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.byTag, d.state.LocalTag)
}

func (t *dialogTable) find(callID, localTag string) *Dialog {
	t.mu.Lock()
	defer t.mu.Unlock()
	if d := t.byTag[localTag]; d != nil && d.state.CallID == callID {
		return d
	}
	return nil
}

func (t *dialogTable) size() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.byTag)
}

func (t *dialogTable) list() []*Dialog {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make([]*Dialog, 0, len(t.byTag))
	for _, d := range t.byTag {
		all = append(all, d)
	}
	return all
}

var (
	errPanicked   = errors.New("the dialog's handler panicked")
	errDialogOver = errors.New("the dialog has ended")
	errQueueFull  = errors.New("the dialog's queue is full")
)
