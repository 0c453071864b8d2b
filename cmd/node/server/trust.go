package server

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"github.com/conclave-voice/conclave/store"
)

const (
	// trustEvery is how often the node looks which nodes there are, and rulesEvery, in
	// such looks, how often which carriers are trusted.
	trustEvery = time.Second
	rulesEvery = 10
)

// ownAddresses are those of this machine's interfaces.
type ownAddresses struct {
	known atomic.Pointer[map[netip.Addr]bool]
}

// look asks the system for them.
func (o *ownAddresses) look() error {
	list, err := net.InterfaceAddrs()
	if err != nil {
		return fmt.Errorf("ask for this machine's addresses: %w", err)
	}
	now := map[netip.Addr]bool{}
	for _, a := range list {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			now[p.Addr().Unmap()] = true
		}
	}
	o.known.Store(&now)
	return nil
}

func (o *ownAddresses) has(a netip.Addr) bool { return (*o.known.Load())[a.Unmap().WithZone("")] }

// followTrust keeps the SIP endpoint's rates off those who may send as fast as they have
// calls, until ctx is done: the nodes of the cluster, who come and go, and the networks
// that the call-handling rules trust by address.
func (n *Node) followTrust(ctx context.Context) error {
	var last []netip.Prefix
	carriers := n.carriers
	for look := 1; n.sleep(ctx, trustEvery) == nil; look++ {
		if look%rulesEvery == 0 {
			if err := n.own.look(); err != nil {
				n.logger.Debug("this machine's addresses are as they were", "error", err)
			}
			if now, err := n.trustedNetworks(ctx); err == nil {
				carriers = now
			} else {
				n.logger.Debug("the trusted networks are as they were", "error", err)
			}
		}
		now := append(slices.Clone(carriers), n.peers()...)
		slices.SortFunc(now, netip.Prefix.Compare)
		if !slices.Equal(now, last) {
			n.sip.Trust(now)
			last = now
		}
	}
	return nil
}

// peers are the addresses that other nodes forward calls from.
func (n *Node) peers() []netip.Prefix {
	if n.cluster == nil {
		return nil
	}
	var list []netip.Prefix
	for _, a := range n.cluster.SIPAddresses() {
		list = append(list, netip.PrefixFrom(a, a.BitLen()))
	}
	return list
}

// trustedNetworks are those of carriers' gateways, by the call-handling rules.
func (n *Node) trustedNetworks(ctx context.Context) ([]netip.Prefix, error) {
	rules, err := n.reader.ListCallRules(ctx)
	if err != nil {
		return nil, err
	}
	var list []netip.Prefix
	for _, r := range rules {
		if r.Action == store.RuleTrust && r.Source.IsValid() {
			list = append(list, r.Source)
		}
	}
	return list, nil
}
