package lab

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/conclave-voice/conclave/testenv/wan"
)

// The ports of a node. They are the same at every node: each has its own addresses.
const (
	SIPPort      = 5060
	HTTPPort     = 8080
	ClusterPort  = 7940 // of four: RPC, Raft, gossip in the site, gossip across sites
	FirstRTPPort = 20000
	LastRTPPort  = 29999
	DatabasePort = 5432
)

// Classes are the kinds of traffic that can be cut or impaired alone.
func Classes() []wan.Class {
	return []wan.Class{
		{Name: "sip", Ports: []wan.PortRange{wan.Port(SIPPort)}},
		{Name: "rtp", Protocol: wan.UDP, Ports: []wan.PortRange{{First: FirstRTPPort, Last: LastRTPPort}}},
		{Name: "rpc", Protocol: wan.TCP, Ports: []wan.PortRange{wan.Port(ClusterPort)}},
		{Name: "raft", Protocol: wan.TCP, Ports: []wan.PortRange{wan.Port(ClusterPort + 1)}},
		{Name: "gossip", Ports: []wan.PortRange{{First: ClusterPort + 2, Last: ClusterPort + 3}}}, // UDP and TCP
		{Name: "database", Protocol: wan.TCP, Ports: []wan.PortRange{wan.Port(DatabasePort)}},
		{Name: "http", Protocol: wan.TCP, Ports: []wan.PortRange{wan.Port(HTTPPort)}},
		{Name: "icmp", Protocol: wan.ICMP},
	}
}

// The last two numbers of the addresses 10.SITE.x.y.
const (
	maxSites    = 200
	maxNodes    = 199
	databaseAt  = 200
	callersAt   = 201
	gatewayHigh = 255
	gatewayLow  = 254
)

// SiteSpec is a site to be made.
type SiteSpec struct {
	Name  string `json:"name"` // lower-case letters and digits, at most 12
	Nodes int    `json:"nodes"`
}

// Plan says who is where in a lab.
type Plan struct {
	Sites    []Site `json:"sites"`
	Database string `json:"database,omitempty"` // its URL; empty: there is none
}

// Site is one place with a network of its own.
type Site struct {
	Name    string       `json:"name"`
	Network netip.Prefix `json:"network"`
	Gateway netip.Addr   `json:"gateway"`
	Callers netip.Addr   `json:"callers"` // where callers live
	Nodes   []Node       `json:"nodes"`
}

// Node is the place of a node.
type Node struct {
	Name    string     `json:"name"` // SITE-NUMBER
	Site    string     `json:"site"`
	Address netip.Addr `json:"address"`
	Dir     string     `json:"dir"` // for its data, made before it starts, kept when it does again
}

// At is an address and port of the node.
func (n Node) At(port uint16) netip.AddrPort { return netip.AddrPortFrom(n.Address, port) }

var siteName = regexp.MustCompile(`^[a-z0-9]{1,12}$`)

// newPlan gives everybody an address. The database is at a site by name; where there is
// no site of that name, it becomes one, without nodes.
func newPlan(specs []SiteSpec, database, dir string) (Plan, netip.Addr, error) {
	var p Plan
	at := netip.Addr{}
	if database != "" && find(specs, database) < 0 {
		specs = append(specs[:len(specs):len(specs)], SiteSpec{Name: database})
	}
	if len(specs) == 0 || len(specs) > maxSites {
		return p, at, fmt.Errorf("a lab of %d sites: give 1 to %d", len(specs), maxSites)
	}
	for i, s := range specs {
		if !siteName.MatchString(s.Name) || find(specs, s.Name) != i {
			return p, at, fmt.Errorf("site %q: give each site a name of its own, of 1 to 12 lower-case letters and digits", s.Name)
		}
		if s.Nodes < 0 || s.Nodes > maxNodes {
			return p, at, fmt.Errorf("site %s has %d nodes: give 0 to %d", s.Name, s.Nodes, maxNodes)
		}
		site := newSite(byte(i+1), s, dir)
		if s.Name == database {
			at = address(byte(i+1), 0, databaseAt)
		}
		p.Sites = append(p.Sites, site)
	}
	return p, at, nil
}

func find(specs []SiteSpec, name string) int {
	return slices.IndexFunc(specs, func(s SiteSpec) bool { return s.Name == name })
}

func newSite(number byte, spec SiteSpec, dir string) Site {
	s := Site{Name: spec.Name, Network: netip.PrefixFrom(address(number, 0, 0), 16),
		Gateway: address(number, gatewayHigh, gatewayLow), Callers: address(number, 0, callersAt)}
	for n := range spec.Nodes {
		name := fmt.Sprintf("%s-%d", spec.Name, n+1)
		s.Nodes = append(s.Nodes, Node{Name: name, Site: spec.Name, Address: address(number, 0, byte(n+1)), Dir: filepath.Join(dir, name)})
	}
	return s
}

func address(site, high, low byte) netip.Addr { return netip.AddrFrom4([4]byte{10, site, high, low}) }

// Nodes are those of all sites.
func (p Plan) Nodes() (all []Node) {
	for _, s := range p.Sites {
		all = append(all, s.Nodes...)
	}
	return all
}

// Site finds a site by its name.
func (p Plan) Site(name string) (Site, error) {
	var names []string
	for _, s := range p.Sites {
		if s.Name == name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return Site{}, fmt.Errorf("there is no site %q: there are %v", name, names)
}
