package callflow

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/conclave-voice/conclave/media/codec"
	"github.com/conclave-voice/conclave/media/offeranswer"
)

// What a focusLeg and the focus agree on: with whom the focus exchanges RTP, and how.

// here is where this node takes the focus's RTP.
func (l *focusLeg) here() netip.AddrPort { return l.call.addressOf(l.media) }

// terms are what the focus has been told.
func (l *focusLeg) terms() mediaTerms {
	l.sdp.mu.Lock()
	defer l.sdp.mu.Unlock()
	return l.told
}

// past says whether the focus exchanges RTP with the caller itself.
func (l *focusLeg) past() bool { return l.terms().Addr != l.here() }

// local describes the other end to the focus. The lock is held.
func (l *focusLeg) local(t mediaTerms) offeranswer.Local {
	end := l.sdp.next(t.Addr)
	end.RTCP = t.RTCP
	return end
}

// tell tells the focus by re-INVITE with whom it exchanges RTP from now on, and how.
func (l *focusLeg) tell(ctx context.Context, t mediaTerms) error {
	return l.dialog.Negotiate(ctx, func() ([]byte, error) {
		l.sdp.mu.Lock()
		defer l.sdp.mu.Unlock()
		return t.offer(l.local(t))
	}, func(answer []byte) error {
		l.sdp.mu.Lock()
		defer l.sdp.mu.Unlock()
		l.told = t // whatever it has answered
		return l.answered(answer)
	})
}

// answered reads the focus's answer to what it was told. The lock is held.
func (l *focusLeg) answered(answer []byte) error {
	agreed, err := offeranswer.ReadAnswer(answer, []codec.Format{l.told.Format}, l.told.Direction)
	if err != nil {
		return fmt.Errorf("read the focus's answer: %w", err)
	}
	return l.media.Apply(agreed, l.call.engine.config.Media.Now())
}

// LocalOffer offers what the caller has agreed on (signaling.DialogHandler).
func (l *focusLeg) LocalOffer() ([]byte, error) {
	l.sdp.mu.Lock()
	defer l.sdp.mu.Unlock()
	return l.told.offer(l.local(l.told))
}

// RemoteAnswer reads the focus's answer to it.
func (l *focusLeg) RemoteAnswer(answer []byte) error {
	l.sdp.mu.Lock()
	defer l.sdp.mu.Unlock()
	return l.answered(answer)
}

// Offer answers a re-INVITE of the focus, which may refresh the session.
func (l *focusLeg) Offer(offer []byte) ([]byte, error) {
	l.sdp.mu.Lock()
	defer l.sdp.mu.Unlock()
	answer, agreed, err := offeranswer.Answer(offer, []codec.Format{l.told.Format}, l.local(l.told))
	if err != nil {
		return nil, err
	}
	return answer, l.media.Apply(agreed, l.call.engine.config.Media.Now())
}
