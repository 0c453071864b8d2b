package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/conclave-voice/conclave/billing"
	"github.com/conclave-voice/conclave/conference"
	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/breaker"
	"github.com/conclave-voice/conclave/store/journal"
	"github.com/conclave-voice/conclave/store/journal/wal"
	"github.com/conclave-voice/conclave/store/replica"
	"github.com/conclave-voice/conclave/store/sqlstore"
)

// What the data directory holds besides the lock, and the store if that is SQLite.
const (
	journalDir  = "journal"
	replicaFile = "copy.db"
)

// contactTime bounds how long the start waits for a store that does not answer.
const contactTime = 5 * time.Second

// openData takes the data directory for this process.
func (n *Node) openData(_ context.Context, _ settings) error {
	if err := os.MkdirAll(n.config.DataDir, 0o700); err != nil {
		return fmt.Errorf("--data %q: %w; name a directory that can be written", n.config.DataDir, err)
	}
	lock, err := os.OpenFile(filepath.Join(n.config.DataDir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("--data %q: %w; name a directory that can be written", n.config.DataDir, err)
	}
	n.lock = lock
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return fmt.Errorf("--data %q is in use by another node; stop that one or name another directory", n.config.DataDir)
	}
	return nil
}

// openStore opens the store and the copy of it on this node. A store that is away is no
// error where there is a copy that calls can be decided by.
func (n *Node) openStore(ctx context.Context, s settings) (err error) {
	logger := n.logger.Named("store")
	if n.store, err = sqlstore.Open(ctx, s.dsn, sqlstore.WithLogger(logger), sqlstore.Unasked()); err != nil {
		return err
	}
	guard := breaker.DefaultConfig()
	guard.Budget = n.config.StorePatience
	n.breaker = breaker.New(guard, n.store.CheckSchema, n.clock, logger)
	c := replica.DefaultConfig(filepath.Join(n.config.DataDir, replicaFile))
	c.MaxAge = n.config.CopyMaxAge
	if n.replica, err = replica.Open(ctx, c, n.store, n.clock, logger); err != nil {
		return err
	}
	n.reader = replica.NewReader(n.store, n.replica, n.breaker)
	contact, cancel := context.WithTimeout(ctx, contactTime)
	defer cancel()
	away := n.store.Ping(contact)
	if away == nil {
		return n.store.Migrate(ctx)
	}
	if err := n.replica.Usable(); err != nil {
		return fmt.Errorf("--store: %w; and the node cannot start without it: %w", away, err)
	}
	logger.Warn("starting without the store, by the copy of the last run", "copy_of", n.replica.CopiedAt(), "error", away)
	if err := n.breaker.Do(ctx, func(context.Context) error { return away }); err != away {
		return err
	}
	return nil
}

// openJournal opens the journal with what earlier runs have left in it.
func (n *Node) openJournal(_ context.Context, s settings) (err error) {
	n.credit = billing.NewCredit(s.offlineCredit, n.replica.CopiedAt, n.clock)
	n.journal, err = journal.Open(journal.Config{
		Config:   wal.Config{Dir: filepath.Join(n.config.DataDir, journalDir), MaxBytes: int64(n.config.JournalSize) << 20},
		Recorded: n.credit.Told, Settled: n.credit.Told, Superseded: n.superseded,
	}, n.store, n.breaker, n.clock, n.logger.Named("journal"))
	if err != nil {
		return fmt.Errorf("--data %q: %w", n.config.DataDir, err)
	}
	for _, p := range n.journal.Promises() {
		n.credit.Hold(p.Participant.AccountID, p.Participant.ID, p.Owed())
	}
	return nil
}

// begin records the new run. What earlier runs left open is closed once the store knows
// what they knew.
func (n *Node) begin(ctx context.Context, _ settings) error {
	now := n.clock.Now().UTC()
	n.run = store.NodeRun{Place: store.Place{Site: n.config.Site, Node: n.config.Node}, Incarnation: now.UnixMicro(), StartedAt: now}
	if err := n.journal.StartRun(ctx, n.run); err != nil {
		return fmt.Errorf("--data %q: %w", n.config.DataDir, err)
	}
	n.recovery = billing.NewRecovery(n.store, n.journal.Drained, n.goingOn, n.run, n.clock, n.logger.Named("billing"))
	if n.config.Seed && !n.breaker.Open() {
		return seed(ctx, n.store, n.config.Realm, now)
	}
	return nil
}

// goingOn tells of calls that the site's nodes have.
func (n *Node) goingOn(ctx context.Context) (func(store.CallID) bool, error) {
	if n.cluster == nil {
		return billing.NoneGoOn(ctx)
	}
	return n.cluster.GoingOn(ctx)
}

// books is what billing reads and writes: decided by the store or its copy, written to
// the store or the journal.
func (n *Node) books() billing.Store {
	return struct {
		*replica.Reader
		*journal.Journal
	}{n.reader, n.journal}
}

// superseded ends a conference that was opened while the store was away, and has lost to
// one of a higher epoch.
func (n *Node) superseded(c store.Conference) {
	running, err := n.host.Conference(c.ID)
	if err == nil {
		err = running.End(conference.By{API: "superseded"})
	}
	if err != nil {
		n.logger.Debug("the conference has ended already", "conference", c.ID, "error", err)
	}
}

// migrate brings the schema to this program's version, for a node that started without
// the store. Until then the store counts as away.
func (n *Node) migrate(ctx context.Context) error {
	for {
		contact, cancel := context.WithTimeout(ctx, contactTime)
		err := n.store.Ping(contact)
		cancel()
		if err == nil {
			err = n.store.Migrate(ctx)
		}
		if err == nil {
			n.checkRegion(ctx)
		}
		if err == nil || ctx.Err() != nil {
			break
		}
		n.logger.Debug("the schema of the store is not looked at yet", "error", err)
		if n.sleep(ctx, watchEvery) != nil {
			break
		}
	}
	<-ctx.Done()
	return nil
}

// checkRegion says so where the node's rows would be far away.
func (n *Node) checkRegion(ctx context.Context) {
	if n.config.StoreRegion == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, contactTime)
	defer cancel()
	if err := n.store.CheckRegion(ctx, n.config.StoreRegion); err != nil {
		n.logger.Warn("--store-region is of no use", "error", err)
	}
}

// sleep waits for d, or until ctx is done.
func (n *Node) sleep(ctx context.Context, d time.Duration) error {
	timer := n.clock.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.Chan():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// watchEvery is how often the node looks at what its calls rely on.
const watchEvery = time.Second

// watch asks the store how it is, so that the first caller of an outage does not have to
// find out, and refuses calls while the journal could not keep their records, or audio
// would suffer.
func (n *Node) watch(ctx context.Context) error {
	strain := strain{limit: float64(n.config.MaxMediaLoad) / 100}
	for n.sleep(ctx, watchEvery) == nil {
		n.ease(&strain)
		if err := n.breaker.Do(ctx, n.store.Ping); err != nil && !errors.Is(err, breaker.ErrOpen) {
			n.logger.Debug("the store was asked how it is", "error", err)
		}
		full, refusing := n.journal.Accepts(), n.full.Load() != nil
		switch {
		case full != nil && !refusing:
			n.logger.Error("new calls are refused: their records could not be kept", "error", full)
			n.full.Store(&full)
			n.admit()
		case full == nil && refusing:
			n.logger.Info("calls are taken again")
			n.full.Store(nil)
			n.admit()
		}
	}
	return nil
}

// closeData closes what openData, openStore and openJournal opened.
func (n *Node) closeData() {
	if n.journal != nil {
		if err := n.journal.Close(); err != nil {
			n.logger.Warn("close the journal", "error", err)
		}
	}
	if n.replica != nil {
		n.replica.Close()
	}
	if n.store != nil {
		n.store.Close()
	}
	if n.lock != nil {
		n.lock.Close()
	}
}
