package load

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"
)

const (
	frame     = 20 * time.Millisecond
	samples   = 160 // of a frame at 8 kHz
	slots     = 20  // the frame is sent in so many parts, callers spread over them
	batch     = 64  // packets in one system call
	listeners = 32  // callers whose audio is kept
)

// audio has the RTP of all callers.
type audio struct {
	options Options
	conn    *net.UDPConn
	batches *ipv4.PacketConn

	mu        sync.Mutex
	callers   map[uint16]*stream // by the node's port
	slots     [slots][]*stream
	measuring bool
	closed    bool

	expected, received, lost uint64
	late, senderLate         Distribution
	ended                    []*stream // listeners who have hung up
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
		// What does not fit the system's bound needs CAP_NET_ADMIN; less is taken too,
		// and a loss by it would show as loss at everybody at once.
		if unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 32<<20) != nil {
			_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 32<<20)
		}
		optErr = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
	})
	if err = errors.Join(err, optErr); err != nil {
		conn.Close()
		return nil, fmt.Errorf("ask the kernel for times of arrival: %w", err)
	}
	return &audio{options: o, conn: conn, batches: ipv4.NewPacketConn(conn), callers: map[uint16]*stream{}}, nil
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

// add begins the stream of a caller who has been answered.
func (a *audio) add(n int, port uint16, code string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := newStream(n, n%a.options.RoomSize, &net.UDPAddr{IP: a.options.SIP.Addr().AsSlice(), Port: int(port)}, code+"#")
	if n%max(a.options.Callers/listeners, 1) == 0 {
		s.heard = make([]byte, 0, int(a.options.Hold/frame+1)*samples)
	}
	a.callers[port] = s
	slot := rand.IntN(slots)
	a.slots[slot] = append(a.slots[slot], s)
}

// remove ends it.
func (a *audio) remove(port uint16) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.callers[port]
	if s == nil {
		return
	}
	delete(a.callers, port)
	s.over = true
	if s.heard != nil {
		a.ended = append(a.ended, s)
	}
}

// measure begins or ends the time that counts.
func (a *audio) measure(on bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.measuring = on
	for _, s := range a.callers {
		if on {
			s.begin()
			continue
		}
		a.expected += s.expected()
		a.received += s.received
		a.lost += s.expected() - min(s.received, s.expected())
		s.late(&a.late)
	}
}

// send sends everybody's packets until ctx is done, a part of them every millisecond.
func (a *audio) send(ctx context.Context) error {
	next := time.Now()
	list := make([]ipv4.Message, batch)
	for i := range list {
		list[i].Buffers = [][]byte{make([]byte, 12+samples)}
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

func (a *audio) sendSlot(slot int, list []ipv4.Message, late time.Duration) error {
	a.mu.Lock()
	streams := a.slots[slot]
	if a.measuring {
		for range streams {
			a.senderLate.add(late)
		}
	}
	filled := 0
	var err error
	for _, s := range streams {
		if s.over {
			continue
		}
		m := &list[filled]
		m.Buffers[0] = m.Buffers[0][:12+samples]
		m.Buffers[0] = m.Buffers[0][:s.next(m.Buffers[0])]
		m.Addr = s.to
		if filled++; filled == len(list) {
			a.mu.Unlock()
			err = a.write(list[:filled])
			a.mu.Lock()
			filled = 0
		}
		if err != nil {
			break
		}
	}
	a.mu.Unlock()
	if err != nil {
		return err
	}
	return a.write(list[:filled])
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
					s.take(m.Buffers[0][:m.N], arrival(m.OOB[:m.NN]), a.measuring)
				}
			}
		}
		a.mu.Unlock()
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

// report puts together what was measured. All parts have ended.
func (a *audio) report(p *phone) Report {
	r := Report{Callers: a.options.Callers, Answered: p.ok, Failed: p.failed, Problems: p.problems,
		Expected: a.expected, Received: a.received, Lost: a.lost, Late: a.late, SenderLate: a.senderLate}
	for _, s := range a.ended {
		r.Checked++
		size := min(a.options.RoomSize, a.options.Callers-s.n+s.seat)
		if err := s.check(size); err != nil {
			r.Wrong++
			if len(r.Problems) < maxProblems {
				r.Problems = append(r.Problems, err.Error())
			}
		}
	}
	return r
}
