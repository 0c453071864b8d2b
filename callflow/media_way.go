package callflow

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/conclave-voice/conclave/media/codec"
	"github.com/conclave-voice/conclave/media/offeranswer"
)

// ForwardMedia says which way the media of forwarded calls goes.
type ForwardMedia string

const (
	// MediaAuto is direct inside a site, and relayed between sites.
	MediaAuto ForwardMedia = "auto"
	// MediaDirect is between the caller and the focus wherever the caller's network and
	// telephone allow, and relayed where they do not.
	MediaDirect ForwardMedia = "direct"
	// MediaRelay is always through the node that took the call.
	MediaRelay ForwardMedia = "relay"
)

// ParseForwardMedia reads one of the three.
func ParseForwardMedia(text string) (ForwardMedia, error) {
	switch m := ForwardMedia(text); m {
	case MediaAuto, MediaDirect, MediaRelay:
		return m, nil
	}
	return "", fmt.Errorf("%q is no way for media; write auto (direct inside a site, relay between sites), direct or relay", text)
}

// mediaWay is where the media of a caller goes, as it has been told to both ends. With
// the states of the two dialogs it is all that another node needs to go on with a
// forwarded call. It encodes as JSON.
type mediaWay struct {
	Caller netip.AddrPort `json:"caller"` // where the caller was told to send RTP
	Focus  mediaTerms     `json:"focus"`  // what the focus was told; the zero value: no focus was
}

// mediaTerms are what the focus is told of the other end: of us when we relay, else of
// the caller itself.
type mediaTerms struct {
	Addr       netip.AddrPort        `json:"addr"` // where that end takes RTP
	RTCP       uint16                `json:"rtcp"` // and RTCP, on the same host
	Format     codec.Format          `json:"format"`
	DTMF       uint8                 `json:"dtmf"`
	PacketTime time.Duration         `json:"packetTime"`
	XR         bool                  `json:"xr,omitempty"`
	Direction  offeranswer.Direction `json:"direction"` // as that end sees it
}

// termsOf are what the focus is told of the caller with whom m is agreed, when the
// caller sends it RTP itself.
func termsOf(m offeranswer.Media) mediaTerms {
	return mediaTerms{Addr: m.Remote, RTCP: m.RemoteRTCP.Port(), Format: m.Format, DTMF: m.DTMF, PacketTime: m.PacketTime, XR: m.XR,
		Direction: m.Direction.Mirror()}
}

// at are the same terms for who relays at an address. The focus always sends to it: a
// hold is told by other means, and its silence shows that it is dead.
func (t mediaTerms) at(addr netip.AddrPort) mediaTerms {
	t.Addr, t.RTCP, t.Direction = addr, addr.Port()+1, offeranswer.SendRecv
	return t
}

// offer describes the terms to the focus.
func (t mediaTerms) offer(l offeranswer.Local) ([]byte, error) {
	return offeranswer.OfferSame(offeranswer.Media{Format: t.Format, DTMF: t.DTMF, PacketTime: t.PacketTime, XR: t.XR}, l, t.Direction)
}

// mediaStep is what is to be done next to bring media to where it is wanted.
type mediaStep uint8

const (
	inPlace mediaStep = iota
	tellCaller
	tellFocus
)

// nextStep is the next step from what both ends have been told to what they should be.
// It is pure.
//
// On the way past this node the caller goes first: if it refuses, nothing has changed.
// Until the focus is told, what it sends still comes through us. On the way back the
// focus goes first, for it takes RTP of the one before until the new one shows: nothing
// is lost meanwhile either way.
func nextStep(is, want mediaWay, direct bool) mediaStep {
	caller := is.Caller != want.Caller
	focus := want.Focus != mediaTerms{} && is.Focus != want.Focus
	switch {
	case caller && (direct || !focus):
		return tellCaller
	case focus:
		return tellFocus
	}
	return inPlace
}
