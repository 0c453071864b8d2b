package wiretap

import (
	"encoding/binary"
	"net"
	"sync/atomic"
	"testing"

	"github.com/conclave-voice/conclave/testenv/loopback"
)

// Tap counts since it was started.
type Tap struct {
	byPort [1 << 16]atomic.Uint64
}

// Start starts one; it ends with the test.
func Start(t testing.TB) *Tap {
	t.Helper()
	address, _, err := net.SplitHostPort(loopback.Address(0))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.ListenPacket("ip4:udp", address)
	if err != nil {
		t.Fatalf("listen to all UDP packets, which needs root: %v", err)
	}
	tap, done := &Tap{}, make(chan struct{})
	go func() {
		defer close(done)
		tap.read(conn)
	}()
	t.Cleanup(func() {
		conn.Close()
		<-done
	})
	return tap
}

const maxHeaders = 60 + 8

// read counts until the socket is closed. What comes while its buffer is full is not
// counted: no test may want an exact number of many.
func (t *Tap) read(conn net.PacketConn) {
	// The heads of IP, which the conn takes off, and of UDP (RFC 768); the rest is cut.
	buf := make([]byte, maxHeaders)
	for {
		n, _, err := conn.ReadFrom(buf)
		if err != nil {
			return
		}
		if n >= 8 {
			t.byPort[binary.BigEndian.Uint16(buf[2:])].Add(1)
		}
	}
}

// Arrived is how many packets have arrived at the ports from first to last.
func (t *Tap) Arrived(first, last int) (n uint64) {
	for port := first; port <= last; port++ {
		n += t.byPort[port].Load()
	}
	return n
}
