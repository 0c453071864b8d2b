package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"io/fs"
	"net"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// postgreSQL is the name of the dialect, which CockroachDB speaks too.
const postgreSQL = "PostgreSQL"

// connectTime bounds a connection that is being made, unless the DSN has a connect_timeout.
// TCP asks ever more seldom during an outage, and those who wait for it find out only long
// after the end; a new attempt finds out at once.
const connectTime = 3 * time.Second

// openPostgreSQL connects to PostgreSQL, or to what speaks its protocol.
func (s *Store) openPostgreSQL(ctx context.Context, dsn string, o options) error {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return err // pgx leaves the password out
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "conclave"
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTime
	}
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(o.connections)
	db.SetMaxIdleConns(o.connections)
	db.SetConnMaxLifetime(30 * time.Minute) // so that they spread again over what is behind a balancer
	s.write, s.read = db, db
	s.dialect = dialect{name: postgreSQL, classify: classifyPostgreSQL, isolation: &sql.TxOptions{Isolation: sql.LevelSerializable},
		unprepared: pgx.QueryExecModeExec, parameters: 30_000, // of 65,535
		goose: goose.DialectPostgres, migrations: func(files fs.FS) fs.FS { return files }, locker: tableLocker}
	if o.unasked {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, openTime)
	defer cancel()
	if err := s.answers(ctx); err != nil {
		s.Close()
		return err
	}
	return nil
}

func classifyPostgreSQL(err error) class {
	var pg *pgconn.PgError
	var connect *pgconn.ConnectError
	switch {
	case err == nil:
		return none
	case errors.Is(err, sql.ErrNoRows):
		return noRows
	case errors.As(err, &connect), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return other // the server is away, or the caller's time is up
	case errors.As(err, &pg):
		return classifySQLState(pg.Code)
	case broken(err):
		return connectionLost
	}
	return other
}

// classifySQLState goes by the codes of PostgreSQL's appendix A, which CockroachDB
// uses too.
func classifySQLState(code string) class {
	switch code {
	case "23505":
		return uniqueViolation
	case "23503":
		return referenceViolation
	case "23514", "23502", "22003", "22021": // CHECK, NOT NULL, number out of range, bytes that are not text
		return valueRefused
	case "42P01", "42703": // no such table, no such column
		return tableMissing
	case "40001", "40P01": // serialization failure, deadlock
		return raceLost
	case "40003", "57P01", "57P02": // completion unknown, the server stops
		return connectionLost
	}
	if code[:min(2, len(code))] == "08" { // connection exceptions
		return connectionLost
	}
	return other
}

// broken says whether the connection is what failed.
func broken(err error) bool {
	var network net.Error
	return errors.As(err, &network) || pgconn.SafeToRetry(err) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, driver.ErrBadConn)
}

// tableLocker lets one node migrate at a time. It is a row with a lease, because
// CockroachDB has no advisory locks.
func tableLocker() (lock.Locker, error) {
	return lock.NewPostgresTableLocker(
		lock.WithTableLockTimeout(200*time.Millisecond, 1500), // 5 minutes
		lock.WithTableUnlockTimeout(200*time.Millisecond, 150),
		lock.WithTableLogger(silent()))
}
