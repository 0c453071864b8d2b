package session

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
)

// ErrNoPort: every port pair of the range is in use.
var ErrNoPort = errors.New("no free RTP port")

// Ports hands out pairs of UDP ports: RTP on an even one and RTCP on the next
// (RFC 3550 section 11). Which pair is random, so that a stranger cannot guess
// where the next caller's media will be. It is safe for concurrent use.
type Ports struct {
	addr  netip.Addr
	first int // even
	pairs int

	mu   sync.Mutex
	used map[int]bool // by pair index
}

// NewPorts serves the pairs within from to to (both inclusive) on addr.
func NewPorts(addr netip.Addr, from, to uint16) (*Ports, error) {
	first := int(from) + int(from)%2
	pairs := (int(to) - first + 1) / 2
	if from < 1024 || pairs < 1 {
		return nil, fmt.Errorf("RTP port range %d-%d: need at least one even port and the one above it, from 1024 up", from, to)
	}
	return &Ports{addr: addr, first: first, pairs: pairs, used: map[int]bool{}}, nil
}

// InUse returns how many pairs are open.
func (p *Ports) InUse() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.used)
}

// Addr is the address that the sockets are bound to.
func (p *Ports) Addr() netip.Addr { return p.addr }

// open binds a free pair. A port that another program holds is passed over.
func (p *Ports) open() (rtp, rtcp *socket, err error) {
	start := rand.IntN(p.pairs)
	var lastErr error
	for i := range p.pairs {
		index := (start + i) % p.pairs
		if !p.take(index) {
			continue
		}
		rtp, rtcp, err := openPair(p.addr, uint16(p.first+2*index))
		if err == nil {
			return rtp, rtcp, nil
		}
		p.give(index)
		lastErr = err
		if !errors.Is(err, errAddressInUse) {
			return nil, nil, err
		}
	}
	if lastErr != nil {
		return nil, nil, fmt.Errorf("%w between %d and %d: %w", ErrNoPort, p.first, p.first+2*p.pairs-1, lastErr)
	}
	return nil, nil, fmt.Errorf("%w between %d and %d: all %d pairs are in use", ErrNoPort, p.first, p.first+2*p.pairs-1, p.pairs)
}

func openPair(addr netip.Addr, port uint16) (rtp, rtcp *socket, err error) {
	if rtp, err = openSocket(netip.AddrPortFrom(addr, port)); err != nil {
		return nil, nil, err
	}
	if rtcp, err = openSocket(netip.AddrPortFrom(addr, port+1)); err != nil {
		rtp.close()
		return nil, nil, err
	}
	rtcp.noteArrival()
	return rtp, rtcp, nil
}

// closed gives the pair back whose RTP port this was.
func (p *Ports) closed(rtpPort uint16) { p.give((int(rtpPort) - p.first) / 2) }

func (p *Ports) take(index int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.used[index] {
		return false
	}
	p.used[index] = true
	return true
}

func (p *Ports) give(index int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.used, index)
}
