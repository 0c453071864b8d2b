package offeranswer

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pion/sdp/v3"

	"github.com/conclave-voice/conclave/media/codec"
)

// defaultPacketTime is what telephony uses where nothing is said.
const defaultPacketTime = 20 * time.Millisecond

// telephoneEvent is the encoding name of RFC 4733.
const telephoneEvent = "telephone-event"

// comfortNoise is that of RFC 3389.
const comfortNoise = "CN"

// extendedReports is the attribute that asks for them, and voipMetrics the one sort of
// block that we ask for.
const extendedReports, voipMetrics = "rtcp-xr", "voip-metrics"

// maxSize bounds what is parsed; a description of one call has some 500 bytes.
const maxSize = 64 << 10

func parse(text []byte) (*sdp.SessionDescription, error) {
	if len(text) > maxSize {
		return nil, fmt.Errorf("%w: %d bytes, at most %d are read", ErrMalformed, len(text), maxSize)
	}
	var d sdp.SessionDescription
	if err := d.Unmarshal(text); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrMalformed, err)
	}
	if d.Origin.UnicastAddress == "" {
		return nil, fmt.Errorf("%w: no o= line", ErrMalformed)
	}
	return &d, nil
}

// stream is one m= line, read.
type stream struct {
	remote, remoteRTCP netip.AddrPort
	direction          Direction // as the peer says it
	heldByAddress      bool      // c=0.0.0.0, hold as in RFC 2543
	packetTime         time.Duration
	maxPacketTime      time.Duration
	metrics            bool      // wanted in extended reports
	payloads           []payload // in the peer's order
}

// payload is one payload type of a stream.
type payload struct {
	number    uint8
	name      string
	clockRate int
	channels  int
	fmtp      string
}

// usable says whether the line is audio over plain RTP that is not turned off.
func usable(m *sdp.MediaDescription) bool {
	if m.MediaName.Media != "audio" || m.MediaName.Port.Value == 0 {
		return false
	}
	switch strings.Join(m.MediaName.Protos, "/") {
	case "RTP/AVP", "RTP/AVPF":
		return true
	}
	return false
}

func readStream(d *sdp.SessionDescription, m *sdp.MediaDescription) (stream, error) {
	var s stream
	addr, err := connectionAddress(d, m)
	if err != nil {
		return s, err
	}
	port := m.MediaName.Port.Value
	if port < 1 || port > 65535 {
		return s, fmt.Errorf("%w: audio port %d", ErrMalformed, port)
	}
	s.heldByAddress = addr.IsUnspecified()
	s.remote = netip.AddrPortFrom(addr, uint16(port))
	s.remoteRTCP = rtcpAddress(m, s.remote)
	s.direction = direction(d, m)
	s.packetTime = milliseconds(m, "ptime")
	s.maxPacketTime = milliseconds(m, "maxptime")
	s.metrics = wantsMetrics(d, m)
	s.payloads, err = readPayloads(m)
	return s, err
}

// connectionAddress finds the c= line that counts (RFC 8866 section 5.7).
func connectionAddress(d *sdp.SessionDescription, m *sdp.MediaDescription) (netip.Addr, error) {
	c := m.ConnectionInformation
	if c == nil {
		c = d.ConnectionInformation
	}
	if c == nil || c.Address == nil {
		return netip.Addr{}, fmt.Errorf("%w: no c= line", ErrMalformed)
	}
	addr, err := netip.ParseAddr(c.Address.Address)
	if err != nil {
		// A host name would need a resolver inside the negotiation; RFC 8866
		// allows one, no peer that we know sends one.
		return netip.Addr{}, fmt.Errorf("%w: c= address %q is not an IP address", ErrMalformed, c.Address.Address)
	}
	if addr.IsMulticast() {
		return netip.Addr{}, fmt.Errorf("%w: c= address %s is multicast", ErrMalformed, addr)
	}
	return addr.Unmap().WithZone(""), nil
}

// rtcpAddress reads a=rtcp (RFC 3605), else takes the port above (RFC 3550
// section 11). A peer that names another host for RTCP is not believed: reports
// would be a way to make us send to third parties.
func rtcpAddress(m *sdp.MediaDescription, rtp netip.AddrPort) netip.AddrPort {
	port := rtp.Port() + 1
	if v, ok := m.Attribute("rtcp"); ok {
		first, _, _ := strings.Cut(v, " ")
		if p, err := strconv.ParseUint(first, 10, 16); err == nil && p > 0 {
			port = uint16(p)
		}
	}
	return netip.AddrPortFrom(rtp.Addr(), port)
}

func direction(d *sdp.SessionDescription, m *sdp.MediaDescription) Direction {
	for _, find := range []func(string) (string, bool){m.Attribute, d.Attribute} {
		for dir := SendRecv; dir <= Inactive; dir++ {
			if _, ok := find(dir.String()); ok {
				return dir
			}
		}
	}
	return SendRecv
}

// wantsMetrics reads a=rtcp-xr (RFC 3611 section 5.1), which may be said of the session or
// of the stream, whose word counts more. What else it may ask for is not sent.
func wantsMetrics(d *sdp.SessionDescription, m *sdp.MediaDescription) bool {
	wanted, of := m.Attribute(extendedReports)
	if !of {
		wanted, _ = d.Attribute(extendedReports)
	}
	return slices.Contains(strings.Fields(wanted), voipMetrics)
}

// milliseconds reads a time attribute; zero if absent or not sane.
func milliseconds(m *sdp.MediaDescription, name string) time.Duration {
	v, ok := m.Attribute(name)
	if !ok {
		return 0
	}
	ms, err := strconv.ParseFloat(strings.TrimSpace(v), 64) // some peers write "20.0"
	if err != nil || ms < 1 || ms > 1000 {
		return 0
	}
	return time.Duration(ms) * time.Millisecond
}

func readPayloads(m *sdp.MediaDescription) ([]payload, error) {
	var list []payload
	for _, format := range m.MediaName.Formats {
		n, err := strconv.ParseUint(format, 10, 7)
		if err != nil {
			return nil, fmt.Errorf("%w: payload type %q", ErrMalformed, format)
		}
		p := payload{number: uint8(n), channels: 1}
		p.readMap(m)
		p.readFmtp(m)
		list = append(list, p)
	}
	return list, nil
}

// readMap reads a=rtpmap:PT NAME/CLOCK[/CHANNELS] (RFC 8866 section 6.6).
func (p *payload) readMap(m *sdp.MediaDescription) {
	for _, a := range m.Attributes {
		if a.Key != "rtpmap" {
			continue
		}
		number, encoding, _ := strings.Cut(a.Value, " ")
		if number != strconv.Itoa(int(p.number)) {
			continue
		}
		parts := strings.Split(strings.TrimSpace(encoding), "/")
		p.name = parts[0]
		if len(parts) > 1 {
			p.clockRate, _ = strconv.Atoi(parts[1])
		}
		if len(parts) > 2 {
			p.channels, _ = strconv.Atoi(parts[2])
		}
		return
	}
}

func (p *payload) readFmtp(m *sdp.MediaDescription) {
	for _, a := range m.Attributes {
		if number, value, ok := strings.Cut(a.Value, " "); ok && a.Key == "fmtp" && number == strconv.Itoa(int(p.number)) {
			p.fmtp = strings.TrimSpace(value)
			return
		}
	}
}

// matches says whether the payload type carries this format. A static payload
// type needs no rtpmap (RFC 3551 section 6).
func (p payload) matches(f codec.Format) bool {
	if p.name == "" {
		return f.PayloadType >= 0 && int(p.number) == f.PayloadType
	}
	return strings.EqualFold(p.name, f.Name) && p.clockRate == f.ClockRate && p.channels == max(f.Channels, 1)
}
