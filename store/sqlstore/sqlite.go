package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	"modernc.org/sqlite"
	sqlitelib "modernc.org/sqlite/lib"
)

// sqliteReaders is how many connections read at the same time.
const sqliteReaders = 8

// openSQLite opens a file, which it makes. Only one connection can write at a time:
// the pool of one makes writers wait in order and within their ctx, where SQLite's
// own lock would have them poll. The write-ahead log lets the others read meanwhile.
func (s *Store) openSQLite(ctx context.Context, path string) error {
	if err := touch(path); err != nil {
		return err
	}
	var err error
	if s.write, err = sqlitePool(path, 1, "journal_mode(WAL)", "synchronous(FULL)"); err != nil {
		return err
	}
	if s.read, err = sqlitePool(path, sqliteReaders, "query_only(1)"); err != nil {
		return err
	}
	s.dialect = dialect{name: "SQLite", classify: classifySQLite, isolation: &sql.TxOptions{}, parameters: 500, // their cost grows with their square
		goose: goose.DialectSQLite3, migrations: func(files fs.FS) fs.FS { return strict{files} },
		locker: func() (lock.Locker, error) { return &fileLocker{path: path + ".migrating"}, nil }}
	ctx, cancel := context.WithTimeout(ctx, openTime)
	defer cancel()
	if err := s.answers(ctx); err != nil {
		s.Close()
		return err
	}
	return nil
}

// touch makes the file and its folder, for nobody else's eyes: SQLite gives its log
// files the same permissions.
func touch(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make the folder: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("make the file: %w", err)
	}
	return f.Close()
}

// sqlitePool is a pool of connections to a file. Transactions take the write lock at
// their beginning: one that reads first and writes then could not be finished, were
// another to write between.
func sqlitePool(path string, connections int, pragmas ...string) (*sql.DB, error) {
	options := url.Values{"_txlock": {"immediate"}, "_pragma": append([]string{"busy_timeout(5000)", "foreign_keys(1)"}, pragmas...)}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+options.Encode())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

func classifySQLite(err error) class {
	var e *sqlite.Error
	switch {
	case err == nil:
		return none
	case errors.Is(err, sql.ErrNoRows):
		return noRows
	case !errors.As(err, &e):
		return other
	}
	switch e.Code() {
	case sqlitelib.SQLITE_CONSTRAINT_UNIQUE, sqlitelib.SQLITE_CONSTRAINT_PRIMARYKEY:
		return uniqueViolation
	case sqlitelib.SQLITE_CONSTRAINT_FOREIGNKEY:
		return referenceViolation
	case sqlitelib.SQLITE_CONSTRAINT_CHECK, sqlitelib.SQLITE_CONSTRAINT_DATATYPE, sqlitelib.SQLITE_CONSTRAINT_NOTNULL:
		return valueRefused
	}
	switch e.Code() & 0xff { // the primary code, without the details
	case sqlitelib.SQLITE_BUSY, sqlitelib.SQLITE_LOCKED:
		return raceLost
	case sqlitelib.SQLITE_ERROR:
		if strings.Contains(e.Error(), "no such table") || strings.Contains(e.Error(), "no such column") {
			return tableMissing
		}
	}
	return other
}
