package callflow

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"

	"github.com/conclave-voice/conclave/callflow/signaling"
	"github.com/conclave-voice/conclave/media/codec"
	"github.com/conclave-voice/conclave/media/dtmf"
	"github.com/conclave-voice/conclave/media/offeranswer"
	"github.com/conclave-voice/conclave/media/session"
)

// negotiation is the state of offer and answer of one dialog.
type negotiation struct {
	mu      sync.Mutex // the dialog and the call both negotiate
	id      uint64
	version uint64
	held    bool
}

// local describes our end; each description that we send is a new version. The
// lock is held.
func (c *call) local() offeranswer.Local {
	if !c.told.IsValid() {
		return c.sdp.next(c.here())
	}
	return c.sdp.next(c.told)
}

// here is where this node takes the caller's RTP.
func (c *call) here() netip.AddrPort { return c.addressOf(c.media) }

// addressOf is where peers are told that a session of ours takes RTP.
func (c *call) addressOf(s *session.Session) netip.AddrPort {
	return netip.AddrPortFrom(c.engine.config.MediaAddr, s.Addr().Port())
}

// next is a new version of our description. The lock is held.
func (n *negotiation) next(addr netip.AddrPort) offeranswer.Local {
	if n.id == 0 {
		n.id = rand.Uint64() >> 2 // fits the signed 64 bits that some peers read it into
	}
	n.version++
	return offeranswer.Local{Addr: addr, SessionID: n.id, Version: n.version}
}

// now is the state as it is kept for another node.
func (n *negotiation) now() (id, version uint64, held bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.id, n.version, n.held
}

// sendsTo is where the caller was told to send its RTP.
func (c *call) sendsTo() netip.AddrPort {
	c.sdp.mu.Lock()
	defer c.sdp.mu.Unlock()
	return c.told
}

// onHold says whether the peer holds the call.
func (n *negotiation) onHold() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.held
}

// answerOffer answers an offer and puts what is agreed into force.
func (c *call) answerOffer(offer []byte) ([]byte, error) {
	c.sdp.mu.Lock()
	defer c.sdp.mu.Unlock()
	answer, agreed, err := offeranswer.Answer(offer, c.engine.config.Registry.Formats(), c.local())
	if err != nil {
		return nil, err
	}
	return answer, c.apply(agreed)
}

// apply puts an agreement into force, and tells the call about hold, and the focus about
// what concerns it. The lock is held.
func (c *call) apply(m offeranswer.Media) error {
	if err := c.media.Apply(m, c.engine.config.Media.Now()); err != nil {
		return err
	}
	c.path.follow()
	// Of a caller that is mixed for another node, that node tells (Engine.Hold): media
	// may be held for the time of a move.
	if m.PeerOnHold != c.sdp.held && c.hosted == "" {
		held := m.PeerOnHold
		c.sdp.held = held
		c.post(message{hold: &held})
	}
	return nil
}

// Offer answers a re-INVITE or UPDATE (signaling.DialogHandler).
func (c *call) Offer(offer []byte) ([]byte, error) { return c.answerOffer(offer) }

// LocalOffer makes our offer for an INVITE without one.
func (c *call) LocalOffer() ([]byte, error) {
	c.sdp.mu.Lock()
	defer c.sdp.mu.Unlock()
	return offeranswer.Offer(c.engine.config.Registry.Formats(), c.local(), offeranswer.SendRecv)
}

// RemoteAnswer reads the answer to LocalOffer.
func (c *call) RemoteAnswer(answer []byte) error {
	c.sdp.mu.Lock()
	defer c.sdp.mu.Unlock()
	agreed, err := offeranswer.ReadAnswer(answer, c.engine.config.Registry.Formats(), offeranswer.SendRecv)
	if err != nil {
		return fmt.Errorf("read the answer to our offer: %w", err)
	}
	return c.apply(agreed)
}

// redirect tells the caller by re-INVITE where to send its RTP from now on.
func (c *call) redirect(ctx context.Context, to netip.AddrPort) error {
	return c.dialog.Negotiate(ctx, func() ([]byte, error) {
		c.sdp.mu.Lock()
		defer c.sdp.mu.Unlock()
		return offeranswer.OfferSame(c.media.Agreed(), c.sdp.next(to), offeranswer.SendRecv)
	}, func(answer []byte) error {
		c.sdp.mu.Lock()
		defer c.sdp.mu.Unlock()
		agreed, err := offeranswer.ReadAnswer(answer, []codec.Format{c.media.Agreed().Format}, offeranswer.SendRecv)
		if err != nil {
			c.told = netip.AddrPort{} // nobody knows; it is told anew
			return fmt.Errorf("read the caller's answer: %w", err)
		}
		c.told = to
		return c.apply(agreed)
	})
}

// Info takes a digit that came by SIP INFO.
func (c *call) Info(contentType string, body []byte) int {
	digit, _, err := dtmf.ParseInfo(contentType, body)
	if err != nil {
		return 415
	}
	c.post(message{digit: byte(digit)})
	return 200
}

// Ended: the dialog is over.
func (c *call) Ended(end signaling.End) { c.post(message{ended: &end}) }

// post hands a message to the call; it waits while the inbox is full, and drops it when
// the call takes no more.
func (c *call) post(m message) {
	select {
	case c.inbox <- &m:
		c.wake()
	case <-c.over:
	}
}
