package replica

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/jonboulle/clockwork"

	"github.com/conclave-voice/conclave/store/sqlstore"
)

var (
	// ErrNoCopy: there has never been a copy on this node.
	ErrNoCopy = errors.New("there is no local copy yet")
	// ErrTooOld: the copy is older than is allowed.
	ErrTooOld = errors.New("the local copy is too old")
)

// Config is how a copy is kept.
type Config struct {
	Path string // of the file; its folder is made if need be
	// Changes is the pause between two looks at what has changed; Balances, between
	// two readings of all accounts; All, between two readings of everything.
	Changes, Balances, All time.Duration
	// Overlap is how late a transaction may commit, and how far clocks may be apart,
	// for a change to be seen at the next look, and not at the next reading of everything.
	Overlap time.Duration
	// Keep is how long changes stay noted in the store. A copy that was not refreshed
	// for half of it is made anew.
	Keep time.Duration
	// MaxAge is how old a copy may be to be used; 0: of any age.
	MaxAge time.Duration
	// Patience bounds one reading of everything or of all balances; QuickPatience, a look at
	// what has changed; Silence, how long each of them waits for the next row.
	Patience, QuickPatience, Silence time.Duration
}

// DefaultConfig keeps a copy at a path: a second behind, and good for a day.
func DefaultConfig(path string) Config {
	return Config{Path: path, Changes: time.Second, Balances: 30 * time.Second, All: time.Hour, Overlap: 2 * time.Minute,
		Keep: 24 * time.Hour, MaxAge: 24 * time.Hour, Patience: 10 * time.Minute, QuickPatience: 5 * time.Second, Silence: 10 * time.Second}
}

// Validate says what is wrong with the configuration, or nil.
func (c Config) Validate() error {
	switch {
	case c.Path == "":
		return errors.New("local copy: it needs a path")
	case c.Changes <= 0 || c.Balances < c.Changes || c.All < c.Balances:
		return fmt.Errorf("local copy: changes every %v, balances every %v, everything every %v; they must be above 0, each not below the one before", c.Changes, c.Balances, c.All)
	case c.Overlap <= 0 || c.Keep < 4*c.Overlap:
		return fmt.Errorf("local copy: overlap %v and keep %v; the first must be above 0, the second at least four times that", c.Overlap, c.Keep)
	case c.MaxAge < 0 || c.Patience <= 0 || c.QuickPatience <= 0 || c.Silence <= 0:
		return fmt.Errorf("local copy: maximum age %v, patience %v and %v, silence %v; the first must be 0 or more, the others above 0", c.MaxAge, c.Patience, c.QuickPatience, c.Silence)
	}
	return nil
}

// Replica is the copy of a store on this node. Make one with Open; call Run.
type Replica struct {
	config Config
	source *sqlstore.Store
	copy   *sqlstore.Store
	copier *sqlstore.Copier // Run's, once it runs
	clock  clockwork.Clock
	logger hclog.Logger

	mu    sync.Mutex
	stats Stats
}

// Stats tell how the copy is.
type Stats struct {
	sqlstore.CopyTimes
	Refreshed uint64 // refreshes that went well
	Failed    uint64 // and that did not
	Followed  uint64 // changes
	Failing   bool   // the last refresh failed
}

// Open opens the copy in its file, or makes an empty one. A file that is no database is
// moved aside: the copy can be made again, and the node is to start.
func Open(ctx context.Context, c Config, source *sqlstore.Store, clock clockwork.Clock, logger hclog.Logger) (*Replica, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	r := &Replica{config: c, source: source, clock: clock, logger: logger}
	if err := r.open(ctx); err != nil {
		aside := fmt.Sprintf("%s.unusable-%d", c.Path, clock.Now().Unix())
		logger.Error("the local copy cannot be used; a new one will be made", "error", err, "kept", aside)
		if err := errors.Join(moveAside(c.Path, aside), r.open(ctx)); err != nil {
			return nil, fmt.Errorf("open the local copy: %w", err)
		}
	}
	return r, nil
}

func (r *Replica) open(ctx context.Context) error {
	path, err := filepath.Abs(r.config.Path)
	if err != nil {
		return err
	}
	if r.copy, err = sqlstore.Open(ctx, "sqlite://"+path, sqlstore.WithLogger(r.logger)); err != nil {
		return err
	}
	if err = r.copy.Migrate(ctx); err == nil {
		r.copier = sqlstore.NewCopier(r.source, r.copy, r.config.Overlap, r.config.Silence)
		r.stats.CopyTimes, err = r.copier.Times(ctx)
	}
	if err != nil {
		return errors.Join(err, r.copy.Close())
	}
	return nil
}

// moveAside moves a SQLite file with its logs.
func moveAside(path, aside string) error {
	for _, suffix := range []string{"-wal", "-shm", ""} {
		if err := os.Rename(path+suffix, aside+suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Close closes the file. Run must have ended.
func (r *Replica) Close() error { return r.copy.Close() }

// Stats tells how the copy is.
func (r *Replica) Stats() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stats
}

// Age is how old the copy is; false if there is none.
func (r *Replica) Age() (time.Duration, bool) {
	t := r.Stats().Changes
	if t.IsZero() {
		return 0, false
	}
	return max(r.clock.Now().Sub(t), 0), true
}

// CopiedAt is when the balances of the copy were read, or a little before that.
func (r *Replica) CopiedAt() time.Time { return r.Stats().Balances }

// Usable says whether calls may be decided by the copy: nil, ErrNoCopy or ErrTooOld.
func (r *Replica) Usable() error {
	age, ok := r.Age()
	switch {
	case !ok:
		return ErrNoCopy
	case r.config.MaxAge > 0 && age > r.config.MaxAge:
		return fmt.Errorf("%w: %v; at most %v is allowed", ErrTooOld, age.Round(time.Second), r.config.MaxAge)
	}
	return nil
}

// Run refreshes the copy until ctx is done.
func (r *Replica) Run(ctx context.Context) error {
	whole := false // nothing is known of what an earlier run did, or of which store
	for {
		err := r.refresh(ctx, !whole)
		if ctx.Err() != nil {
			return nil
		}
		whole = whole || err == nil
		r.count(err)
		timer := r.clock.NewTimer(r.config.Changes)
		select {
		case <-timer.Chan():
		case <-ctx.Done():
			timer.Stop()
			return nil
		}
	}
}

// Refresh brings the copy up to date now: with all, by reading everything. It is for
// before Run, and not beside it.
func (r *Replica) Refresh(ctx context.Context, all bool) error {
	err := r.refresh(ctx, all)
	r.count(err)
	return err
}

// refresh does what is due.
func (r *Replica) refresh(ctx context.Context, all bool) error {
	have, now := r.Stats().CopyTimes, r.clock.Now()
	if all || due(have.All, now, r.config.All) || due(have.Changes, now, r.config.Keep/2) {
		return r.all(ctx, now)
	}
	quick, cancel := context.WithTimeout(ctx, r.config.QuickPatience)
	defer cancel()
	n, err := r.copier.Changes(quick, have.Changes, now)
	if errors.Is(err, sqlstore.ErrTooMany) {
		return r.all(ctx, now)
	}
	if err != nil {
		return err
	}
	balances := have.Balances
	if due(have.Balances, now, r.config.Balances) {
		slow, cancel := context.WithTimeout(ctx, r.config.Patience)
		defer cancel()
		if err := r.copier.Balances(slow, now); err != nil {
			return err
		}
		balances = now
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stats.Changes, r.stats.Balances = now, balances
	r.stats.Followed += uint64(n)
	return nil
}

// due says whether it is time again; also after the clock was set back.
func due(last, now time.Time, every time.Duration) bool {
	return last.IsZero() || now.Sub(last) >= every || now.Before(last)
}

// all reads everything, and lets the store forget old notes.
func (r *Replica) all(ctx context.Context, now time.Time) error {
	slow, cancel := context.WithTimeout(ctx, r.config.Patience)
	defer cancel()
	if err := r.copier.All(slow, now); err != nil {
		return err
	}
	r.mu.Lock()
	r.stats.CopyTimes = sqlstore.CopyTimes{Changes: now, All: now, Balances: now}
	r.mu.Unlock()
	if err := r.forget(ctx, now.Add(-r.config.Keep)); err != nil && ctx.Err() == nil {
		r.logger.Warn("the store keeps old notes of changes until the next reading of everything", "error", err)
	}
	return nil
}

// forget lets the store forget notes from before t, a few at a time.
func (r *Replica) forget(ctx context.Context, t time.Time) error {
	for {
		quick, cancel := context.WithTimeout(ctx, r.config.QuickPatience)
		n, err := r.source.ForgetChanges(quick, t)
		cancel()
		if n == 0 || err != nil {
			return err
		}
	}
}

// count tells how it went, when that changes.
func (r *Replica) count(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	failing := err != nil
	switch {
	case failing && !r.stats.Failing:
		r.logger.Warn("the local copy is not refreshed", "of", r.stats.Changes, "error", err)
	case !failing && r.stats.Failing:
		r.logger.Info("the local copy is refreshed again")
	}
	r.stats.Failing = failing
	if failing {
		r.stats.Failed++
	} else {
		r.stats.Refreshed++
	}
}
