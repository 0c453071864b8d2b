package session

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/conclave-voice/conclave/media/uring"
)

// together is how many datagrams leave in one system call. With more, a datagram is hardly
// cheaper, and the first of them wait longer.
const together = 64

// Traffic is what the sessions that one worker ticks receive and send by. What they send
// within a tick is collected, to be given to the kernel in one system call. One goroutine
// uses it, and calls Flush when the tick is over; it flushes itself when it is full.
//
// A datagram that waits keeps its session's sockets open, even if the session is closed
// meanwhile: else its descriptor could be another's by then.
type Traffic struct {
	in      *batch // room for what one session receives
	ring    ring   // nil: each datagram is sent at once
	waiting []outgoing
}

// ring is what sends many datagrams at once: a uring.Ring.
type ring interface {
	Send(id uint32, fd int, data []byte, to *unix.RawSockaddrInet6, toLength uint32) bool
	Submit() (n int, failures []uring.Failure, err error)
	Close() error
}

// outgoing is a datagram that waits to be sent.
type outgoing struct {
	session *Session
	to      unix.RawSockaddrInet6 // or an IPv4 address
	toSize  uint32
	data    [headerLength + maxPayload]byte
	length  int // of data
}

// NewTraffic makes one that sends each datagram at once.
func NewTraffic() *Traffic { return &Traffic{in: newBatch()} }

// NewBatchedTraffic makes one that sends by io_uring. The error says why that cannot be had.
// Close it.
func NewBatchedTraffic() (*Traffic, error) {
	ring, err := uring.New(together)
	if err != nil {
		return nil, err
	}
	return &Traffic{in: newBatch(), ring: ring, waiting: make([]outgoing, 0, together)}, nil
}

// Receive is [Session.Receive].
func (t *Traffic) Receive(s *Session, now time.Duration) { s.receive(now, t.in) }

// Send is [Session.Send] by this Traffic.
func (t *Traffic) Send(s *Session, pcm []int16) { s.send(pcm, t) }

// SendShared is [Session.SendShared] by this Traffic.
func (t *Traffic) SendShared(s *Session, sh *Shared) bool { return s.sendShared(sh, t) }

// put takes a datagram of a session, whose lock is held. The error is of one that is sent at
// once, as it is by a nil Traffic; of others, the session is told by notSent.
func (t *Traffic) put(s *Session, b []byte) error {
	to := s.source.target()
	if t == nil || t.ring == nil {
		return s.rtp.send(b, to)
	}
	if len(t.waiting) == together {
		t.Flush()
	}
	t.waiting = t.waiting[:len(t.waiting)+1]
	w := &t.waiting[len(t.waiting)-1]
	s.hold()
	w.session, w.length = s, copy(w.data[:], b)
	address, size := s.rtp.address(to)
	w.to, w.toSize = *address, size
	t.ring.Send(uint32(len(t.waiting)-1), s.rtp.fd, w.data[:w.length], &w.to, size)
	return nil
}

// Flush sends what waits. It takes no session's lock: it may run while one is held.
func (t *Traffic) Flush() {
	if t == nil || len(t.waiting) == 0 {
		return
	}
	n, failures, _ := t.ring.Submit() // what it did not take is sent here
	for i := n; i < len(t.waiting); i++ {
		w := &t.waiting[i]
		if err := sendTo(w.session.rtp.fd, w.data[:w.length], &w.to, w.toSize); err != nil {
			w.session.notSent(w.length)
		}
	}
	for _, f := range failures {
		w := &t.waiting[f.ID]
		w.session.notSent(w.length)
	}
	for i := range t.waiting {
		t.waiting[i].session.letGo()
		t.waiting[i].session = nil
	}
	t.waiting = t.waiting[:0]
}

// Close flushes, and gives the ring back.
func (t *Traffic) Close() error {
	if t == nil || t.ring == nil {
		return nil
	}
	t.Flush()
	err := t.ring.Close()
	t.ring = nil
	return err
}
