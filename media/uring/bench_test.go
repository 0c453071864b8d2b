package uring

import (
	"fmt"
	"runtime"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// BenchmarkSend compares ways to send one datagram of 172 octets from each of many sockets,
// as a tick does. The figure to look at is cpu-ns/datagram, the processor time of the
// thread; on loopback it holds the receiving half of the kernel's work, too.
func BenchmarkSend(b *testing.B) {
	ways := []struct {
		name string
		make func(testing.TB, *wires) func()
	}{
		{"sendto", sendEach},
		{"connected", sendConnected},
		{"ring", ringSend(setupSubmitAll|setupCoopTaskrun, false, false)},
		{"ring-registered", ringSend(setupSubmitAll|setupCoopTaskrun, true, false)},
		{"ring-deferred", ringSend(setupSubmitAll|setupSingleIssuer|setupDeferTaskrun, false, false)},
		{"ring-connected", ringSend(setupSubmitAll|setupCoopTaskrun, false, true)},
	}
	for _, sockets := range []int{4, 16, 64, 100, 1000} {
		for _, w := range ways {
			b.Run(fmt.Sprintf("%s/sockets=%d", w.name, sockets), func(b *testing.B) {
				runtime.LockOSThread()
				defer runtime.UnlockOSThread()
				ws := newWires(b, sockets)
				send := w.make(b, ws)
				var spent time.Duration
				for b.Loop() {
					begun := threadTime()
					send()
					spent += threadTime() - begun
					ws.drain(b)
				}
				b.ReportMetric(float64(spent.Nanoseconds())/float64(b.N)/float64(sockets), "cpu-ns/datagram")
			})
		}
	}
}

const batch = 64 // datagrams for one system call

func sendEach(b testing.TB, ws *wires) func() {
	return func() {
		for _, fd := range ws.fds {
			_, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(&ws.packet[0])), uintptr(len(ws.packet)),
				unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, uintptr(unsafe.Pointer(ws.to)), unix.SizeofSockaddrInet4)
			if errno != 0 {
				b.Fatal(errno)
			}
		}
	}
}

func sendConnected(b testing.TB, ws *wires) func() {
	ws.connect(b)
	ws.to = nil
	return func() {
		for _, fd := range ws.fds {
			_, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(&ws.packet[0])), uintptr(len(ws.packet)),
				unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
			if errno != 0 {
				b.Fatal(errno)
			}
		}
	}
}

func ringSend(setup uint32, registered, connected bool) func(testing.TB, *wires) func() {
	return func(b testing.TB, ws *wires) func() {
		r := openRing(b, batch, setup)
		to, size := ws.to, uint32(unix.SizeofSockaddrInet4)
		if connected {
			ws.connect(b)
			to, size = nil, 0
		}
		if registered {
			ws.register(b, r)
		}
		return func() {
			for i, fd := range ws.fds {
				at := r.next()
				r.queued--
				r.Send(uint32(i), int(fd), ws.packet, to, size)
				if registered {
					at.fd, at.flags = int32(i), at.flags|fixedFile
				}
				if r.queued == batch || i == len(ws.fds)-1 {
					if _, failures, err := r.Submit(); err != nil || len(failures) > 0 {
						b.Fatal(failures, err)
					}
				}
			}
		}
	}
}

// threadTime is the processor time of this thread.
func threadTime() time.Duration {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t)
	return time.Duration(t.Nano())
}

// wires are sockets, and one more that all of them send to.
type wires struct {
	fds    []int32
	at     []*unix.RawSockaddrInet6
	sink   int
	to     *unix.RawSockaddrInet6
	packet []byte
}

func newWires(t testing.TB, n int) *wires {
	ws := &wires{packet: make([]byte, 172)}
	open := func() (int, *unix.RawSockaddrInet6) {
		fd, to, err := loopback()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Close(fd) })
		return fd, to
	}
	for range n {
		fd, at := open()
		ws.fds, ws.at = append(ws.fds, int32(fd)), append(ws.at, at)
	}
	ws.sink, ws.to = open()
	if err := unix.SetsockoptInt(ws.sink, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 64<<20); err != nil {
		t.Skip("the socket that all send to needs a large buffer: ", err)
	}
	return ws
}

func (ws *wires) connect(t testing.TB) {
	to, err := unix.Getsockname(ws.sink)
	for _, fd := range ws.fds {
		if err == nil {
			err = unix.Connect(int(fd), to)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (ws *wires) register(t testing.TB, r *Ring) {
	if err := r.register(registerFiles, unsafe.Pointer(&ws.fds[0]), len(ws.fds)); err != nil {
		t.Fatal(err)
	}
}

// drain takes a datagram of each socket from the sink.
func (ws *wires) drain(t testing.TB) {
	var into [512]byte
	for i := range ws.fds {
		if _, _, err := unix.Recvfrom(ws.sink, into[:], unix.MSG_DONTWAIT); err != nil {
			t.Fatalf("of %d datagrams %d came: %v", len(ws.fds), i, err)
		}
	}
}

func openRing(t testing.TB, entries int, setup uint32) *Ring {
	r, err := open(entries, setup)
	if err != nil {
		t.Skip("no such ring here: ", err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func (r *Ring) register(what uintptr, arg unsafe.Pointer, n int) error {
	if _, _, errno := unix.Syscall6(unix.SYS_IO_URING_REGISTER, uintptr(r.fd), what, uintptr(arg), uintptr(n), 0, 0); errno != 0 {
		return fmt.Errorf("io_uring_register %d: %w", what, errno)
	}
	return nil
}
