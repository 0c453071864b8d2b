package gossip

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/netip"
	"regexp"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/memberlist"
)

// Config is what a node says about itself and where it listens.
type Config struct {
	Cluster string // the same on every node
	Site    string // the same on every node of the site
	Node    string // unique in the site
	// Incarnation must grow with each run of the node, for instance the milliseconds
	// of its start since 1970.
	Incarnation uint64
	Role        Role
	Addresses   Addresses
	Raft        []byte // see [Gossip.SetRaft]
	Version     string

	// Keys are AES keys of 16, 24 or 32 bytes, one or two. The first encrypts what is
	// sent, both decrypt what comes.
	Keys [][]byte

	Local PoolConfig // inside the site
	Wide  PoolConfig // across sites

	// SeedFile keeps the addresses learnt; empty: only in memory. Its folder must be
	// there.
	SeedFile string

	Logger hclog.Logger

	// network opens a pool's sockets; nil: UDP and TCP. Tests put a network there that
	// they can cut.
	network func(context.Context, netip.AddrPort, *log.Logger) (memberlist.NodeAwareTransport, netip.AddrPort, error)
}

// PoolConfig is one pool's socket and its seeds.
type PoolConfig struct {
	Bind netip.AddrPort // TCP and UDP; port 0 takes a free one
	// Advertise is where others reach Bind, if that is another address; its port 0
	// means Bind's. It is needed when Bind is unspecified (0.0.0.0).
	Advertise netip.AddrPort
	// Seeds are "host:port" of any members. A name stands for all its addresses and is
	// resolved anew each time.
	Seeds  []string
	Timing Timing
}

// Timing is how a pool trades speed for patience. The zero value takes the pool's
// default: [LocalTiming] or [WideTiming].
type Timing struct {
	// ProbeInterval is the time between probes of one node each, in turn.
	ProbeInterval time.Duration
	// ProbeTimeout is the wait for the answer before others are asked to probe too. It
	// must exceed the round trip, and be under half of the interval: the others say
	// after as long that they got no answer, and when that comes too late, memberlist
	// takes itself for the sick one and slows down.
	ProbeTimeout time.Duration
	// Suspicion is how many intervals (times log10 of the members, if that is over 1)
	// a node has to refute. Where too few others confirm, SuspicionMax times that.
	Suspicion, SuspicionMax int
	GossipInterval          time.Duration // between packets of news
	SyncInterval            time.Duration // between complete exchanges with one member
	StreamTimeout           time.Duration // of connecting and of a complete exchange
	RejoinInterval          time.Duration // between attempts to find who is missing
	LoadInterval            time.Duration // least time between two updates of the load
}

// LocalTiming finds a dead node within a second, 0.9 s at most in sites of up to 40: 0.1
// to 0.3 s until one of the others probes it, 0.06 s for the probe, 0.3 to 0.5 s to
// refute, and the spread of the news.
func LocalTiming() Timing {
	return Timing{
		ProbeInterval: 60 * time.Millisecond, ProbeTimeout: 27 * time.Millisecond,
		Suspicion: 5, SuspicionMax: 2, GossipInterval: 50 * time.Millisecond,
		SyncInterval: 10 * time.Second, StreamTimeout: 2 * time.Second,
		RejoinInterval: 2 * time.Second, LoadInterval: 500 * time.Millisecond,
	}
}

// WideTiming sees the loss of a site of three nodes within 5 to 10 s, at times 15 s, and
// keeps members apart by round trips of 0.4 s with a loss of 5 % alive.
func WideTiming() Timing {
	return Timing{
		ProbeInterval: time.Second, ProbeTimeout: 400 * time.Millisecond,
		Suspicion: 3, SuspicionMax: 2, GossipInterval: 200 * time.Millisecond,
		SyncInterval: 30 * time.Second, StreamTimeout: 3 * time.Second,
		RejoinInterval: 5 * time.Second, LoadInterval: 2 * time.Second,
	}
}

// name is what clusters, sites and nodes may be called. No slash: it parts site and
// node, and memberlist reads it in addresses.
var name = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

// Validate tells everything that is wrong.
func (c Config) Validate() error {
	var errs []error
	for _, n := range []struct{ field, value string }{
		{"cluster", c.Cluster}, {"site", c.Site}, {"node", c.Node}} {
		if !name.MatchString(n.value) {
			errs = append(errs, fmt.Errorf("%s name %q: want 1 to 63 letters, digits, dots, dashes, "+
				"underscores, a letter or digit first", n.field, n.value))
		}
	}
	if c.Incarnation == 0 {
		errs = append(errs, errors.New("incarnation 0: want a number that grows with each run"))
	}
	if len(c.Keys) == 0 || len(c.Keys) > maxKeys {
		errs = append(errs, fmt.Errorf("%d gossip keys: want one, or two during a rotation; "+
			"32 random bytes are a good one", len(c.Keys)))
	}
	for _, key := range c.Keys {
		if err := memberlist.ValidateKey(key); err != nil {
			errs = append(errs, fmt.Errorf("gossip %w, not %d", err, len(key)))
		}
	}
	errs = append(errs, c.Addresses.validate(), c.Local.validate("local"), c.Wide.validate("wide"),
		validateRaft(c.Raft))
	if c.Logger == nil {
		errs = append(errs, errors.New("no logger"))
	}
	if n := len(c.largest().encode()); n > memberlist.MetaMaxSize {
		errs = append(errs, fmt.Errorf("what the node says about itself may take %d bytes, over %d: "+
			"shorten the names or the version %q", n, memberlist.MetaMaxSize, c.Version))
	}
	return errors.Join(errs...)
}

func (a Addresses) validate() error {
	var errs []error
	for _, s := range []struct{ what, addr string }{{"SIP", a.SIP}, {"RPC", a.RPC}, {"HTTP", a.HTTP}} {
		if s.addr == "" {
			continue
		}
		if _, _, err := net.SplitHostPort(s.addr); err != nil {
			errs = append(errs, fmt.Errorf("%s address for other nodes: want host:port: %w", s.what, err))
		}
	}
	return errors.Join(errs...)
}

func (p PoolConfig) validate(pool string) error {
	if !p.Bind.IsValid() {
		return fmt.Errorf("%s gossip: no address to bind", pool)
	}
	if p.Bind.Addr().IsUnspecified() && (!p.Advertise.IsValid() || p.Advertise.Addr().IsUnspecified()) {
		return fmt.Errorf("%s gossip binds %s: say with advertise which address others shall use",
			pool, p.Bind)
	}
	for _, seed := range p.Seeds {
		if _, _, err := net.SplitHostPort(seed); err != nil {
			return fmt.Errorf("%s gossip, seed %q: want host:port: %w", pool, seed, err)
		}
	}
	return nil
}

// member is what the node says at first.
func (c Config) member() Member {
	return Member{Site: c.Site, Node: c.Node, Incarnation: c.Incarnation, Role: c.Role,
		Addresses: c.Addresses, Raft: c.Raft, Version: c.Version, Alive: true, Since: time.Now()}
}

// largest is the longest that the metadata can become.
func (c Config) largest() metadata {
	m := metadata{Member: c.member()}
	m.Load = Load{Participants: 1<<32 - 1, Capacity: 1<<32 - 1}
	m.Draining, m.Left = true, true
	m.Raft = make([]byte, maxRaft)
	longest := netip.MustParseAddrPort("[2001:db8::1]:65535")
	m.Addresses.LocalGossip, m.Addresses.WideGossip = longest, longest
	return m
}
