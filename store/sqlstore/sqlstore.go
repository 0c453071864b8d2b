package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/go-hclog"

	"github.com/conclave-voice/conclave/store"
)

// Store keeps everything in a SQL database. It implements store.Store and is safe
// for concurrent use.
type Store struct {
	write   *sql.DB // transactions
	read    *sql.DB // single SELECTs; on PostgreSQL the same pool
	dialect dialect
	logger  hclog.Logger
	nearby  atomic.Bool // the nearest replica may be asked: see CheckRegion
	tx      *tx         // set within Once: everything happens in it
}

var _ store.Store = (*Store)(nil)

// Option changes how Open opens.
type Option func(*options)

type options struct {
	logger      hclog.Logger
	connections int
	unasked     bool
}

// WithLogger logs what is tried again, and why. Without it nothing is logged.
func WithLogger(l hclog.Logger) Option { return func(o *options) { o.logger = l } }

// WithConnections is how many connections to PostgreSQL there may be at most, 32 if
// not said. What finds none free waits for one. SQLite has one that writes and eight
// that read.
func WithConnections(most int) Option { return func(o *options) { o.connections = most } }

// Unasked opens a PostgreSQL store that may be away: Open fails for a wrong DSN only, and
// whoever uses the store finds out whether it answers.
func Unasked() Option { return func(o *options) { o.unasked = true } }

// Open connects to sqlite:///path/to/file.db (or a plain path; the file and its
// folder are made if need be) or postgresql://user@host:port/database. It fails if
// the DSN is wrong, which the error explains without the password, or the database
// does not answer within 10 s. Call Migrate before anything else.
func Open(ctx context.Context, dsn string, opts ...Option) (*Store, error) {
	o := options{logger: hclog.NewNullLogger(), connections: 32}
	for _, set := range opts {
		set(&o)
	}
	target, err := parseDSN(dsn)
	if err != nil {
		return nil, err
	}
	s := &Store{logger: o.logger}
	if target.file != "" {
		err = s.openSQLite(ctx, target.file)
	} else {
		err = s.openPostgreSQL(ctx, target.url, o)
	}
	if err != nil {
		return nil, fmt.Errorf("open the store %s: %w", redacted(dsn), err)
	}
	return s, nil
}

// openTime bounds the first contact.
const openTime = 10 * time.Second

// answers says whether both pools reach the database.
func (s *Store) answers(ctx context.Context) error {
	if err := s.write.PingContext(ctx); err != nil {
		return err
	}
	if s.read == s.write {
		return nil
	}
	return s.read.PingContext(ctx)
}

// Close disconnects, after what is under way.
func (s *Store) Close() error {
	if s.tx != nil {
		return errors.New("close the store: not within a transaction")
	}
	err := s.write.Close()
	if s.read != s.write {
		err = errors.Join(s.read.Close(), err)
	}
	return err
}

// Ping says whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.answers(ctx); err != nil {
		return fmt.Errorf("%s does not answer: %w", s.dialect.name, err)
	}
	return nil
}

// Once runs seed in one transaction unless it has succeeded before.
func (s *Store) Once(ctx context.Context, name string, seed func(ctx context.Context, tx store.Store) error) (bool, error) {
	run := uuid.NewString() // tells this call's mark from another's
	ran := false
	err := s.transact(ctx, "once "+name, func(q tx) error {
		ran = false
		n, err := insert(ctx, q, "once", "name, run, done_at", "ON CONFLICT (name) DO NOTHING", name, run, micros(time.Now()))
		if err != nil {
			return err
		}
		if n == 0 {
			ran, err = q.mine(ctx, "SELECT COUNT(*) FROM once WHERE name = $1 AND run = $2", name, run)
			return err
		}
		ran = true
		return seed(ctx, &Store{write: s.write, read: s.read, dialect: s.dialect, logger: s.logger, tx: &q})
	})
	return ran && err == nil, err
}
