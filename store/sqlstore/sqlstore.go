package sqlstore

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/conclave-voice/conclave/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Store keeps everything in a SQL database. It implements store.Store and is safe
// for concurrent use.
type Store struct {
	db      *sql.DB
	dialect dialect
	tx      *sql.Tx // set within Once: everything happens in it
}

var _ store.Store = (*Store)(nil)

// Open connects to sqlite:///path/to/file.db (or a plain path) or
// postgresql://user@host:port/database. Call Migrate before anything else.
func Open(ctx context.Context, dsn string) (*Store, error) {
	db, d, err := open(ctx, dsn)
	if err != nil {
		return nil, err
	}
	return &Store{db: db, dialect: d}, nil
}

// Close disconnects.
func (s *Store) Close() error { return s.db.Close() }

// Ping says whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.db.PingContext(ctx); err != nil {
		return fmt.Errorf("%s does not answer: %w", s.dialect.name, err)
	}
	return nil
}

// Migrate brings the schema up to this program's version. A schema that is newer
// is left as it is.
func (s *Store) Migrate(ctx context.Context) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(s.dialect.goose, s.db, files, goose.WithAllowOutofOrder(true))
	if err != nil {
		return fmt.Errorf("migrate %s: %w", s.dialect.name, err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate %s: %w", s.dialect.name, err)
	}
	return nil
}

// querier is what a database and a transaction have in common.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// reader is where single reads go.
func (s *Store) reader() querier {
	if s.tx != nil {
		return s.tx
	}
	return s.db
}

// errCommitLost: the connection broke while the transaction committed.
var errCommitLost = errors.New("it is not known whether the transaction committed")

const (
	pauseFirst = 2 * time.Millisecond
	pauseMost  = 250 * time.Millisecond
)

// write runs do in one serializable transaction, again from the beginning as
// often as the database asks for it and ctx allows. what is for errors.
func (s *Store) write(ctx context.Context, what string, do func(q querier) error) error {
	if s.tx != nil {
		return s.wrap(what, do(s.tx))
	}
	for pause := pauseFirst; ; pause = min(2*pause, pauseMost) {
		err := s.attempt(ctx, do)
		if err == nil || !s.dialect.again(err) {
			return s.wrap(what, err)
		}
		timer := time.NewTimer(pause/2 + rand.N(pause))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return s.wrap(what, errors.Join(ctx.Err(), err))
		}
	}
}

// attempt runs the transaction once. COMMIT's error counts like any other.
func (s *Store) attempt(ctx context.Context, do func(q querier) error) error {
	tx, err := s.db.BeginTx(ctx, s.dialect.options)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		tx.Rollback() // its error would hide the first one
		return err
	}
	err = tx.Commit()
	if err != nil && ctx.Err() == nil && !s.dialect.unique(err) && !s.dialect.foreign(err) && !s.dialect.again(err) {
		return fmt.Errorf("%w: %w", errCommitLost, err)
	}
	return err
}

// wrap says what was being done, and turns what databases say into store's errors.
func (s *Store) wrap(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sql.ErrNoRows):
		err = store.ErrNotFound
	case s.dialect.unique(err):
		err = fmt.Errorf("%w (%w)", store.ErrConflict, err)
	case s.dialect.foreign(err):
		err = fmt.Errorf("%w: it refers to something that does not exist (%w)", store.ErrNotFound, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// Once runs seed in one transaction unless it has succeeded before.
func (s *Store) Once(ctx context.Context, name string, seed func(ctx context.Context, tx store.Store) error) (bool, error) {
	ran := false
	err := s.write(ctx, "once "+name, func(q querier) error {
		ran = false
		n, err := affected(q.ExecContext(ctx, `INSERT INTO once (name, done_at) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`,
			name, micros(time.Now())))
		if err != nil || n == 0 {
			return err
		}
		ran = true
		return seed(ctx, &Store{db: s.db, dialect: s.dialect, tx: q.(*sql.Tx)})
	})
	return ran && err == nil, err
}
