package lab

import (
	"context"
	"fmt"
	"net/netip"
	"os"

	"github.com/conclave-voice/conclave/testenv/netns"
	"github.com/conclave-voice/conclave/testenv/wan"
)

// mtu is that of the WAN, in octets.
const mtu = 1500

// network is the namespaces of a lab.
type network struct {
	set      *netns.Set
	hosts    map[string]*netns.Namespace // by the name of the node
	callers  map[string]*netns.Namespace // by the name of the site
	database *netns.Namespace
	ends     []wan.Site
}

// CallersNamespace is what `ip netns` calls the place of a site's callers.
func (s State) CallersNamespace(site string) string {
	return netns.Prefix + s.ID + "-" + site + callersHost
}

// callersHost follows the name of the site in that of the callers' namespace.
const callersHost = "-callers"

// newNetwork makes the namespaces of a plan. What it has made is in the result even
// when it fails; close it in any case.
func newNetwork(ctx context.Context, p Plan, database netip.Addr) (*network, error) {
	set, err := netns.New(ctx)
	if err != nil {
		return nil, err
	}
	n := &network{set: set, hosts: map[string]*netns.Namespace{}, callers: map[string]*netns.Namespace{}}
	for _, s := range p.Sites {
		if err := n.addSite(ctx, s, database); err != nil {
			return n, fmt.Errorf("make the network of site %s: %w", s.Name, err)
		}
	}
	return n, nil
}

func (n *network) addSite(ctx context.Context, s Site, database netip.Addr) error {
	gateway, err := n.set.Add(ctx, s.Name)
	if err != nil {
		return err
	}
	if err := gateway.Sysctl("net/ipv4/ip_forward", "1"); err != nil {
		return err
	}
	if err := gateway.AddBridge(ctx, "lan", netip.PrefixFrom(s.Gateway, s.Network.Bits())); err != nil {
		return err
	}
	device, err := gateway.OpenTUN(ctx, "wan", mtu)
	if err != nil {
		return err
	}
	n.ends = append(n.ends, wan.Site{Name: s.Name, Networks: []netip.Prefix{s.Network}, Device: device})
	if err := gateway.IP(ctx, "route add default dev wan"); err != nil {
		return err
	}
	host := func(name string, a netip.Addr) (*netns.Namespace, error) {
		h, err := n.set.Add(ctx, name)
		if err != nil {
			return nil, err
		}
		return h, gateway.Attach(ctx, "lan", h, netip.PrefixFrom(a, s.Network.Bits()), s.Gateway)
	}
	for _, node := range s.Nodes {
		if n.hosts[node.Name], err = host(node.Name, node.Address); err != nil {
			return err
		}
	}
	if n.callers[s.Name], err = host(s.Name+callersHost, s.Callers); err != nil {
		return err
	}
	if s.Network.Contains(database) {
		n.database, err = host(s.Name+"-database", database)
	}
	return err
}

// close deletes the namespaces. The devices are closed by the router that has them.
func (n *network) close() error { return n.set.Close() }

// closeDevices is for devices that no router has.
func (n *network) closeDevices() {
	for _, e := range n.ends {
		if file, ok := e.Device.(*os.File); ok {
			file.Close() // there is nothing to save
		}
	}
}
