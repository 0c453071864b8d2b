package sqlstore

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"syscall"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/conclave-voice/conclave/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrateFix is the fix for a schema that is missing.
const migrateFix = "call Migrate, as a node does when it starts"

// Migrate brings the schema up to this program's version. If it is there already, or
// newer, nothing is written, so that a node needs no right to make tables then. It
// waits for others who migrate, up to 5 minutes. What broke off is begun anew.
func (s *Store) Migrate(ctx context.Context) error {
	if s.tx != nil {
		return errors.New("migrate: not within a transaction")
	}
	if err := s.CheckSchema(ctx); err == nil || !errors.Is(err, store.ErrSchema) {
		return err
	}
	if err := s.migrate(ctx); err != nil {
		return fmt.Errorf("migrate %s: %w", s.dialect.name, err)
	}
	return s.CheckSchema(ctx)
}

func (s *Store) migrate(ctx context.Context) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	locker, err := s.dialect.locker()
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(s.dialect.goose, s.write, s.dialect.migrations(files),
		goose.WithAllowOutofOrder(true), goose.WithDisableGlobalRegistry(true), goose.WithLocker(locker), goose.WithSlog(silent()))
	if err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	return err
}

// CheckSchema is nil if the schema has everything this program needs; a newer program
// may have added to it. Otherwise it is store.ErrSchema and tells the fix.
func (s *Store) CheckSchema(ctx context.Context) error {
	need, err := versions()
	if err != nil {
		return err
	}
	var have int
	err = s.query(ctx, "check the schema", func(q querier) error {
		return q.QueryRowContext(ctx, "SELECT COUNT(DISTINCT version_id) FROM goose_db_version WHERE version_id IN ("+placeholders(len(need))+")", need...).Scan(&have)
	})
	if err == nil && have < len(need) {
		err = fmt.Errorf("check the schema: %w: it has %d of the %d steps that this program needs; %s", store.ErrSchema, have, len(need), migrateFix)
	}
	return err
}

// versions are those of the migrations: the numbers that their files begin with.
func versions() (list []any, err error) {
	files, err := migrations.ReadDir("migrations")
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		version, err := goose.NumericComponent(f.Name())
		if err != nil {
			return nil, err
		}
		list = append(list, version)
	}
	return list, nil
}

// fileLocker lets one process migrate a SQLite file at a time. The lock is the
// operating system's, so that it ends with the process.
type fileLocker struct {
	path string
	file *os.File
}

// lockPoll is how often a lock that is held is tried again.
const lockPoll = 20 * time.Millisecond

// Lock waits until ctx is done.
func (l *fileLocker) Lock(ctx context.Context, _ *sql.DB) (err error) {
	if l.file, err = os.OpenFile(l.path, os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return err
	}
	tick := time.NewTicker(lockPoll)
	defer tick.Stop()
	for {
		err := syscall.Flock(int(l.file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			l.file.Close()
			return fmt.Errorf("lock %s: %w", l.path, err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			l.file.Close()
			return fmt.Errorf("wait for another process that migrates (it holds %s): %w", l.path, ctx.Err())
		}
	}
}

// Unlock leaves the file: were it removed, two could hold locks on different files
// of one name.
func (l *fileLocker) Unlock(context.Context, *sql.DB) error { return l.file.Close() }

// silent keeps libraries quiet whose errors are returned anyway.
func silent() *slog.Logger { return slog.New(slog.DiscardHandler) }
