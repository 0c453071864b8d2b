package clustering

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/jonboulle/clockwork"
	"golang.org/x/sync/errgroup"

	"github.com/conclave-voice/conclave/api"
	"github.com/conclave-voice/conclave/callflow/custody"
	"github.com/conclave-voice/conclave/callflow/handover"
	"github.com/conclave-voice/conclave/callflow/peers"
	"github.com/conclave-voice/conclave/cluster/certs"
	"github.com/conclave-voice/conclave/cluster/gossip"
	"github.com/conclave-voice/conclave/cluster/raftgroup"
	"github.com/conclave-voice/conclave/cluster/registry"
	"github.com/conclave-voice/conclave/cluster/rpc"
	"github.com/conclave-voice/conclave/sites"
	"github.com/conclave-voice/conclave/sites/probe"
	"github.com/conclave-voice/conclave/sites/reach"
	"github.com/conclave-voice/conclave/store"
)

// Cluster is a node's part in its cluster. Make one with Open.
type Cluster struct {
	config read
	self   certs.Identity
	bundle *certs.Bundle
	// incarnation is of this run of the node.
	incarnation uint64
	logger      hclog.Logger
	clock       clockwork.Clock

	gossip   *gossip.Gossip
	group    *raftgroup.Group
	client   *rpc.Client
	server   *rpc.Server
	listener net.Listener
	prober   *probe.Prober
	locator  *sites.Cluster
	foci     *peers.Client
	proofs   *handover.Handovers
	custody  *custody.Custody

	keying sync.Mutex // the bundle's secrets, and those that gossip has
	keys   [][]byte   // of gossip

	obeying sync.Mutex
	obeyed  obeyed
	kept    keptOrders     // obeyed last, also in earlier runs
	told    registry.Order // of this site's drain, by others; the zero Order: nothing
}

// Identity reads who the node is from its certificates, before Open.
func Identity(dir string) (certs.Identity, error) {
	bundle, err := certs.Open(dir)
	if err != nil {
		return certs.Identity{}, fmt.Errorf("--cluster-dir: %w", err)
	}
	return bundle.Identity(), nil
}

// Open binds the ports and begins to look for the other nodes; it waits for none.
// Whoever gets a Cluster must Close it.
func Open(config Config, run store.NodeRun, epochs sites.Epochs, clock clockwork.Clock, logger hclog.Logger) (*Cluster, error) {
	bundle, err := certs.Open(config.Dir)
	if err != nil {
		return nil, fmt.Errorf("--cluster-dir: %w", err)
	}
	c := &Cluster{self: bundle.Identity(), bundle: bundle, incarnation: uint64(run.Incarnation), logger: logger, clock: clock}
	if c.config, err = config.check(run.Node); err != nil {
		return nil, err
	}
	if c.kept, err = readOrders(c.ordersFile()); err != nil {
		logger.Error("the node starts without them", "error", err)
	}
	codes := codes()
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: c.config.address.Addr().AsSlice()}}
	c.client = rpc.NewClient(bundle, c.rpcAddress, codes, dialer)
	c.server = rpc.NewServer(codes, logger.Named("rpc"))
	c.foci = peers.NewClient(c.self.Cluster, c.client, c)
	c.proofs = handover.New(run.Place, bundle.HandoverKeys, clock)
	for _, step := range []func(store.NodeRun) error{c.listen, c.startGossip, c.startRaft, c.makeProber} {
		if err := step(run); err != nil {
			return nil, errors.Join(err, c.Close())
		}
	}
	c.makeCustody()
	c.locator = sites.NewCluster(sites.Config{Self: run.Place, Incarnation: uint64(run.Incarnation), Registry: c.group, Peers: c.foci, Epochs: epochs,
		Nodes: c.candidates, Reachable: c.reachable, Learn: c.learn, Clock: clock, Logger: logger.Named("sites")})
	return c, nil
}

// codes are the errors that cross the wire.
func codes() rpc.Codes {
	list := peers.Codes()
	list["not-found"], list["invalid"], list["no-quorum"] = store.ErrNotFound, store.ErrInvalid, raftgroup.ErrNoQuorum
	list["not-now"] = api.ErrNotNow
	return list
}

func (c *Cluster) listen(store.NodeRun) (err error) {
	if c.listener, err = net.Listen("tcp", c.config.at(portRPC).String()); err != nil {
		return c.inUse("RPC", portRPC, err)
	}
	return nil
}

// inUse names the key to change.
func (c *Cluster) inUse(what string, port uint16, err error) error {
	return fmt.Errorf("--cluster %s: %s is to be at %s: %w; stop what uses that port, or name another with %d free ones", c.config.Address, what, c.config.at(port), err, Ports)
}

func (c *Cluster) startGossip(run store.NodeRun) (err error) {
	c.keys = c.bundle.GossipKeys()
	c.gossip, err = gossip.Start(gossip.Config{
		Cluster: c.self.Cluster, Site: c.self.Site, Node: c.self.Node, Incarnation: uint64(run.Incarnation), Role: c.config.role,
		Addresses: gossip.Addresses{SIP: c.config.SIP, RPC: c.config.at(portRPC).String(), HTTP: c.config.HTTP}, Version: c.config.Version,
		Keys: c.keys, Local: gossip.PoolConfig{Bind: c.config.at(portLocalGossip)},
		Wide:     gossip.PoolConfig{Bind: c.config.at(portWideGossip), Seeds: c.config.seeds},
		SeedFile: filepath.Join(c.config.DataDir, "seeds"), Logger: c.logger})
	if err != nil {
		return fmt.Errorf("--cluster %s, --join %q: %w", c.config.Address, c.config.Join, err)
	}
	return nil
}

func (c *Cluster) startRaft(run store.NodeRun) error {
	l, err := net.Listen("tcp", c.config.at(portRaft).String())
	if err != nil {
		return c.inUse("Raft", portRaft, err)
	}
	c.group, err = raftgroup.Start(raftgroup.Config{
		Node: c.self.Node, Incarnation: uint64(run.Incarnation), Addresses: []string{c.config.at(portRPC).String()},
		Dir: filepath.Join(c.config.DataDir, "raft"), Listener: l,
		ServerTLS: c.bundle.ServerTLS(c.bundle.SameSite()), ClientTLS: c.bundle.ClientTLS(c.bundle.SameSite()),
		Dialer: &net.Dialer{LocalAddr: &net.TCPAddr{IP: c.config.address.Addr().AsSlice()}}, Seeds: c.config.founders,
		Forwarder: forwarder{c}, Live: c.live, Announce: c.announce, Logger: c.logger.Named("raft")})
	if err != nil {
		return fmt.Errorf("the site's Raft group: %w", err)
	}
	return nil
}

// reachable says whether a site is worth asking: one that is not known yet is.
func (c *Cluster) reachable(site string) bool {
	v := c.prober.Verdict(site)
	return v.Usable() || v == reach.Unknown
}

// announce tells the site's nodes of this one's Raft server.
func (c *Cluster) announce(m raftgroup.Member) {
	if err := c.gossip.SetRaft(encodeMember(m)); err != nil {
		c.logger.Error("the site's nodes cannot be told of this one's Raft server", "error", err)
	}
}

func (c *Cluster) makeProber(store.NodeRun) (err error) {
	c.prober, err = probe.New(probe.Config{Site: c.self.Site, Members: c.targets, Clock: c.clock, Logger: c.logger,
		Ping: func(ctx context.Context, t probe.Target) error { return c.client.Ping(ctx, c.identity(t.Site, t.Node)) },
		ThirdParty: func(ctx context.Context, via probe.Target, site string) (bool, error) {
			got, err := rpc.Call[verdictRequest, verdictAnswer](ctx, c.client, c.identity(via.Site, via.Node), methodVerdict, verdictRequest{site})
			return got.Up, err
		}})
	return err
}

// Locator, Foci and Handovers are for the call engine.
func (c *Cluster) Locator() *sites.Cluster        { return c.locator }
func (c *Cluster) Foci() *peers.Client            { return c.foci }
func (c *Cluster) Handovers() *handover.Handovers { return c.proofs }

// Raft is how the site's Raft group is, as this node sees it.
func (c *Cluster) Raft() raftgroup.Status { return c.group.Status() }

// Load is how many participants a node has.
type Load func() int

// loadTime is how often the other nodes are told of it, at most.
const loadTime = 500 * time.Millisecond

// Run answers other nodes, probes other sites, and tells how loaded this node is, until
// ctx is done.
func (c *Cluster) Run(ctx context.Context, load Load) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return c.server.Run(ctx, c.listener, c.bundle.ServerTLS(c.bundle.AnyNode())) })
	g.Go(func() error { return c.prober.Run(ctx) })
	g.Go(func() error { return c.locator.Run(ctx) })
	g.Go(func() error { return c.renew(ctx) })
	g.Go(func() error { return c.follow(ctx) })
	g.Go(func() error {
		tick := c.clock.NewTicker(loadTime)
		defer tick.Stop()
		for {
			select {
			case <-tick.Chan():
				c.gossip.SetLoad(gossip.Load{Participants: uint32(load()), Capacity: uint32(c.config.Capacity)})
			case <-ctx.Done():
				return nil
			}
		}
	})
	return g.Wait()
}

// leaveTime bounds the good-byes of a node that stops.
const leaveTime = 2 * time.Second

// Close takes leave of the site and the cluster, and stops.
func (c *Cluster) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), leaveTime)
	defer cancel()
	var errs []error
	if c.group != nil {
		_ = c.group.HandOver(ctx) // an election does it otherwise
		errs = append(errs, c.group.Close())
	}
	if c.gossip != nil {
		_ = c.gossip.Leave(ctx) // others notice by its silence otherwise
		errs = append(errs, c.gossip.Close())
	}
	if c.listener != nil {
		if err := c.listener.Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	if c.client != nil {
		c.client.Close()
	}
	return errors.Join(errs...)
}
