package callflow

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/conclave-voice/conclave/media/session"
	"github.com/conclave-voice/conclave/store"
)

// Quality is what the media says of a stay. It is stored with the stay's record.
type Quality struct {
	Received    uint64  `json:"packetsReceived"`
	Sent        uint64  `json:"packetsSent"`
	Lost        uint64  `json:"packetsLost"` // of those that should have been received
	Late        uint64  `json:"packetsLate"` // received when their time to be played was over
	Strays      uint64  `json:"strays"`      // from who is not the caller
	JitterMs    int64   `json:"jitterMs"`
	DelayMs     int64   `json:"delayMs"`     // of the jitter buffer
	RoundTripMs int64   `json:"roundTripMs"` // by RTCP; 0: not known
	PeerLoss    float64 `json:"peerLoss"`    // share of our packets that the caller lost lately, 0..1
	// Media is which way the media of a forwarded call went last: direct or relay.
	Media string `json:"media,omitempty"`
}

func qualityOf(s session.Stats) Quality {
	return Quality{Received: s.Received, Sent: s.Sent, Lost: s.Playout.Lost, Late: s.Playout.Late, Strays: s.Strays,
		JitterMs: s.Playout.Jitter.Milliseconds(), DelayMs: s.Playout.Delay.Milliseconds(), RoundTripMs: s.RoundTrip.Milliseconds(), PeerLoss: s.PeerLoss}
}

// MediaReport is what a node tells of the RTP of a caller that it mixes.
type MediaReport struct {
	Quality
	// Source is whose packets are taken; the zero value until one has come since the
	// caller's address was last negotiated.
	Source netip.AddrPort `json:",omitzero"`
	// Silence is how long none has come that should have.
	Silence time.Duration
}

// report is what this node tells of a call; ok is false until it is answered.
func (c *call) report() (r MediaReport, ok bool) {
	media := c.live.Load()
	if media == nil {
		return r, false
	}
	return MediaReport{Quality: qualityOf(media.Stats()), Source: media.Source(), Silence: media.Silence(c.engine.config.Media.Now())}, true
}

// lastReport is what the focus has told of a call of ours.
type lastReport struct {
	mu      sync.Mutex
	report  MediaReport
	missing int // how often in a row the focus did not know the call
}

func (h *lastReport) get() MediaReport {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.report
}

func (h *lastReport) note(r MediaReport) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.report, h.missing = r, 0
}

// missed notes that the focus does not know the call, and returns how often in a row.
func (h *lastReport) missed() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.missing++
	return h.missing
}

// askReport asks the focus for its last report, before the call ends.
func (l *focusLeg) askReport() {
	ctx, cancel := context.WithTimeout(context.Background(), pollTime)
	defer cancel()
	reports, err := l.call.engine.config.Foci.Media(ctx, l.node, []store.ParticipantID{l.participant})
	if err != nil {
		l.call.logger.Debug("the focus did not tell of the media", "node", l.node.Node, "error", err)
		return
	}
	if r, known := reports[l.participant]; known {
		l.last.note(r)
	}
}

// reportEnd tells the node that took a caller's call how its media was. Of a call that a
// later one has succeeded it tells nothing: that node has done with it, or is dead.
func (c *call) reportEnd() {
	r, known := c.report()
	if c.hosted == "" || !known || c.engine.hosted(c.hosted) != c {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), pollTime)
	defer cancel()
	if err := c.engine.config.Foci.MediaEnded(ctx, c.from, c.hosted, r); err != nil {
		c.logger.Debug("the ingress was not told of the media", "error", err)
	}
}

// collect keeps what was told of a leg that is over.
func (c *call) collect(l *focusLeg) {
	r, relay := l.last.get().Quality, l.media.Stats()
	// What this node relayed it has counted itself.
	c.far.Received += r.Received - min(r.Received, relay.Sent)
	c.far.Sent += r.Sent - min(r.Sent, relay.Received)
	c.far.Lost += r.Lost
	c.far.Late += r.Late
	c.far.Strays += r.Strays
	c.far.JitterMs, c.far.DelayMs, c.far.RoundTripMs, c.far.PeerLoss = r.JitterMs, r.DelayMs, r.RoundTripMs, r.PeerLoss
	c.far.Media = string(MediaRelay)
	if l.past() {
		c.far.Media = string(MediaDirect)
	}
}

// quality is what the media says of the stay, here and where it was mixed.
func (c *call) quality() Quality {
	if c.media == nil {
		return c.far // it was taken over, and there was no port for it
	}
	q := qualityOf(c.media.Stats())
	if c.far.Media == "" {
		return q
	}
	q.Received += c.far.Received
	q.Sent += c.far.Sent
	q.Lost = c.lostBefore + c.far.Lost // where it is mixed, what is lost on the way here is missed too
	q.Late += c.far.Late
	q.Strays += c.far.Strays
	q.JitterMs, q.DelayMs, q.Media = c.far.JitterMs, c.far.DelayMs, c.far.Media
	if c.far.Media == string(MediaDirect) {
		q.RoundTripMs, q.PeerLoss = c.far.RoundTripMs, c.far.PeerLoss
	}
	return q
}
