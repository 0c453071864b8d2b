package loopback

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

const (
	firstPort = 10000
	blockSize = 500
	blocks    = 44 // up to 31999
)

// Ports returns the first of n consecutive ports of 127.0.0.1, 1 to 500, that are
// free for UDP and TCP and stay this test's until it ends. The first is even, as
// RTP wants it.
func Ports(t testing.TB, n int) int {
	t.Helper()
	first, err := dealer.take(n)
	if err != nil {
		t.Fatalf("taking %d ports of 127.0.0.1: %v", n, err)
	}
	t.Cleanup(func() { dealer.giveBack(first, n) })
	return first
}

// Address returns "127.0.0.1:port".
func Address(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

// ports are those that this process has claimed. The claim is the process's, so
// this is one of the few variables of a package that are right.
type ports struct {
	mu     sync.Mutex
	claims []*claim
}

var dealer ports

// claim is a locked block.
type claim struct {
	lock  *os.File // held until the process ends
	first int
	taken [blockSize]bool
	next  int // where to look first, so that a port rests before it is dealt again
}

func (p *ports) take(n int) (int, error) {
	if n < 1 || n > blockSize {
		return 0, fmt.Errorf("a block has %d", blockSize)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.claims {
		if first, ok := c.take(n); ok {
			return first, nil
		}
	}
	for {
		c, err := p.claimBlock()
		if err != nil {
			return 0, err
		}
		if first, ok := c.take(n); ok {
			return first, nil
		}
	}
}

func (p *ports) giveBack(first, n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.claims {
		if first >= c.first && first < c.first+blockSize {
			clear(c.taken[first-c.first:][:n])
		}
	}
}

// claimBlock locks a block that no process has, beginning at a random one so that
// ports of an earlier run have time to come to rest.
func (p *ports) claimBlock() (*claim, error) {
	dir := filepath.Join(os.TempDir(), "conclave-test-ports")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	start := rand.IntN(blocks)
	for i := range blocks {
		block := (start + i) % blocks
		file, err := os.OpenFile(filepath.Join(dir, fmt.Sprintf("%d.lock", block)), os.O_CREATE|os.O_RDWR, 0o666)
		if err != nil {
			return nil, err
		}
		if unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil {
			c := &claim{lock: file, first: firstPort + block*blockSize}
			p.claims = append(p.claims, c)
			return c, nil
		}
		file.Close() // another process's, or ours already
	}
	return nil, fmt.Errorf("all %d blocks between %d and %d are claimed", blocks, firstPort, firstPort+blocks*blockSize-1)
}

// take finds a run of n ports, the first even, that are not dealt and can be bound.
func (c *claim) take(n int) (int, bool) {
next:
	for step := 0; step < blockSize; step += 2 {
		i := (c.next + step) % blockSize
		if i+n > blockSize {
			continue
		}
		for k := range n {
			if c.taken[i+k] || !free(c.first+i+k) {
				continue next
			}
		}
		for k := range n {
			c.taken[i+k] = true
		}
		c.next = (i + n + n%2) % blockSize
		return c.first + i, true
	}
	return 0, false
}

func free(port int) bool {
	udp, err := net.ListenPacket("udp4", Address(port))
	if err != nil {
		return false
	}
	udp.Close()
	tcp, err := net.Listen("tcp4", Address(port))
	if err != nil {
		return false
	}
	tcp.Close()
	return true
}
