package offeranswer

import (
	"errors"
	"net/netip"
	"time"

	"github.com/conclave-voice/conclave/media/codec"
)

var (
	// ErrMalformed: the description cannot be read, or misses what RFC 8866
	// requires. SIP's answer is 400.
	ErrMalformed = errors.New("malformed session description")
	// ErrNoCommonMedia: nothing in the offer that we can do. SIP's answer is 488.
	ErrNoCommonMedia = errors.New("no common audio codec or transport")
)

// Direction is which way media flows, as seen from us.
type Direction uint8

const (
	SendRecv Direction = iota
	SendOnly
	RecvOnly
	Inactive
)

// Sends says whether we may send.
func (d Direction) Sends() bool { return d == SendRecv || d == SendOnly }

// Receives says whether the peer may send to us.
func (d Direction) Receives() bool { return d == SendRecv || d == RecvOnly }

// String gives the SDP attribute.
func (d Direction) String() string {
	return [...]string{"sendrecv", "sendonly", "recvonly", "inactive"}[d]
}

// Mirror is the direction as the other end sees it.
func (d Direction) Mirror() Direction {
	switch d {
	case SendOnly:
		return RecvOnly
	case RecvOnly:
		return SendOnly
	default:
		return d
	}
}

// StaticNoise is the payload type of comfort noise at 8000 Hz (RFC 3389 section 4).
const StaticNoise = 13

// Local is our end of a stream.
type Local struct {
	Addr      netip.AddrPort // where we receive RTP
	RTCP      uint16         // the port of RTCP, on the same host (RFC 3605); 0: the one above Addr
	SessionID uint64         // constant for the life of a dialog
	Version   uint64         // grows by one whenever our description changes
}

// Media is what both ends have agreed on. It does not change; a re-INVITE makes
// a new one.
type Media struct {
	Format codec.Format // the codec, with the payload type that this call uses in Format.PayloadType
	DTMF   uint8        // payload type of telephone events, both ways; 0: none agreed
	// DTMFClock is the Hz of those events, if it is not Format.ClockRate; else 0.
	DTMFClock int
	// ComfortNoise is the payload type of what a peer sends in pauses (RFC 3389); 0: none
	// agreed, though the static type is taken all the same.
	ComfortNoise uint8
	Remote       netip.AddrPort // where the peer receives RTP
	RemoteRTCP   netip.AddrPort // RFC 3605, or one port above Remote
	Direction    Direction
	PacketTime   time.Duration // how much audio a packet that we send holds, up to codec.MaxPacketTime
	PeerOnHold   bool          // the peer does not want to hear us
	XR           bool          // the peer wants VoIP metrics in extended reports (RFC 3611 section 5)
	RemoteOwner  string        // the o= line of the peer, to see whether a re-INVITE changes anything
}
