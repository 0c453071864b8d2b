package session

import (
	"golang.org/x/sys/unix"

	"github.com/conclave-voice/conclave/media/uring"
)

// outboxSize is how many datagrams leave in one system call. With more, a datagram is hardly
// cheaper, and the first of them wait longer.
const outboxSize = 64

// Outbox collects what sessions send within a tick, to give it to the kernel in one system
// call. One goroutine uses it, that of a tick worker; it calls Flush when the tick is over.
// A full Outbox flushes itself. The zero value, and nil, send each datagram at once.
//
// A datagram that waits here keeps its session's sockets open, even if the session is closed
// meanwhile: else its descriptor could be another's by then.
type Outbox struct {
	ring    ring // nil: none
	waiting []outgoing
}

// ring is what sends many datagrams at once: a uring.Ring.
type ring interface {
	Send(id uint32, fd int, data []byte, to *unix.RawSockaddrInet6, toLength uint32) bool
	Submit() (n int, failures []uring.Failure, err error)
	Close() error
}

// outgoing is a datagram in an Outbox.
type outgoing struct {
	session *Session
	to      unix.RawSockaddrInet6 // or an IPv4 address
	toSize  uint32
	data    [headerLength + maxPayload]byte
	length  int // of data
}

// NewOutbox makes one that sends by io_uring. The error says why it cannot: the machine does
// not let us. Close it.
func NewOutbox() (*Outbox, error) {
	ring, err := uring.New(outboxSize)
	if err != nil {
		return nil, err
	}
	return &Outbox{ring: ring, waiting: make([]outgoing, 0, outboxSize)}, nil
}

// Send is [Session.Send] by this Outbox.
func (o *Outbox) Send(s *Session, pcm []int16) { s.send(pcm, o) }

// SendShared is [Session.SendShared] by this Outbox.
func (o *Outbox) SendShared(s *Session, sh *Shared) bool { return s.sendShared(sh, o) }

// put takes a datagram of a session, whose lock is held. The error is of one that was sent
// at once; of others, the session is told by notSent.
func (o *Outbox) put(s *Session, b []byte) error {
	to := s.source.target()
	if o == nil || o.ring == nil {
		return s.rtp.send(b, to)
	}
	if len(o.waiting) == outboxSize {
		o.Flush()
	}
	o.waiting = o.waiting[:len(o.waiting)+1]
	w := &o.waiting[len(o.waiting)-1]
	s.hold()
	w.session, w.length = s, copy(w.data[:], b)
	address, size := s.rtp.address(to)
	w.to, w.toSize = *address, size
	o.ring.Send(uint32(len(o.waiting)-1), s.rtp.fd, w.data[:w.length], &w.to, size)
	return nil
}

// Flush sends what waits. It takes no session's lock: it may run while one is held.
func (o *Outbox) Flush() {
	if o == nil || len(o.waiting) == 0 {
		return
	}
	n, failures, _ := o.ring.Submit() // what it did not take is sent here
	for i := n; i < len(o.waiting); i++ {
		w := &o.waiting[i]
		if err := sendTo(w.session.rtp.fd, w.data[:w.length], &w.to, w.toSize); err != nil {
			w.session.notSent(w.length)
		}
	}
	for _, f := range failures {
		w := &o.waiting[f.ID]
		w.session.notSent(w.length)
	}
	for i := range o.waiting {
		o.waiting[i].session.letGo()
		o.waiting[i].session = nil
	}
	o.waiting = o.waiting[:0]
}

// Close flushes, and gives the ring back.
func (o *Outbox) Close() error {
	if o == nil || o.ring == nil {
		return nil
	}
	o.Flush()
	err := o.ring.Close()
	o.ring = nil
	return err
}
