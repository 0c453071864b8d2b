package uring

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What only the alternatives need of <linux/io_uring.h>.
const (
	opReceiveMessage = 10

	setupSingleIssuer = 1 << 12
	setupDeferTaskrun = 1 << 13

	fixedFile    = 1 << 0
	bufferSelect = 1 << 5

	multishot      = 1 << 1 // in the priority of a receive
	moreToCome     = 1 << 1 // in the flags of a completion
	enterGetEvents = 1 << 0

	registerFiles   = 2
	registerBuffers = 22 // REGISTER_PBUF_RING
)

// BenchmarkReceive compares ways to take what has come to each of many sockets: one
// datagram. "twice" also finds out that there is no second one, as recvmmsg does, and the
// multishot receive. Of that, part of the work is done when a datagram comes, hence
// sender-ns/datagram.
func BenchmarkReceive(b *testing.B) {
	ways := []struct {
		name string
		make func(testing.TB, *wires) func() int
	}{
		{"recvmmsg", receiveMany},
		{"recvfrom", receiveOne(1)},
		{"recvfrom-twice", receiveOne(2)},
		{"ring", ringReceive(1)},
		{"ring-twice", ringReceive(2)},
		{"multishot", multishotReceive(setupSubmitAll | setupCoopTaskrun)},
		{"multishot-deferred", multishotReceive(setupSubmitAll | setupSingleIssuer | setupDeferTaskrun)},
	}
	for _, sockets := range []int{4, 16, 100, 1000} {
		for _, w := range ways {
			b.Run(fmt.Sprintf("%s/sockets=%d", w.name, sockets), func(b *testing.B) {
				runtime.LockOSThread()
				defer runtime.UnlockOSThread()
				ws := newWires(b, sockets)
				receive := w.make(b, ws)
				var receiving, sending time.Duration
				for b.Loop() {
					begun := threadTime()
					for _, to := range ws.at {
						_, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(ws.sink), uintptr(unsafe.Pointer(&ws.packet[0])), uintptr(len(ws.packet)), 0,
							uintptr(unsafe.Pointer(to)), unix.SizeofSockaddrInet4)
						if errno != 0 {
							b.Fatal(errno)
						}
					}
					sent := threadTime()
					got := receive()
					receiving += threadTime() - sent
					sending += sent - begun
					if got != sockets {
						b.Fatalf("%d of %d came", got, sockets)
					}
				}
				b.ReportMetric(float64(receiving.Nanoseconds())/float64(b.N)/float64(sockets), "cpu-ns/datagram")
				b.ReportMetric(float64(sending.Nanoseconds())/float64(b.N)/float64(sockets), "sender-ns/datagram")
			})
		}
	}
}

// messages are room for datagrams: struct mmsghdr is 64 octets, of which the header has 56.
type messages struct {
	headers [batch]struct {
		unix.Msghdr
		_ uint64
	}
	parts [batch]unix.Iovec
	from  [batch]unix.RawSockaddrAny
	data  [batch][2048]byte
}

func newMessages() *messages {
	m := &messages{}
	for i := range m.headers {
		m.parts[i].Base = &m.data[i][0]
		m.parts[i].SetLen(len(m.data[i]))
		m.headers[i].Iov, m.headers[i].Name = &m.parts[i], (*byte)(unsafe.Pointer(&m.from[i]))
		m.headers[i].SetIovlen(1)
	}
	return m
}

func receiveMany(_ testing.TB, ws *wires) func() int {
	const most = 8
	m := newMessages()
	return func() (n int) {
		for _, fd := range ws.fds {
			for i := range most {
				m.headers[i].Namelen = unix.SizeofSockaddrAny
			}
			got, _, errno := unix.RawSyscall6(unix.SYS_RECVMMSG, uintptr(fd), uintptr(unsafe.Pointer(&m.headers[0])), most, unix.MSG_DONTWAIT, 0, 0)
			if errno == 0 {
				n += int(got)
			}
		}
		return n
	}
}

func receiveOne(looks int) func(testing.TB, *wires) func() int {
	return func(_ testing.TB, ws *wires) func() int {
		m := newMessages()
		return func() (n int) {
			for _, fd := range ws.fds {
				for range looks {
					size := uint32(unix.SizeofSockaddrAny)
					_, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(&m.data[0][0])), uintptr(len(m.data[0])), unix.MSG_DONTWAIT,
						uintptr(unsafe.Pointer(&m.from[0])), uintptr(unsafe.Pointer(&size)))
					if errno == 0 {
						n++
					}
				}
			}
			return n
		}
	}
}

func ringReceive(looks int) func(testing.TB, *wires) func() int {
	return func(b testing.TB, ws *wires) func() int {
		r, m := openRing(b, batch, setupSubmitAll|setupCoopTaskrun), newMessages()
		return func() (n int) {
			for i := range looks * len(ws.fds) {
				h := &m.headers[i%batch].Msghdr
				h.Namelen = unix.SizeofSockaddrAny
				*r.next() = submission{opcode: opReceiveMessage, fd: ws.fds[i/looks], data: uint64(uintptr(unsafe.Pointer(h))), length: 1, messageFlags: unix.MSG_DONTWAIT}
				if r.queued < batch && i < looks*len(ws.fds)-1 {
					continue
				}
				if _, err := r.enter(0); err != nil {
					b.Fatal(err)
				}
				r.reap(func(c *completion) {
					if c.result > 0 {
						n++
					}
				})
			}
			return n
		}
	}
}

// buffers are what a multishot receive fills.
type buffers struct {
	list, memory []byte
	tail         uint16
}

const (
	bufferCount = 4096
	bufferSize  = 512
)

func provide(t testing.TB, r *Ring) *buffers {
	list, err := unix.Mmap(-1, 0, 16*bufferCount, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Munmap(list) })
	registration := struct { // struct io_uring_buf_reg
		list         uint64
		entries      uint32
		group, flags uint16
		_            [3]uint64
	}{list: uint64(uintptr(unsafe.Pointer(&list[0]))), entries: bufferCount}
	if err := r.register(registerBuffers, unsafe.Pointer(&registration), 1); err != nil {
		t.Skip(err)
	}
	b := &buffers{list: list, memory: make([]byte, bufferCount*bufferSize)}
	for id := range uint16(bufferCount) {
		b.give(id)
	}
	b.publish()
	return b
}

func (b *buffers) give(id uint16) {
	e := b.list[16*int(b.tail%bufferCount):] // struct io_uring_buf
	binary.NativeEndian.PutUint64(e, uint64(uintptr(unsafe.Pointer(&b.memory[int(id)*bufferSize]))))
	binary.NativeEndian.PutUint32(e[8:], bufferSize)
	binary.NativeEndian.PutUint16(e[12:], id)
	b.tail++
}

func (b *buffers) publish() { binary.NativeEndian.PutUint16(b.list[14:], b.tail) }

func multishotReceive(setup uint32) func(testing.TB, *wires) func() int {
	return func(t testing.TB, ws *wires) func() int {
		r := openRing(t, 2048, setup)
		b := provide(t, r)
		header := &unix.Msghdr{Namelen: unix.SizeofSockaddrInet4}
		for _, fd := range ws.fds {
			*r.next() = submission{opcode: opReceiveMessage, flags: bufferSelect, priority: multishot, fd: fd, data: uint64(uintptr(unsafe.Pointer(header))), length: 1}
		}
		if _, err := r.enter(0); err != nil {
			t.Fatal(err)
		}
		take := func() (n int) {
			if _, err := r.enter(enterGetEvents); err != nil {
				t.Fatal(err)
			}
			r.reap(func(c *completion) {
				if c.result < 0 || c.flags&moreToCome == 0 {
					t.Fatalf("a multishot receive ended: %d", c.result)
				}
				b.give(uint16(c.flags >> 16))
				n++
			})
			b.publish()
			return n
		}
		return func() (n int) {
			for part := take(); part > 0; part = take() { // one call does not do all that waits
				n += part
				if n >= len(ws.fds) {
					break
				}
			}
			runtime.KeepAlive(header)
			return n
		}
	}
}
