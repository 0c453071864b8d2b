package session

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

const errAddressInUse = unix.EADDRINUSE

// expeditedForwarding marks voice for routers that give it precedence (RFC
// 3246, RFC 4594): DSCP 46 in the upper six bits of the traffic class.
const expeditedForwarding = 46 << 2

// socket is a bound, non-blocking UDP socket outside the Go poller. The poller
// would wake a thread for each packet; here the owner looks once per tick. The
// system calls are raw: they never block, so the scheduler need not be told.
//
// It is not safe for concurrent use: the session's lock guards it.
type socket struct {
	fd    int
	local netip.AddrPort
	from  unix.RawSockaddrAny   // scratch for receive
	to    unix.RawSockaddrInet6 // or an IPv4 address: where the last datagram went
	toKey netip.AddrPort        // what is in to
	toLen uint32
}

func openSocket(addr netip.AddrPort) (*socket, error) {
	family := unix.AF_INET
	if addr.Addr().Is6() {
		family = unix.AF_INET6
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open a UDP socket: %w", err)
	}
	// Marking is a courtesy to the network, not a condition of the call.
	if family == unix.AF_INET {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_TOS, expeditedForwarding)
	} else {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_TCLASS, expeditedForwarding)
	}
	if err := unix.Bind(fd, sockaddr(addr)); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("bind UDP %s: %w", addr, err)
	}
	return &socket{fd: fd, local: addr}, nil
}

func sockaddr(a netip.AddrPort) unix.Sockaddr {
	if a.Addr().Is4() {
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
	}
	return &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
}

// receive takes one datagram if there is one. A datagram longer than buf is cut.
func (s *socket) receive(buf []byte) (n int, from netip.AddrPort, ok bool) {
	size := uint32(unix.SizeofSockaddrAny)
	r, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(s.fd),
		uintptr(unsafe.Pointer(&buf[0])), uintptr(len(buf)), unix.MSG_DONTWAIT,
		uintptr(unsafe.Pointer(&s.from)), uintptr(unsafe.Pointer(&size)))
	if errno != 0 {
		// EAGAIN: nothing there. ECONNREFUSED and the like report an ICMP error
		// of an earlier send; the session's media time-out deals with that.
		return 0, netip.AddrPort{}, false
	}
	return int(r), addrPort(&s.from), true
}

// addrPort reads an address that the kernel has written.
func addrPort(from *unix.RawSockaddrAny) netip.AddrPort {
	switch from.Addr.Family {
	case unix.AF_INET:
		a := (*unix.RawSockaddrInet4)(unsafe.Pointer(from))
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), networkOrder(a.Port))
	case unix.AF_INET6:
		a := (*unix.RawSockaddrInet6)(unsafe.Pointer(from))
		return netip.AddrPortFrom(netip.AddrFrom16(a.Addr).Unmap(), networkOrder(a.Port))
	}
	return netip.AddrPort{}
}

// send gives one datagram to the kernel. What the kernel cannot take is lost, as
// on any network; the peer's receiver reports tell.
func (s *socket) send(b []byte, to netip.AddrPort) error {
	address, length := s.address(to)
	return sendTo(s.fd, b, address, length)
}

func sendTo(fd int, b []byte, to *unix.RawSockaddrInet6, toLength uint32) error {
	_, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd),
		uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL,
		uintptr(unsafe.Pointer(to)), uintptr(toLength))
	if errno != 0 {
		return errno
	}
	return nil
}

// address is to as the kernel wants it. It is valid until the next call.
func (s *socket) address(to netip.AddrPort) (address *unix.RawSockaddrInet6, length uint32) {
	if to != s.toKey {
		s.aim(to)
	}
	return &s.to, s.toLen
}

func (s *socket) aim(to netip.AddrPort) {
	s.toKey = to
	if s.local.Addr().Is4() {
		a := (*unix.RawSockaddrInet4)(unsafe.Pointer(&s.to))
		*a = unix.RawSockaddrInet4{Family: unix.AF_INET, Port: networkOrder(to.Port()), Addr: to.Addr().Unmap().As4()}
		s.toLen = unix.SizeofSockaddrInet4
		return
	}
	s.to = unix.RawSockaddrInet6{Family: unix.AF_INET6, Port: networkOrder(to.Port()), Addr: to.Addr().As16()}
	s.toLen = unix.SizeofSockaddrInet6
}

// networkOrder swaps between a port as a number and as the kernel keeps it.
func networkOrder(port uint16) uint16 {
	var b [2]byte
	binary.BigEndian.PutUint16(b[:], port)
	return binary.NativeEndian.Uint16(b[:])
}

func (s *socket) close() { unix.Close(s.fd) }
