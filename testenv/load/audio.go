package load

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"
)

const (
	frame = 20 * time.Millisecond
	slots = 20 // the frame is sent in so many parts, callers spread over them
	batch = 64 // packets in one system call
)

// audio has the RTP of all callers.
type audio struct {
	options Options
	conn    *net.UDPConn
	batches *ipv4.PacketConn

	mu      sync.Mutex
	callers map[uint16]*stream // by the node's port
	slots   [slots][]*stream
	window  Window   // of those who have left since it began, and of our own sending
	ended   []*spool // of listeners who have hung up
	closed  bool
}

func openAudio(o Options) (*audio, error) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: o.Local.AsSlice()})
	if err != nil {
		return nil, fmt.Errorf("open a socket for RTP: %w", err)
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("open a socket for RTP: %w", err)
	}
	var optErr error
	err = raw.Control(func(fd uintptr) {
		enlarge(int(fd))
		optErr = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
	})
	if err = errors.Join(err, optErr); err != nil {
		conn.Close()
		return nil, fmt.Errorf("ask the kernel for times of arrival: %w", err)
	}
	return &audio{options: o, conn: conn, batches: ipv4.NewPacketConn(conn), callers: map[uint16]*stream{}}, nil
}

// enlarge gives a socket a large receive buffer. What does not fit the system's bound
// needs CAP_NET_ADMIN; less is taken too, and a loss by it would show as loss at everybody
// at once.
func enlarge(fd int) {
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 32<<20) != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 32<<20)
	}
}

func (a *audio) port() int { return a.conn.LocalAddr().(*net.UDPAddr).Port }

func (a *audio) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.closed {
		a.closed = true
		a.conn.Close()
	}
}

// add begins the stream of a caller who has been answered just now.
func (a *audio) add(seat *seat, port uint16, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	to := &net.UDPAddr{IP: a.options.SIP.Addr().AsSlice(), Port: int(port)}
	s := newStream(seat, to, a.options.Codes[seat.room]+"#", now.Add(a.options.Settle))
	if seat.listened {
		s.heard = openSpool(seat, a.options.Dir)
	}
	a.callers[port] = s
	slot := rand.IntN(slots)
	a.slots[slot] = append(a.slots[slot], s)
}

// remove ends it. What was measured of it in this window stays.
func (a *audio) remove(port uint16) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.callers[port]
	if s == nil {
		return
	}
	delete(a.callers, port)
	for i, list := range a.slots {
		a.slots[i] = slices.DeleteFunc(list, func(other *stream) bool { return other == s })
	}
	now := time.Now()
	s.cut(&a.window, now)
	if s.heard == nil {
		return
	}
	s.heard.finish()
	if now.Sub(s.ready) < shortestHeard && s.heard.err == nil {
		s.heard.remove() // too little to judge
		return
	}
	a.ended = append(a.ended, s.heard)
}

// shortestHeard is how long a listener must have been in to be judged.
const shortestHeard = 2 * time.Second

// cut ends a window, and begins the next.
func (a *audio) cut() Window {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	for _, s := range a.callers {
		s.cut(&a.window, now)
	}
	w := a.window
	a.window = Window{}
	return w
}

// send sends everybody's packets until ctx is done, a part of them every millisecond.
func (a *audio) send(ctx context.Context) error {
	next := time.Now()
	list := make([]ipv4.Message, batch)
	for i := range list {
		list[i].Buffers = [][]byte{make([]byte, maxPacket)}
	}
	for slot := 0; ctx.Err() == nil; slot = (slot + 1) % slots {
		next = next.Add(frame / slots)
		if wait := time.Until(next); wait > 0 {
			time.Sleep(wait)
		}
		if err := a.sendSlot(slot, list, time.Since(next)); err != nil {
			if errors.Is(err, net.ErrClosed) {
				return nil
			}
			return fmt.Errorf("send RTP: %w", err)
		}
	}
	return nil
}

// sendSlot sends a part of the packets: in full batches, each made under the lock and
// written without it. Who comes or goes in between is a frame early or late.
func (a *audio) sendSlot(slot int, list []ipv4.Message, late time.Duration) error {
	for first := 0; ; first += len(list) {
		filled := a.fill(slot, first, list, late)
		if err := a.write(list[:filled]); err != nil {
			return err
		}
		if filled < len(list) {
			return nil
		}
	}
}

// fill makes the packets of the streams of a slot from the first on, as many as fit.
func (a *audio) fill(slot, first int, list []ipv4.Message, late time.Duration) (filled int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, s := range a.slots[slot][min(first, len(a.slots[slot])):] {
		if filled == len(list) {
			break
		}
		m := &list[filled]
		m.Buffers[0] = m.Buffers[0][:maxPacket]
		m.Buffers[0] = m.Buffers[0][:s.next(m.Buffers[0])]
		m.Addr = s.to
		a.window.SenderLate.add(late)
		filled++
	}
	return filled
}

func (a *audio) write(list []ipv4.Message) error {
	for len(list) > 0 {
		n, err := a.batches.WriteBatch(list, 0)
		if err != nil {
			return err
		}
		list = list[n:]
	}
	return nil
}

// gather is how long packets are let come together in the socket before they are read.
// When each came, the kernel has noted.
const gather = 2 * time.Millisecond

// receive takes what the node sends until the socket is closed.
func (a *audio) receive(ctx context.Context) error {
	list := make([]ipv4.Message, batch)
	for i := range list {
		list[i].Buffers, list[i].OOB = [][]byte{make([]byte, 2048)}, make([]byte, 128)
	}
	for {
		n, err := a.batches.ReadBatch(list, 0)
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return nil
			}
			return fmt.Errorf("read RTP: %w", err)
		}
		a.mu.Lock()
		for _, m := range list[:n] {
			if from, ok := m.Addr.(*net.UDPAddr); ok {
				if s := a.callers[uint16(from.Port)]; s != nil {
					s.take(m.Buffers[0][:m.N], arrival(m.OOB[:m.NN]))
				}
			}
		}
		a.mu.Unlock()
		if n < len(list) && sleep(ctx, gather) != nil {
			return nil
		}
	}
}

// arrival reads SCM_TIMESTAMPNS: a control message of 16 octets and a timespec.
func arrival(oob []byte) time.Duration {
	const head, timespec = unix.SizeofCmsghdr, 16
	if len(oob) < head+timespec || binary.NativeEndian.Uint32(oob[12:]) != unix.SCM_TIMESTAMPNS {
		return time.Duration(time.Now().UnixNano())
	}
	seconds, nanos := binary.NativeEndian.Uint64(oob[head:]), binary.NativeEndian.Uint64(oob[head+8:])
	return time.Duration(seconds)*time.Second + time.Duration(nanos)
}
