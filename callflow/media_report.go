package callflow

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/conclave-voice/conclave/store"
)

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
	return MediaReport{Quality: qualityOf(media), Source: media.Source(), Silence: media.Silence(c.engine.config.Media.Now())}, true
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
