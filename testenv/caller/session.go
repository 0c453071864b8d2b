package caller

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"

	"github.com/conclave-voice/conclave/testenv/pcap"
)

// The directions of a stream (RFC 3264 section 5.1).
const (
	sendRecv = "sendrecv"
	sendOnly = "sendonly"
	recvOnly = "recvonly"
	inactive = "inactive"
)

// describe is our session description. version grows with each that differs.
func describe(local netip.AddrPort, version int, direction string, event uint8) string {
	return fmt.Sprintf("v=0\r\no=- 1 %d IN IP4 %[2]s\r\ns=-\r\nc=IN IP4 %[2]s\r\nt=0 0\r\n"+
		"m=audio %d RTP/AVP 0 %[4]d\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:%[4]d telephone-event/8000\r\na=fmtp:%[4]d 0-15\r\na=ptime:20\r\na=%[5]s\r\n",
		version, local.Addr(), local.Port(), event, direction)
}

// remote is what the other side wants.
type remote struct {
	media     netip.AddrPort
	direction string // as it sees it
	event     uint8  // payload type of telephone events
}

// understand reads the other side's description. One without µ-law is refused.
func understand(body []byte) (remote, error) {
	r := remote{direction: sendRecv, event: pcap.EventType}
	var d sdp.SessionDescription
	if err := d.Unmarshal(body); err != nil {
		return r, fmt.Errorf("read the session description: %w", err)
	}
	at := slices.IndexFunc(d.MediaDescriptions, func(m *sdp.MediaDescription) bool { return m.MediaName.Media == "audio" })
	if at < 0 {
		return r, fmt.Errorf("the session description has no audio")
	}
	m := d.MediaDescriptions[at]
	if !slices.Contains(m.MediaName.Formats, "0") {
		return r, fmt.Errorf("the session description has no PCMU, only %v", m.MediaName.Formats)
	}
	c := m.ConnectionInformation
	if c == nil {
		c = d.ConnectionInformation
	}
	if c == nil || c.Address == nil {
		return r, fmt.Errorf("the session description has no address")
	}
	address, err := netip.ParseAddr(c.Address.Address)
	if err != nil {
		return r, fmt.Errorf("read the address of the session description: %w", err)
	}
	r.media = netip.AddrPortFrom(address, uint16(m.MediaName.Port.Value))
	for _, find := range []func(string) (string, bool){d.Attribute, m.Attribute} { // the stream's own counts
		for _, direction := range []string{sendRecv, sendOnly, recvOnly, inactive} {
			if _, found := find(direction); found {
				r.direction = direction
			}
		}
	}
	r.readEvent(m)
	return r, nil
}

// readEvent finds the payload type of telephone events.
func (r *remote) readEvent(m *sdp.MediaDescription) {
	for _, a := range m.Attributes {
		number, name, _ := strings.Cut(a.Value, " ")
		if a.Key != "rtpmap" || !strings.EqualFold(name, "telephone-event/8000") {
			continue
		}
		if n, err := strconv.ParseUint(number, 10, 7); err == nil {
			r.event = uint8(n)
		}
	}
}

// wantsAudio is whether we may send.
func (r remote) wantsAudio() bool {
	return (r.direction == sendRecv || r.direction == recvOnly) && !r.media.Addr().IsUnspecified() && r.media.Port() != 0
}

// answering is the direction of our answer to an offer (RFC 3264 section 6.1). held is
// whether we want no audio ourselves.
func (r remote) answering(held bool) string {
	receive, send := !held && (r.direction == sendRecv || r.direction == sendOnly), r.direction == sendRecv || r.direction == recvOnly
	switch {
	case receive && send:
		return sendRecv
	case send:
		return sendOnly
	case receive:
		return recvOnly
	}
	return inactive
}
