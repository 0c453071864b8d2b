package raftgroup

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
)

const (
	maxAsking    = 128 // own requests at once; more wait
	connections  = 3   // kept open to each peer
	appendAtOnce = 64  // entries in one message
	inFlight     = 1   // messages to a peer; see doc.go
	cachedLog    = 512 // entries kept in memory for followers
)

// Group is this node's part in its site's Raft group. Make one with Start. It is
// safe for concurrent use.
type Group struct {
	cfg    Config
	logger hclog.Logger
	self   raft.ServerID

	disk       *disk
	machine    *machine
	leadership *leadership
	raft       *raft.Raft
	numbers    *numbers      // of own requests
	asking     chan struct{} // one place for each own request
	addresses  *addressBook
	dialogs    *batcher
	syncs      *syncer

	ctx    context.Context
	cancel context.CancelCauseFunc
	loops  sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	waiting sync.WaitGroup // for futures of Raft; Add under mu, and not once closed
}

// The pre-vote extension is off, without a word in the log that anyone reads, when
// the transport does not have it.
var _ raft.WithPreVote = (*raft.NetworkTransport)(nil)

// Start opens the log and takes part in the group until Close. The group may not
// have a leader yet when Start returns. When it fails, the listener is closed.
func Start(cfg Config) (*Group, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		if cfg.Listener != nil {
			err = errors.Join(err, cfg.Listener.Close())
		}
		return nil, fmt.Errorf("configuration of the Raft group: %w", err)
	}
	disk, err := openDisk(cfg.Dir, cfg.Logger)
	if err != nil {
		return nil, errors.Join(err, cfg.Listener.Close())
	}
	g := &Group{
		cfg: cfg, logger: cfg.Logger, self: serverID(cfg.Node, disk.id), disk: disk,
		machine: newMachine(cfg.Logger), leadership: newLeadership(cfg.Timing.Election), addresses: newAddressBook(cfg.Live),
		numbers: newNumbers(), asking: make(chan struct{}, maxAsking), dialogs: newBatcher(), syncs: newSyncer(),
	}
	g.ctx, g.cancel = context.WithCancelCause(context.Background())
	streams := newStreams(cfg, g.self)
	if g.raft, err = g.startRaft(streams); err != nil {
		return nil, errors.Join(fmt.Errorf("starting Raft: %w", err), streams.Close(), disk.close())
	}
	g.loops.Go(func() { g.supervise(g.ctx) })
	g.loops.Go(func() { g.replicateDialogs(g.ctx) })
	g.loops.Go(func() { g.runSyncs(g.ctx) })
	return g, nil
}

func (g *Group) startRaft(streams *streams) (*raft.Raft, error) {
	transport := raft.NewNetworkTransportWithConfig(&raft.NetworkTransportConfig{
		Stream: streams, ServerAddressProvider: g.addresses, MaxPool: connections, MaxRPCsInFlight: inFlight,
		Timeout: g.cfg.Timing.Election, Logger: g.logger,
	})
	logs, err := raft.NewLogCache(cachedLog, g.disk.store)
	if err != nil {
		return nil, errors.Join(err, transport.Close())
	}
	r, err := raft.NewRaft(g.raftConfig(), g.machine, logs, g.disk.store, g.disk.snapshots, transport)
	if err != nil {
		return nil, errors.Join(err, transport.Close())
	}
	r.RegisterObserver(g.leadership.observer())
	return r, nil
}

func (g *Group) raftConfig() *raft.Config {
	config := raft.DefaultConfig()
	config.LocalID = g.self
	config.Logger = g.logger
	config.HeartbeatTimeout = g.cfg.Timing.Election
	config.ElectionTimeout = g.cfg.Timing.Election
	config.LeaderLeaseTimeout = g.cfg.Timing.Election / 2
	config.CommitTimeout = g.cfg.Timing.Election / 20
	config.MaxAppendEntries = appendAtOnce
	config.SnapshotInterval = g.cfg.Timing.Snapshot
	config.SnapshotThreshold = g.cfg.SnapshotEntries
	config.TrailingLogs = g.cfg.SnapshotEntries
	config.ShutdownOnRemove = false // a node that was removed may be added again
	config.NoLegacyTelemetry = true
	return config
}

// Close ends this node's part without a word to the others. They notice by its
// silence; see HandOver and Leave for what is politer.
func (g *Group) Close() error {
	g.mu.Lock()
	if g.closed {
		g.mu.Unlock()
		return nil
	}
	g.closed = true
	g.mu.Unlock()
	g.cancel(ErrClosed)
	g.loops.Wait()
	g.waiting.Wait()
	err := g.raft.Shutdown().Error()
	g.leadership.close()
	if err = errors.Join(err, g.disk.close()); err != nil {
		return fmt.Errorf("closing the Raft group: %w", err)
	}
	return nil
}

// start runs work that waits for Raft, unless the group is closed. Close waits for
// it: a future that Raft takes along when it stops is never answered.
func (g *Group) start(work func()) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return ErrClosed
	}
	g.waiting.Go(work)
	return nil
}

func find(servers []raft.Server, id raft.ServerID) (raft.Server, bool) {
	for _, s := range servers {
		if s.ID == id {
			return s, true
		}
	}
	return raft.Server{}, false
}

// pause waits for d, or until ctx is done.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
