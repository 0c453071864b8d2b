package wan

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// Other is the class of packets that no rule fits.
const Other = "other"

// Protocol is a protocol number of the IP header; 0 is any.
type Protocol uint8

// The protocols that a [Class] may name.
const (
	ICMP Protocol = 1
	TCP  Protocol = 6
	UDP  Protocol = 17
)

// PortRange is ports of UDP or TCP, both ends included.
type PortRange struct{ First, Last uint16 }

// Port is the range of one port.
func Port(n uint16) PortRange { return PortRange{n, n} }

// Class is a rule that gives packets a name. A packet is of the first class that fits.
type Class struct {
	Name     string
	Protocol Protocol
	Ports    []PortRange // at either end; none: any packet of the protocol
}

func (c Class) fits(h header) bool {
	if c.Protocol != 0 && c.Protocol != h.protocol {
		return false
	}
	if len(c.Ports) == 0 {
		return true
	}
	for _, r := range c.Ports {
		if h.ports && (r.has(h.source) || r.has(h.target)) {
			return true
		}
	}
	return false
}

func (r PortRange) has(port uint16) bool { return port >= r.First && port <= r.Last }

// header is what the router reads of a packet.
type header struct {
	to             netip.Addr
	protocol       Protocol
	ports          bool // source and target are known
	source, target uint16
}

// ipv4Header is the length without options (RFC 791 section 3.1).
const ipv4Header = 20

// readHeader reads an IPv4 packet.
func readHeader(p []byte) (header, error) {
	if len(p) < ipv4Header || p[0]>>4 != 4 {
		return header{}, fmt.Errorf("no IPv4 packet: %d octets", len(p))
	}
	length := int(p[0]&15) * 4
	if length < ipv4Header || length > len(p) {
		return header{}, fmt.Errorf("an IPv4 header of %d octets in a packet of %d", length, len(p))
	}
	h := header{to: netip.AddrFrom4([4]byte(p[16:20])), protocol: Protocol(p[9])}
	firstFragment := binary.BigEndian.Uint16(p[6:])&0x1fff == 0
	if (h.protocol == TCP || h.protocol == UDP) && firstFragment && len(p) >= length+4 {
		h.ports = true
		h.source, h.target = binary.BigEndian.Uint16(p[length:]), binary.BigEndian.Uint16(p[length+2:])
	}
	return h, nil
}
