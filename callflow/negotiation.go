package callflow

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"

	"github.com/conclave-voice/conclave/callflow/signaling"
	"github.com/conclave-voice/conclave/media/dtmf"
	"github.com/conclave-voice/conclave/media/offeranswer"
)

// negotiation is the state of offer and answer of one dialog.
type negotiation struct {
	mu      sync.Mutex // the dialog's goroutine and the call's both negotiate
	id      uint64
	version uint64
	held    bool
}

// local describes our end; each description that we send is a new version. The
// lock is held.
func (c *call) local() offeranswer.Local {
	return c.sdp.next(netip.AddrPortFrom(c.engine.config.MediaAddr, c.media.Addr().Port()))
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

// apply puts an agreement into force and tells the call about hold.
func (c *call) apply(m offeranswer.Media) error {
	if err := c.media.Apply(m, c.engine.config.Media.Now()); err != nil {
		return err
	}
	if m.PeerOnHold != c.sdp.held {
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

// post hands a message to the call's goroutine; it waits while the inbox is full,
// and drops it when the call takes no more.
func (c *call) post(m message) {
	select {
	case c.inbox <- m:
	case <-c.over:
	}
}
