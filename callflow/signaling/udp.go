package signaling

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"unsafe"

	"github.com/emiago/sipgo/sip"
	"golang.org/x/sys/unix"
)

// flow is where a message came from, or goes to: a pair of addresses and the
// socket between them. Its life does not depend on who uses it, so sipgo's counts
// of references do nothing.
type flow interface {
	sip.Connection
	network() string // "UDP" or "TCP", as in Via
	local() netip.AddrPort
	remote() netip.AddrPort
	send(b []byte) error
	alive() bool
}

// receiveBuffer of the kernel holds bursts, such as all calls of a lost gateway.
const receiveBuffer = 4 << 20

// udpSocket is a bound UDP socket. It keeps nothing about its peers.
type udpSocket struct {
	conn     *net.UDPConn
	bound    netip.AddrPort
	wildcard bool // bound to all addresses: the kernel is asked for the one in use
}

func listenUDP(addr string) (*udpSocket, error) {
	a, err := net.ResolveUDPAddr("udp", addr)
	if err != nil {
		return nil, err
	}
	conn, err := net.ListenUDP("udp", a)
	if err != nil {
		return nil, err
	}
	bound := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	s := &udpSocket{conn: conn, bound: unmap(bound), wildcard: bound.Addr().IsUnspecified()}
	if err := s.prepare(bound.Addr()); err != nil {
		conn.Close()
		return nil, err
	}
	return s, nil
}

func (s *udpSocket) prepare(bound netip.Addr) error {
	// A smaller buffer than wanted is no reason not to start.
	_ = s.conn.SetReadBuffer(receiveBuffer)
	if !s.wildcard {
		return nil
	}
	raw, err := s.conn.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		if bound.Is4() {
			failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_PKTINFO, 1)
		} else {
			failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO, 1)
		}
	})
	if failed != nil {
		return fmt.Errorf("ask for the address that datagrams come to: %w", failed)
	}
	return err
}

// serve reads until the socket is closed. The bytes are the receiver's.
func (s *udpSocket) serve(receive func([]byte, flow)) error {
	buf := make([]byte, maxMessage)
	oob := make([]byte, 128)
	for {
		n, noob, _, from, err := s.conn.ReadMsgUDPAddrPort(buf, oob)
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			// Such as an ICMP error of an earlier datagram: not about this socket.
			if n == 0 && !from.IsValid() && !isTransient(err) {
				return err
			}
			continue
		}
		f := &udpFlow{socket: s, to: unmap(from), from: s.bound}
		if s.wildcard {
			f.from = netip.AddrPortFrom(arrivedAt(oob[:noob]), s.bound.Port())
		}
		receive(bytes.Clone(buf[:n]), f)
	}
}

func isTransient(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.EINTR) || errors.Is(err, syscall.ENOBUFS) ||
		errors.Is(err, syscall.ENOMEM) || errors.Is(err, syscall.EHOSTUNREACH) || errors.Is(err, syscall.ENETUNREACH)
}

// arrivedAt is the local address that a datagram came to.
func arrivedAt(oob []byte) netip.Addr {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return netip.Addr{}
	}
	for _, m := range messages {
		switch {
		case m.Header.Level == unix.IPPROTO_IP && m.Header.Type == unix.IP_PKTINFO && len(m.Data) >= unix.SizeofInet4Pktinfo:
			info := (*unix.Inet4Pktinfo)(unsafe.Pointer(&m.Data[0]))
			return netip.AddrFrom4(info.Addr)
		case m.Header.Level == unix.IPPROTO_IPV6 && m.Header.Type == unix.IPV6_PKTINFO && len(m.Data) >= unix.SizeofInet6Pktinfo:
			info := (*unix.Inet6Pktinfo)(unsafe.Pointer(&m.Data[0]))
			return netip.AddrFrom16(info.Addr).Unmap()
		}
	}
	return netip.Addr{}
}

// udpFlow is one peer of a UDP socket.
type udpFlow struct {
	socket   *udpSocket
	from, to netip.AddrPort
}

func (f *udpFlow) network() string        { return "UDP" }
func (f *udpFlow) local() netip.AddrPort  { return f.from }
func (f *udpFlow) remote() netip.AddrPort { return f.to }
func (f *udpFlow) alive() bool            { return true }
func (f *udpFlow) LocalAddr() net.Addr    { return net.UDPAddrFromAddrPort(f.from) }
func (f *udpFlow) Ref(int) int            { return 1 }
func (f *udpFlow) TryClose() (int, error) { return 1, nil }
func (f *udpFlow) Close() error           { return nil }

// WriteMsg sends a message of any size up to 64k; IP cuts it into fragments.
func (f *udpFlow) WriteMsg(m sip.Message) error { return f.send(encode(m)) }

// send leaves from the address that the peer knows, also on a host with several.
func (f *udpFlow) send(b []byte) error {
	var oob []byte
	if f.socket.wildcard && f.from.Addr().IsValid() {
		if from := f.from.Addr(); from.Is4() && f.socket.bound.Addr().Is4() {
			oob = unix.PktInfo4(&unix.Inet4Pktinfo{Spec_dst: from.As4()})
		} else {
			oob = unix.PktInfo6(&unix.Inet6Pktinfo{Addr: from.As16()})
		}
	}
	_, _, err := f.socket.conn.WriteMsgUDPAddrPort(b, oob, f.to)
	return err
}

func encode(m sip.Message) []byte {
	var b bytes.Buffer
	m.StringWrite(&b)
	return b.Bytes()
}

func unmap(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }
