package uring

import (
	"errors"
	"fmt"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Ring is one io_uring. It is not safe for concurrent use, but any goroutine, on any
// thread, may use it next.
type Ring struct {
	fd             int
	rings, entries []byte // mapped
	submissions    []submission
	completions    []completion
	sqHead, sqTail *uint32
	cqHead, cqTail *uint32
	queued         uint32
	failures       []Failure
}

// Failure is a datagram that the kernel did not take.
type Failure struct {
	ID  uint32
	Err unix.Errno
}

// New makes a ring for that many datagrams at once: a power of two, at most 4096. The error
// wraps the kernel's errno: ENOSYS and EPERM where io_uring is not to be had.
func New(entries int) (*Ring, error) { return open(entries, setupSubmitAll|setupCoopTaskrun) }

func open(entries int, flags uint32) (*Ring, error) {
	p := params{flags: flags}
	fd, _, errno := unix.Syscall(unix.SYS_IO_URING_SETUP, uintptr(entries), uintptr(unsafe.Pointer(&p)), 0)
	if errno != 0 {
		return nil, fmt.Errorf("set up an io_uring of %d entries: %w", entries, errno)
	}
	r := &Ring{fd: int(fd), failures: make([]Failure, 0, p.completions)}
	if err := r.mapIt(&p); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// mapIt maps what is shared with the kernel. Both queues lie in one piece (Linux 5.4).
func (r *Ring) mapIt(p *params) error {
	const access = unix.PROT_READ | unix.PROT_WRITE
	size := max(p.sq.array+4*p.submissions, p.cq.cqes+uint32(unsafe.Sizeof(completion{}))*p.completions)
	var err error
	if r.rings, err = unix.Mmap(r.fd, 0, int(size), access, unix.MAP_SHARED|unix.MAP_POPULATE); err != nil {
		return fmt.Errorf("map the queues of an io_uring: %w", err)
	}
	if r.entries, err = unix.Mmap(r.fd, mapSubmissions, int(unsafe.Sizeof(submission{}))*int(p.submissions), access, unix.MAP_SHARED|unix.MAP_POPULATE); err != nil {
		return fmt.Errorf("map the entries of an io_uring: %w", err)
	}
	word := func(at uint32) *uint32 { return (*uint32)(unsafe.Pointer(&r.rings[at])) }
	r.sqHead, r.sqTail = word(p.sq.head), word(p.sq.tail)
	r.cqHead, r.cqTail = word(p.cq.head), word(p.cq.tail)
	r.submissions = unsafe.Slice((*submission)(unsafe.Pointer(&r.entries[0])), p.submissions)
	r.completions = unsafe.Slice((*completion)(unsafe.Pointer(&r.rings[p.cq.cqes])), p.completions)
	for i := range p.submissions { // places in the queue are entries, in their order
		*word(p.sq.array + 4*i) = i
	}
	return nil
}

// Send queues a datagram: of the socket fd, to the address at to, of toLength octets. It is
// false, and nothing is queued, when the ring is full. Until Submit returns, data and to
// must stay as they are, on the heap and referred to, and fd open. id comes back in a
// Failure.
func (r *Ring) Send(id uint32, fd int, data []byte, to *unix.RawSockaddrInet6, toLength uint32) bool {
	if r.queued == uint32(len(r.submissions)) {
		return false
	}
	*r.next() = submission{opcode: opSend, flags: cqeSkipSuccess, fd: int32(fd), id: uint64(id),
		data: uint64(uintptr(unsafe.Pointer(unsafe.SliceData(data)))), length: uint32(len(data)),
		to: uint64(uintptr(unsafe.Pointer(to))), toLength: uint16(toLength), messageFlags: unix.MSG_DONTWAIT | unix.MSG_NOSIGNAL}
	return true
}

// next is the entry to be filled next. There must be one.
func (r *Ring) next() *submission {
	s := &r.submissions[(*r.sqTail+r.queued)&uint32(len(r.submissions)-1)]
	r.queued++
	return s
}

// Submit has the kernel send what is queued, in that order, in one system call. It took the
// first n of them, of which failures were not sent; what is behind, it never saw, err says
// why, and the queue is empty all the same. failures is valid until the next call.
func (r *Ring) Submit() (n int, failures []Failure, err error) {
	if r.queued == 0 {
		return 0, nil, nil
	}
	n, err = r.enter(0)
	r.failures = r.failures[:0]
	r.reap(func(c *completion) {
		r.failures = append(r.failures, Failure{uint32(c.id), unix.Errno(-c.result)})
	})
	return n, r.failures, err
}

// enter gives the kernel what is queued. The call is raw: it does not block, so the
// scheduler need not be told.
func (r *Ring) enter(flags uintptr) (n int, err error) {
	queued := r.queued
	r.queued = 0
	atomic.AddUint32(r.sqTail, queued)
	got, _, errno := unix.RawSyscall6(unix.SYS_IO_URING_ENTER, uintptr(r.fd), uintptr(queued), 0, flags, 0, 0)
	switch {
	case errno != 0:
		got, err = 0, fmt.Errorf("submit to an io_uring: %w", errno)
	case got < uintptr(queued):
		err = fmt.Errorf("submit to an io_uring: it took %d of %d", got, queued)
	}
	if err != nil { // take back what is left: it is not to be sent a second time, later
		atomic.StoreUint32(r.sqTail, atomic.LoadUint32(r.sqHead))
	}
	return int(got), err
}

// reap empties the queue of completions.
func (r *Ring) reap(each func(*completion)) {
	head, tail := *r.cqHead, atomic.LoadUint32(r.cqTail)
	for ; head != tail; head++ {
		each(&r.completions[head&uint32(len(r.completions)-1)])
	}
	atomic.StoreUint32(r.cqHead, head)
}

// Close gives the ring back. Nothing may be queued that is still wanted.
func (r *Ring) Close() error {
	var errs []error
	for _, mapped := range [][]byte{r.entries, r.rings} {
		if mapped != nil {
			errs = append(errs, unix.Munmap(mapped))
		}
	}
	if err := errors.Join(append(errs, unix.Close(r.fd))...); err != nil {
		return fmt.Errorf("close an io_uring: %w", err)
	}
	return nil
}
