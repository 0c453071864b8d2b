package load

import (
	"context"
	"fmt"
	"net"
	"runtime"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"
)

// maxBare is how many sockets are measured with at most: the caches are as cold with more.
const maxBare = 2000

// Bare measures what the two system calls of a caller's tick cost on this machine, without
// anything beside them: one datagram of G.711 is received, and one sent, each from a
// socket of the caller's own on loopback. It is the processor's time, in the mean over all
// callers and ticks, of a thread on the processor cpu (below 0: any). It takes as long as
// span of that time, and as long again for the other end.
func Bare(ctx context.Context, cpu, callers int, span time.Duration) (time.Duration, error) {
	type result struct {
		mean time.Duration
		err  error
	}
	done := make(chan result, 1)
	go func() {
		// Never unlocked: the thread, and the processor it is bound to, end with the goroutine.
		runtime.LockOSThread()
		mean, err := bareOn(ctx, cpu, min(max(callers, 1), maxBare), span)
		done <- result{mean, err}
	}()
	r := <-done
	if r.err != nil {
		return 0, fmt.Errorf("measure the bare system calls: %w", r.err)
	}
	return r.mean, nil
}

func bareOn(ctx context.Context, cpu, callers int, span time.Duration) (time.Duration, error) {
	if cpu >= 0 {
		var set unix.CPUSet
		set.Set(cpu)
		if err := unix.SchedSetaffinity(0, &set); err != nil {
			return 0, fmt.Errorf("processor %d: %w", cpu, err)
		}
	}
	b, err := openBare(callers)
	if err != nil {
		return 0, err
	}
	defer b.close()
	var used time.Duration
	ticks := 0
	for ; used < span || ticks < 2*callers; ticks += callers {
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		if err := b.feed(); err != nil {
			return 0, err
		}
		spent, err := b.tick()
		if err != nil {
			return 0, err
		}
		used += spent
		if err := b.drain(); err != nil {
			return 0, err
		}
	}
	return used / time.Duration(ticks), nil
}

// bare has a socket for each caller, connected to the other end.
type bare struct {
	sockets []int
	peer    *net.UDPConn
	batches *ipv4.PacketConn
	list    []ipv4.Message // to the sockets, of any number
	packet  []byte
}

func openBare(callers int) (*bare, error) {
	peer, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	b := &bare{peer: peer, batches: ipv4.NewPacketConn(peer), packet: make([]byte, 12+160)}
	if raw, err := peer.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { enlarge(int(fd)) })
	}
	to := &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: peer.LocalAddr().(*net.UDPAddr).Port}
	for range callers {
		address, err := b.open(to)
		if err != nil {
			b.close()
			return nil, err
		}
		b.list = append(b.list, ipv4.Message{Buffers: [][]byte{make([]byte, 12+160)}, Addr: address})
	}
	return b, nil
}

// open makes the socket of one caller, and returns its address.
func (b *bare) open(to unix.Sockaddr) (*net.UDPAddr, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	b.sockets = append(b.sockets, fd)
	if err := unix.Connect(fd, to); err != nil {
		return nil, err
	}
	local, err := unix.Getsockname(fd)
	if err != nil {
		return nil, err
	}
	in := local.(*unix.SockaddrInet4)
	return &net.UDPAddr{IP: in.Addr[:], Port: in.Port}, nil
}

func (b *bare) close() {
	for _, fd := range b.sockets {
		unix.Close(fd)
	}
	b.peer.Close()
}

// feed sends each socket a datagram.
func (b *bare) feed() error {
	for rest := b.list; len(rest) > 0; {
		n, err := b.batches.WriteBatch(rest[:min(batch, len(rest))], 0)
		if err != nil {
			return err
		}
		rest = rest[n:]
	}
	return nil
}

// tick is what is measured: each socket receives a datagram and sends one.
func (b *bare) tick() (time.Duration, error) {
	var before, after unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &before); err != nil {
		return 0, err
	}
	for _, fd := range b.sockets {
		if _, err := unix.Read(fd, b.packet); err != nil {
			return 0, fmt.Errorf("receive: %w", err)
		}
		if _, err := unix.Write(fd, b.packet); err != nil {
			return 0, fmt.Errorf("send: %w", err)
		}
	}
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &after); err != nil {
		return 0, err
	}
	return time.Duration(after.Nano() - before.Nano()), nil
}

// drain takes what the sockets have sent, as far as it found room.
func (b *bare) drain() error {
	list := make([]ipv4.Message, batch)
	for i := range list {
		list[i].Buffers = [][]byte{make([]byte, 2048)}
	}
	for left := len(b.sockets); left > 0; {
		if err := b.peer.SetReadDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
			return err
		}
		n, err := b.batches.ReadBatch(list, 0)
		if err, timeout := err.(net.Error); timeout && err.Timeout() {
			return nil
		}
		if err != nil {
			return err
		}
		left -= n
	}
	return nil
}
