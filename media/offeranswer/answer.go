package offeranswer

import (
	"fmt"
	"strings"
	"time"

	"github.com/pion/sdp/v3"

	"github.com/conclave-voice/conclave/media/codec"
)

// Answer answers an offer with our formats. It returns the answer's text and
// what is now agreed, or ErrMalformed or ErrNoCommonMedia.
func Answer(offer []byte, formats []codec.Format, l Local) ([]byte, Media, error) {
	d, err := parse(offer)
	if err != nil {
		return nil, Media{}, err
	}
	index, agreed, err := choose(d, formats)
	if err != nil {
		return nil, Media{}, err
	}
	answer := describe(l)
	// Each m= line of the offer has one in the answer, in the same order.
	for i, m := range d.MediaDescriptions {
		if i == index {
			answer.WithMedia(describeStream(l, m.MediaName.Protos, []codec.Format{agreed.Format}, agreed))
		} else {
			answer.WithMedia(refusal(m))
		}
	}
	text, err := answer.Marshal()
	if err != nil {
		return nil, Media{}, fmt.Errorf("write the answer: %w", err)
	}
	return text, agreed, nil
}

// choose picks the first stream of the offer with a codec that we have. An
// unreadable stream spoils the offer only if no other one serves.
func choose(d *sdp.SessionDescription, formats []codec.Format) (int, Media, error) {
	failure := fmt.Errorf("%w: no audio stream over RTP/AVP", ErrNoCommonMedia)
	for i, m := range d.MediaDescriptions {
		if !usable(m) {
			continue
		}
		s, err := readStream(d, m)
		if err != nil {
			failure = err
			continue
		}
		agreed, ok := agree(s, formats)
		if !ok {
			failure = fmt.Errorf("%w: offered %s", ErrNoCommonMedia, names(s.payloads))
			continue
		}
		agreed.RemoteOwner = d.Origin.String()
		return i, agreed, nil
	}
	return 0, Media{}, failure
}

// agree settles codec, events, packet time and direction of one stream.
func agree(s stream, formats []codec.Format) (Media, bool) {
	agreed := Media{Remote: s.remote, RemoteRTCP: s.remoteRTCP}
	found := false
	for _, p := range s.payloads {
		for _, f := range formats {
			if !found && p.matches(f) {
				f = f.Agree(p.fmtp)
				f.PayloadType = int(p.number)
				agreed.Format, found = f, true
			}
		}
	}
	if !found {
		return agreed, false
	}
	agreed.DTMF, agreed.DTMFClock = event(s, agreed.Format.ClockRate)
	for _, p := range s.payloads {
		if agreed.ComfortNoise == 0 && isNoise(p, agreed.Format.ClockRate) {
			agreed.ComfortNoise = p.number
		}
	}
	agreed.PacketTime = packetTime(s, agreed.Format.Frame())
	agreed.XR = s.metrics
	agreed.Direction = s.direction.Mirror()
	agreed.PeerOnHold = !agreed.Direction.Sends() || s.heldByAddress
	return agreed, true
}

// event finds the type of telephone events. They count time by the clock of the audio
// beside them (RFC 4733 section 2.1); some peers offer one type for each clock, and some
// have one of 8000 Hz beside wideband audio: better that than no keys. otherClock is that
// of the events if it is not the audio's.
func event(s stream, clock int) (number uint8, otherClock int) {
	for _, p := range s.payloads {
		switch {
		case !isEvent(p):
		case p.clockRate == clock:
			return p.number, 0
		case number == 0 && p.clockRate == 8000:
			number, otherClock = p.number, p.clockRate
		}
	}
	return number, otherClock
}

func isEvent(p payload) bool {
	return p.name == telephoneEvent
}

// packetTime is what we send: what the peer prefers, in whole frames of the codec,
// and no more than it can take, but for a single frame.
func packetTime(s stream, frame time.Duration) time.Duration {
	t := s.packetTime
	if t == 0 {
		t = defaultPacketTime
	}
	if s.maxPacketTime > 0 {
		t = min(t, s.maxPacketTime)
	}
	return max(frame, min(t, codec.MaxPacketTime).Truncate(frame))
}

// isNoise says whether a payload type is comfort noise for audio of a clock rate. The
// static type needs no a=rtpmap.
func isNoise(p payload, clockRate int) bool {
	if p.name == "" {
		return p.number == StaticNoise && clockRate == 8000
	}
	return strings.EqualFold(p.name, comfortNoise) && p.clockRate == clockRate
}

func names(list []payload) string {
	text := ""
	for i, p := range list {
		if i > 0 {
			text += ", "
		}
		if p.name == "" {
			text += fmt.Sprintf("payload type %d", p.number)
		} else {
			text += fmt.Sprintf("%s/%d", p.name, p.clockRate)
		}
	}
	return text
}
