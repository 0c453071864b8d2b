package gossip

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"
)

const (
	// joinsAtOnce is how many addresses are tried in one round. One that answers is
	// enough: it brings all that it knows.
	joinsAtOnce = 4
	// leastRejoin is the least time between two rounds, whatever is learnt.
	leastRejoin = 250 * time.Millisecond
)

// rejoin looks for members at the addresses where none is known to be alive, for ever:
// memberlist itself never joins the dead again, so that a cut after which each side
// holds the other for dead would not heal.
func (p *pool) rejoin(ctx context.Context) {
	for {
		if !p.self.get().Left {
			p.joinMissing(ctx)
		}
		if err := p.book.save(); err != nil {
			p.notes.warn("cannot keep the known addresses: see to the folder and the disk", "error", err.Error())
		}
		if !pause(ctx, leastRejoin, nil) || !pause(ctx, p.timing.RejoinInterval-leastRejoin, p.kick) {
			return
		}
	}
}

// pause waits for d or a token of early; it tells whether the context goes on.
func pause(ctx context.Context, d time.Duration, early <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-early:
	case <-timer.C:
	}
	return ctx.Err() == nil
}

// joinMissing tries a few addresses, each once.
func (p *pool) joinMissing(ctx context.Context) {
	alive := p.members.addresses()
	for addr := range alive {
		p.book.learn(p.kind, addr, time.Now())
	}
	candidates := p.missing(p.resolve(ctx), alive)
	rand.Shuffle(len(candidates), func(i, j int) {
		candidates[i], candidates[j] = candidates[j], candidates[i]
	})
	candidates = candidates[:min(joinsAtOnce, len(candidates))]
	var round sync.WaitGroup
	errs := make([]error, len(candidates))
	for i, addr := range candidates {
		round.Go(func() { _, errs[i] = p.list.Join([]string{addr.String()}) })
	}
	round.Wait()
	for i, err := range errs {
		if err != nil && ctx.Err() == nil {
			p.tellFailure(candidates[i], err)
		}
	}
}

// tellFailure warns when no other node was ever found, which is what a wrong
// configuration looks like. Otherwise a node is simply down.
func (p *pool) tellFailure(addr netip.AddrPort, err error) {
	if first := errors.Unwrap(err); first != nil {
		err = first // memberlist's list of errors has one, and takes four lines for it
	}
	if len(p.members.list()) == 0 {
		p.notes.warn("no member found at an address: is a node there, is this its "+p.kind.String()+
			" gossip port, has it the same cluster name and key?", "address", addr.String(), "error", err.Error())
		return
	}
	p.notes.debug("no member found at an address", "pool", p.kind.String(), "address", addr.String(),
		"error", err.Error())
}

// missing are the addresses, seeds and learnt, at which no member is known to be alive.
func (p *pool) missing(seeds []netip.AddrPort, alive map[netip.AddrPort]bool) []netip.AddrPort {
	var list []netip.AddrPort
	done := map[netip.AddrPort]bool{p.addr: true}
	for _, addr := range append(seeds, p.book.addresses(p.kind)...) {
		if !done[addr] && !alive[addr] {
			list = append(list, addr)
		}
		done[addr] = true
	}
	return list
}

// resolve looks the configured seeds up.
func (p *pool) resolve(ctx context.Context) []netip.AddrPort {
	ctx, cancel := context.WithTimeout(ctx, p.timing.StreamTimeout)
	defer cancel()
	var list []netip.AddrPort
	for _, seed := range p.seeds {
		if addr, err := netip.ParseAddrPort(seed); err == nil {
			list = append(list, netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port()))
			continue
		}
		addrs, err := lookUp(ctx, seed)
		if err != nil && ctx.Err() == nil {
			p.notes.warn("cannot look up a seed", "pool", p.kind.String(), "seed", seed, "error", err.Error())
		}
		list = append(list, addrs...)
	}
	return list
}

func lookUp(ctx context.Context, seed string) ([]netip.AddrPort, error) {
	host, service, err := net.SplitHostPort(seed)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(service, 10, 16)
	if err != nil {
		return nil, err
	}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	var list []netip.AddrPort
	for _, addr := range addrs {
		list = append(list, netip.AddrPortFrom(addr.Unmap(), uint16(port)))
	}
	return list, nil
}
