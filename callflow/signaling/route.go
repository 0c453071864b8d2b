package signaling

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

const (
	// maxDatagram is the size above which a request goes by TCP, if the peer takes
	// it (RFC 3261 section 18.1.1); in bytes.
	maxDatagram = 1300
	// tcpProbe is how long the peer has to take it.
	tcpProbe = time.Second
)

// hop is where a request goes next.
type hop struct {
	network string // "UDP" or "TCP"
	host    string // name or IP
	port    int    // 0: to be looked up
}

// hopOf reads the transport and address of a URI.
func hopOf(u *sip.Uri) (hop, error) {
	if u.Scheme != "sip" {
		return hop{}, fmt.Errorf("URI scheme %q cannot be called; use sip", u.Scheme)
	}
	h := hop{network: "UDP", host: strings.Trim(u.Host, "[]"), port: u.Port}
	for _, p := range u.UriParams {
		switch strings.ToLower(p.K) {
		case "transport":
			h.network = strings.ToUpper(p.V)
		case "maddr":
			h.host = strings.Trim(p.V, "[]")
		}
	}
	if h.network != "UDP" && h.network != "TCP" {
		return hop{}, fmt.Errorf("transport %q of a URI is not supported; use udp or tcp", h.network)
	}
	return h, nil
}

// resolve finds the addresses of a hop in the order to try them (RFC 3263 section
// 4.2): numbers as they are, names with a port by A and AAAA, others by SRV first.
func (h hop) resolve(ctx context.Context) ([]netip.AddrPort, error) {
	if ip, err := netip.ParseAddr(h.host); err == nil {
		return []netip.AddrPort{netip.AddrPortFrom(ip.Unmap(), uint16(portOrDefault(h.port)))}, nil
	}
	var found []netip.AddrPort
	if h.port == 0 {
		_, records, _ := net.DefaultResolver.LookupSRV(ctx, "sip", strings.ToLower(h.network), h.host)
		for _, r := range records {
			ips, _ := net.DefaultResolver.LookupNetIP(ctx, "ip", r.Target)
			for _, ip := range ips {
				found = append(found, netip.AddrPortFrom(ip.Unmap(), r.Port))
			}
		}
	}
	if len(found) > 0 {
		return found, nil
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", h.host)
	if err != nil {
		return nil, fmt.Errorf("find the address of %s: %w", h.host, err)
	}
	for _, ip := range ips {
		found = append(found, netip.AddrPortFrom(ip.Unmap(), uint16(portOrDefault(h.port))))
	}
	return found, nil
}

func portOrDefault(port int) int {
	if port == 0 {
		return sip.DefaultUdpPort
	}
	return port
}

// flowTo is a flow to an address. near is one whose local address is to be kept.
func (e *Endpoint) flowTo(ctx context.Context, network string, peer netip.AddrPort, near flow) (flow, error) {
	if network == "TCP" || len(e.sockets) == 0 {
		return e.dialTCP(ctx, peer)
	}
	if u, ok := near.(*udpFlow); ok && u.from.Addr().Is4() == peer.Addr().Is4() {
		return &udpFlow{socket: u.socket, from: u.from, to: peer}, nil
	}
	fits := slices.IndexFunc(e.sockets, func(s *udpSocket) bool {
		bound := s.bound.Addr()
		return bound.Is4() == peer.Addr().Is4() || bound.Is6() && s.wildcard
	})
	if fits < 0 {
		return nil, fmt.Errorf("%w: no UDP socket can reach %s; listen on an address of its kind", ErrTransport, peer)
	}
	s := e.sockets[fits]
	f := &udpFlow{socket: s, from: s.bound, to: peer}
	if s.wildcard {
		f.from = netip.AddrPortFrom(routeSource(peer), s.bound.Port())
	}
	return f, nil
}

// routeSource is the local address that the kernel would use for a peer. A
// connected UDP socket sends nothing.
func routeSource(peer netip.AddrPort) netip.Addr {
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(peer))
	if err != nil {
		return netip.Addr{}
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
}

// contactAddr is where a flow's peer can send requests to us: the local address,
// and for TCP the port that we listen on.
func (e *Endpoint) contactAddr(f flow) netip.AddrPort {
	a := f.local()
	if f.network() == "UDP" {
		return a
	}
	for _, l := range e.listeners {
		bound := l.Addr().(*net.TCPAddr).AddrPort()
		if ip := bound.Addr().Unmap(); ip.IsUnspecified() || ip == a.Addr() {
			return netip.AddrPortFrom(a.Addr(), bound.Port())
		}
	}
	return a
}

func (e *Endpoint) contact(user string, f flow) string {
	var b strings.Builder
	b.WriteString("<sip:")
	if user != "" {
		b.WriteString(user + "@")
	}
	b.WriteString(e.contactAddr(f).String())
	if f.network() == "TCP" {
		b.WriteString(";transport=tcp")
	}
	return b.String() + ">"
}

// outgoing is a request of ours before it has a way.
type outgoing struct {
	method           string
	uri              sip.Uri
	routes           []string
	from, to, callID string
	cseq             uint32
	contact          string // empty: none
	maxForwards      int    // 0: 70
	headers          []Header
	sdp              []byte
	near             flow // see flowTo
	fixed            flow // this one and no other, if alive
	network          string
	peer             netip.AddrPort
}

// encode makes a message of it. Each has a branch of its own.
func (o *outgoing) encode(e *Endpoint, f flow) *sip.Request {
	req := sip.NewRequest(sip.RequestMethod(o.method), o.uri)
	req.SetTransport(f.network())
	add := func(name, value string) {
		if value != "" {
			req.AppendHeader(sip.NewHeader(name, value))
		}
	}
	add("Via", "SIP/2.0/"+f.network()+" "+e.contactAddr(f).String()+";rport;branch="+sip.RFC3261BranchMagicCookie+rand.Text())
	for _, r := range o.routes {
		add("Route", r)
	}
	hops := o.maxForwards
	if hops == 0 {
		hops = 70
	}
	add("Max-Forwards", strconv.Itoa(hops))
	add("From", o.from)
	add("To", o.to)
	add("Call-ID", o.callID)
	add("CSeq", strconv.FormatUint(uint64(o.cseq), 10)+" "+o.method)
	add("Contact", o.contact)
	add("User-Agent", e.config.UserAgent)
	for _, h := range o.headers {
		add(h.Name, clean(h.Value))
	}
	req.SetBody(nil)
	setSDP(req, o.sdp)
	return req
}

// prepare chooses the flow and makes the message. A request that is too large for
// a datagram goes by TCP when the peer takes it, else by UDP in fragments.
func (o *outgoing) prepare(ctx context.Context, e *Endpoint) (*sip.Request, flow, error) {
	f := o.fixed
	if f == nil || !f.alive() {
		var err error
		if f, err = e.flowTo(ctx, o.network, o.peer, o.near); err != nil {
			return nil, nil, err
		}
	}
	req := o.encode(e, f)
	if f.network() == "UDP" && len(encode(req)) > maxDatagram {
		ctx, cancel := context.WithTimeout(ctx, tcpProbe)
		defer cancel()
		if t, err := e.dialTCP(ctx, o.peer); err == nil {
			return o.encode(e, t), t, nil
		}
	}
	return req, f, nil
}

// cancelOf is the CANCEL of an INVITE of ours (RFC 3261 section 9.1).
func cancelOf(invite *sip.Request) *sip.Request {
	req := sip.NewRequest(sip.CANCEL, invite.Recipient)
	req.SetTransport(invite.Transport())
	for _, h := range invite.Headers() {
		switch fieldKey(h.Name()) {
		case "via", "route", "max-forwards", "from", "to", "call-id":
			req.AppendHeader(sip.NewHeader(h.Name(), h.Value()))
		case "cseq":
			number, _, _ := strings.Cut(h.Value(), " ")
			req.AppendHeader(sip.NewHeader("CSeq", number+" CANCEL"))
		}
	}
	req.SetBody(nil)
	return req
}

var errNoRoute = errors.New("there is no address to send to")
