package server

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"github.com/conclave-voice/conclave/store"
)

const (
	// trustEvery is how often the node looks which nodes there are, and rulesEvery, in
	// such looks, how often which carriers are trusted.
	trustEvery = time.Second
	rulesEvery = 10
)

// followTrust keeps the SIP endpoint's rates off those who may send as fast as they have
// calls, until ctx is done: the nodes of the cluster, who come and go, and the networks
// that the call-handling rules trust by address.
func (n *Node) followTrust(ctx context.Context) error {
	var last []netip.Prefix
	carriers := n.carriers
	for look := 1; n.sleep(ctx, trustEvery) == nil; look++ {
		if look%rulesEvery == 0 {
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
