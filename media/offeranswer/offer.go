package offeranswer

import (
	"fmt"

	"github.com/conclave-voice/conclave/media/codec"
)

// First dynamic payload types of our offers; 101 for events is what every peer
// expects, though any dynamic type would do.
const (
	firstDynamic = 96
	offeredEvent = 101
)

// Offer describes what we can do, for a call that we make or for an INVITE that
// came without an offer. The direction is d, for example SendOnly to hold.
func Offer(formats []codec.Format, l Local, d Direction) ([]byte, error) {
	return writeOffer(number(formats), l, Media{DTMF: offeredEvent, Direction: d, PacketTime: defaultPacketTime, XR: true})
}

// OfferSame describes just what another leg has agreed on, so that its packets can be
// passed on as they are: its codec, its packet time, and telephone events and extended
// reports only if it has them. The answer is read by ReadAnswer with m.Format alone.
func OfferSame(m Media, l Local, d Direction) ([]byte, error) {
	m.Direction = d
	return writeOffer([]codec.Format{m.Format}, l, m)
}

func writeOffer(formats []codec.Format, l Local, m Media) ([]byte, error) {
	text, err := describe(l).WithMedia(describeStream(l, []string{"RTP", "AVP"}, formats, m)).Marshal()
	if err != nil {
		return nil, fmt.Errorf("write the offer: %w", err)
	}
	return text, nil
}

// number gives each format without a static payload type a dynamic one.
func number(formats []codec.Format) []codec.Format {
	next := firstDynamic
	numbered := make([]codec.Format, len(formats))
	for i, f := range formats {
		if f.PayloadType < 0 {
			if next == offeredEvent {
				next++
			}
			f.PayloadType = next
			next++
		}
		numbered[i] = f
	}
	return numbered
}

// ReadAnswer reads the answer to our own Offer of the same formats and
// direction.
func ReadAnswer(answer []byte, formats []codec.Format, offered Direction) (Media, error) {
	d, err := parse(answer)
	if err != nil {
		return Media{}, err
	}
	if len(d.MediaDescriptions) != 1 {
		return Media{}, fmt.Errorf("%w: the answer has %d streams, the offer had 1", ErrMalformed, len(d.MediaDescriptions))
	}
	if !usable(d.MediaDescriptions[0]) {
		return Media{}, fmt.Errorf("%w: the audio stream was refused", ErrNoCommonMedia)
	}
	s, err := readStream(d, d.MediaDescriptions[0])
	if err != nil {
		return Media{}, err
	}
	agreed, ok := agree(s, number(formats))
	if !ok {
		return Media{}, fmt.Errorf("%w: answered %s", ErrNoCommonMedia, names(s.payloads))
	}
	agreed.Direction = narrow(offered, agreed.Direction)
	agreed.PeerOnHold = !s.direction.Receives() || s.heldByAddress
	agreed.RemoteOwner = d.Origin.String()
	return agreed, nil
}

// narrow is what is left when we offered one direction and the peer allows
// another.
func narrow(offered, allowed Direction) Direction {
	sends := offered.Sends() && allowed.Sends()
	receives := offered.Receives() && allowed.Receives()
	switch {
	case sends && receives:
		return SendRecv
	case sends:
		return SendOnly
	case receives:
		return RecvOnly
	default:
		return Inactive
	}
}
