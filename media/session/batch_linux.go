package session

import (
	"net/netip"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// batchSize is how many datagrams one system call takes at most. A caller sends one in a
// tick; after a pause of the network, or of this node, there are more.
const batchSize = 8

// batch is room for the datagrams of one recvmmsg. With it, a tick asks each socket once:
// the call that finds a single datagram also finds that there is no other. Sessions share
// one (Traffic), for each needs it only while its tick runs.
type batch struct {
	headers [batchSize]messageHeader
	parts   [batchSize]unix.Iovec
	from    [batchSize]unix.RawSockaddrAny
	control [batchSize][64]byte
	data    [batchSize][maxPacket]byte
}

// messageHeader is struct mmsghdr of recvmmsg(2).
type messageHeader struct {
	header unix.Msghdr
	length uint32
	_      [4]byte
}

func newBatch() *batch {
	b := &batch{}
	for i := range b.headers {
		b.parts[i].Base = &b.data[i][0]
		b.parts[i].SetLen(maxPacket)
		h := &b.headers[i].header
		h.Iov = &b.parts[i]
		h.SetIovlen(1)
		h.Name = (*byte)(unsafe.Pointer(&b.from[i]))
		h.Control = &b.control[i][0]
	}
	return b
}

// receive takes what has arrived at a socket, up to batchSize datagrams, and returns how
// many those are. A datagram longer than maxPacket is cut.
func (b *batch) receive(s *socket) int {
	for i := range b.headers {
		h := &b.headers[i].header
		h.Namelen = unix.SizeofSockaddrAny
		h.SetControllen(len(b.control[i]))
	}
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVMMSG, uintptr(s.fd), uintptr(unsafe.Pointer(&b.headers[0])), batchSize, unix.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		// EAGAIN: nothing there. ECONNREFUSED and the like report an ICMP error
		// of an earlier send; the session's media time-out deals with that.
		return 0
	}
	return int(n)
}

// datagram is the i-th of the last receive, and who sent it.
func (b *batch) datagram(i int) ([]byte, netip.AddrPort) {
	return b.data[i][:b.headers[i].length], addrPort(&b.from[i])
}

// age is how long ago the kernel got the i-th datagram, if the socket notes that
// (noteArrival); else 0.
func (b *batch) age(i int, now time.Time) time.Duration {
	const space = int(unsafe.Sizeof(unix.Cmsghdr{}))
	if int(b.headers[i].header.Controllen) < space+int(unsafe.Sizeof(unix.Timespec{})) {
		return 0
	}
	c := (*unix.Cmsghdr)(unsafe.Pointer(&b.control[i][0]))
	if c.Level != unix.SOL_SOCKET || c.Type != unix.SCM_TIMESTAMPNS {
		return 0
	}
	at := (*unix.Timespec)(unsafe.Pointer(&b.control[i][space]))
	return max(now.Sub(time.Unix(at.Unix())), 0)
}

// noteArrival has the kernel note when each datagram arrives.
func (s *socket) noteArrival() {
	_ = unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1) // without it a time is as coarse as the look at the socket
}
