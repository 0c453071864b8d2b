package uring

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Probe says whether this process may send by a ring, and this kernel does it as this
// package needs: nil, or why not. It sends one datagram to itself over loopback, and one
// that must fail.
func Probe() error {
	r, err := New(2)
	if err != nil {
		return err
	}
	fd, to, err := loopback()
	if err == nil {
		err = try(r, fd, to)
		unix.Close(fd)
	}
	return errors.Join(err, r.Close())
}

// loopback is a socket, and its own address.
func loopback() (fd int, to *unix.RawSockaddrInet6, err error) {
	fd, err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, nil, fmt.Errorf("open a socket to try an io_uring with: %w", err)
	}
	to = &unix.RawSockaddrInet6{}
	err = unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	if err == nil {
		size := uint32(unix.SizeofSockaddrInet4)
		if _, _, errno := unix.Syscall(unix.SYS_GETSOCKNAME, uintptr(fd), uintptr(unsafe.Pointer(to)), uintptr(unsafe.Pointer(&size))); errno != 0 {
			err = errno
		}
	}
	if err != nil {
		unix.Close(fd)
		return 0, nil, fmt.Errorf("bind a socket to try an io_uring with: %w", err)
	}
	return fd, to, nil
}

// try sends a datagram to fd itself, and one by no socket at all.
func try(r *Ring, fd int, to *unix.RawSockaddrInet6) error {
	sent, back := []byte("probe"), make([]byte, 16)
	const nowhere = 7
	r.Send(nowhere, -1, sent, to, unix.SizeofSockaddrInet4)
	r.Send(1, fd, sent, to, unix.SizeofSockaddrInet4)
	n, failures, err := r.Submit()
	if err != nil {
		return err
	}
	if n != 2 || len(failures) != 1 || failures[0].ID != nowhere || failures[0].Err != unix.EBADF {
		return fmt.Errorf("the kernel's io_uring does not send as is needed (Linux 6.1 and later do): of two sends %d were taken, these failed: %v", n, failures)
	}
	switch got, _, err := unix.Recvfrom(fd, back, unix.MSG_DONTWAIT); {
	case err != nil:
		return fmt.Errorf("take the datagram that an io_uring was to send over loopback: %w", err)
	case string(back[:got]) != string(sent):
		return fmt.Errorf("an io_uring was to send %q over loopback, and %q came", sent, back[:got])
	}
	return nil
}
