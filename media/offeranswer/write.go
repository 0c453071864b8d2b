package offeranswer

import (
	"net/netip"
	"strconv"
	"time"

	"github.com/pion/sdp/v3"

	"github.com/conclave-voice/conclave/media/codec"
)

// describe writes the session part of our description.
func describe(l Local) *sdp.SessionDescription {
	return &sdp.SessionDescription{
		Origin: sdp.Origin{
			Username: "-", SessionID: l.SessionID, SessionVersion: l.Version,
			NetworkType: "IN", AddressType: family(l.Addr.Addr()), UnicastAddress: l.Addr.Addr().String(),
		},
		SessionName:           "Conclave",
		ConnectionInformation: connection(l.Addr.Addr()),
		TimeDescriptions:      []sdp.TimeDescription{{}},
	}
}

// describeStream writes our audio stream with the given formats; of m it takes
// the payload types of events and comfort noise, the packet time, extended reports and the
// direction.
func describeStream(l Local, protos []string, formats []codec.Format, m Media) *sdp.MediaDescription {
	s := &sdp.MediaDescription{MediaName: sdp.MediaName{
		Media: "audio", Port: sdp.RangedPort{Value: int(l.Addr.Port())}, Protos: protos,
	}}
	for _, f := range formats {
		channels := uint16(0)
		if f.Channels > 1 {
			channels = uint16(f.Channels)
		}
		s.WithCodec(uint8(f.PayloadType), f.Name, uint32(f.ClockRate), channels, f.Fmtp)
	}
	if m.DTMF != 0 {
		clock := m.DTMFClock
		if clock == 0 {
			clock = formats[0].ClockRate
		}
		s.WithCodec(m.DTMF, telephoneEvent, uint32(clock), 0, "0-15")
	}
	if m.ComfortNoise != 0 {
		s.WithCodec(m.ComfortNoise, comfortNoise, uint32(formats[0].ClockRate), 0, "")
	}
	if l.RTCP != 0 && l.RTCP != l.Addr.Port()+1 {
		s.WithValueAttribute("rtcp", strconv.Itoa(int(l.RTCP)))
	}
	s.WithValueAttribute("ptime", strconv.FormatInt(int64(m.PacketTime/time.Millisecond), 10))
	s.WithValueAttribute("maxptime", strconv.FormatInt(int64(codec.MaxPacketTime/time.Millisecond), 10))
	if m.XR {
		s.WithValueAttribute(extendedReports, voipMetrics)
	}
	return s.WithPropertyAttribute(m.Direction.String())
}

// refusal answers a stream that we do not take (RFC 3264 section 6).
func refusal(m *sdp.MediaDescription) *sdp.MediaDescription {
	r := &sdp.MediaDescription{MediaName: m.MediaName}
	r.MediaName.Port = sdp.RangedPort{Value: 0}
	return r
}

func connection(a netip.Addr) *sdp.ConnectionInformation {
	return &sdp.ConnectionInformation{NetworkType: "IN", AddressType: family(a), Address: &sdp.Address{Address: a.String()}}
}

func family(a netip.Addr) string {
	if a.Is6() {
		return "IP6"
	}
	return "IP4"
}
