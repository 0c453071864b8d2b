package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib" // registers the driver "pgx"
	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlitelib "modernc.org/sqlite/lib"
)

// dialect is what differs between the databases.
type dialect struct {
	name    string
	goose   goose.Dialect
	options *sql.TxOptions
	// unique says whether the error is a unique constraint's.
	unique func(error) bool
	// foreign says whether the error is a foreign key's.
	foreign func(error) bool
	// again says whether the transaction lost a race, or may or may not have
	// committed: run it again from its beginning.
	again func(error) bool
}

// open connects to the database that the DSN names.
func open(ctx context.Context, dsn string) (*sql.DB, dialect, error) {
	scheme, rest, hasScheme := strings.Cut(dsn, "://")
	switch {
	case !hasScheme && dsn != "":
		return openSQLite(dsn)
	case scheme == "sqlite" && rest != "":
		return openSQLite(rest)
	case scheme == "postgresql" || scheme == "postgres":
		return openPostgreSQL(ctx, dsn)
	}
	return nil, dialect{}, fmt.Errorf("store %q: write sqlite:///path/to/file.db or postgresql://user@host:port/database", redacted(dsn))
}

// redacted is a DSN without its password, for errors and logs.
func redacted(dsn string) string {
	u, err := url.Parse(dsn)
	if err != nil {
		return "(unreadable)"
	}
	return u.Redacted()
}

// openSQLite opens a file, which it creates. One connection writes at a time, as
// SQLite has it; the write-ahead log lets others read meanwhile.
func openSQLite(path string) (*sql.DB, dialect, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, dialect{}, fmt.Errorf("store: make the folder of %s: %w", path, err)
	}
	options := url.Values{"_txlock": {"immediate"}, "_pragma": {
		"journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "busy_timeout(10000)"}}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+options.Encode())
	if err != nil {
		return nil, dialect{}, fmt.Errorf("store: open %s: %w", path, err)
	}
	db.SetMaxOpenConns(8)
	return db, dialect{name: "SQLite", goose: goose.DialectSQLite3, options: &sql.TxOptions{},
		unique: func(err error) bool {
			return sqliteCode(err, sqlitelib.SQLITE_CONSTRAINT_UNIQUE) || sqliteCode(err, sqlitelib.SQLITE_CONSTRAINT_PRIMARYKEY)
		},
		foreign: func(err error) bool { return sqliteCode(err, sqlitelib.SQLITE_CONSTRAINT_FOREIGNKEY) },
		again: func(err error) bool {
			var e *sqlite.Error
			return errors.As(err, &e) && (e.Code()&0xff == sqlitelib.SQLITE_BUSY || e.Code()&0xff == sqlitelib.SQLITE_LOCKED)
		},
	}, nil
}

func sqliteCode(err error, code int) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code() == code
}

// openPostgreSQL connects to PostgreSQL, or what speaks its protocol.
func openPostgreSQL(ctx context.Context, dsn string) (*sql.DB, dialect, error) {
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		return nil, dialect{}, fmt.Errorf("store %s: %w", redacted(dsn), err)
	}
	db.SetMaxOpenConns(32)
	db.SetMaxIdleConns(32)
	db.SetConnMaxLifetime(30 * time.Minute)
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := db.PingContext(ctx); err != nil {
		db.Close()
		return nil, dialect{}, fmt.Errorf("store %s does not answer: %w", redacted(dsn), err)
	}
	return db, dialect{name: "PostgreSQL", goose: goose.DialectPostgres,
		options: &sql.TxOptions{Isolation: sql.LevelSerializable},
		unique:  func(err error) bool { return sqlState(err, "23505") },
		foreign: func(err error) bool { return sqlState(err, "23503") },
		again: func(err error) bool {
			// Serialization failure, deadlock, and "completion unknown".
			return sqlState(err, "40001") || sqlState(err, "40P01") || sqlState(err, "40003") ||
				pgconn.SafeToRetry(err) || errors.Is(err, errCommitLost)
		},
	}, nil
}

func sqlState(err error, code string) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code == code
}
