package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"time"

	"github.com/conclave-voice/conclave/store"
)

// querier is what a database and a transaction have in common.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// tx is a transaction under way.
type tx struct {
	querier
	// unsure: an earlier run of this transaction may have committed. What is found
	// in the database may be its doing.
	unsure bool
	// parameters are in a statement at most (dialect).
	parameters int
}

// mine says whether rows that are there already were written by an earlier run of
// this very transaction. query counts marks that nobody else makes.
func (t tx) mine(ctx context.Context, query string, args ...any) (bool, error) {
	if !t.unsure {
		return false, nil
	}
	n, err := count(ctx, t, query, args...)
	return n > 0, err
}

// gone takes "not found" for done where an earlier run may have removed it.
func (t tx) gone(err error) error {
	if t.unsure && errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

const (
	pauseFirst = 2 * time.Millisecond
	pauseMost  = 250 * time.Millisecond
	// lostMost is how often a connection may break before it is an error: the
	// caller knows better how long an outage may last.
	lostMost = 3
	// loudAfter so many attempts the log says more than at debug level.
	loudAfter = 20
)

// transact runs do in one serializable transaction, and from the beginning again for
// as long as it loses races and ctx allows. do must have no effect but on the
// database and on variables that it sets anew. what is for errors.
func (s *Store) transact(ctx context.Context, what string, do func(q tx) error) error {
	if s.tx != nil {
		return s.wrap(what, do(*s.tx))
	}
	unsure := false
	return s.retry(ctx, what, func() (class, error) {
		committing, err := s.attempt(ctx, unsure, do)
		c := s.dialect.classify(err)
		if committing && c != none && !c.aborted() {
			unsure = true
			err = fmt.Errorf("it is not known whether the transaction is in: %w", err)
		}
		return c, err
	})
}

// attempt runs the transaction once, and says whether an error came from COMMIT.
func (s *Store) attempt(ctx context.Context, unsure bool, do func(q tx) error) (committing bool, err error) {
	t, err := s.write.BeginTx(ctx, s.dialect.isolation)
	if err != nil {
		return false, err
	}
	defer t.Rollback() // does nothing after a commit; its error would hide the first one
	if err := do(tx{texts{t, s.dialect.unprepared}, unsure, s.dialect.parameters}); err != nil {
		return false, err
	}
	return true, t.Commit()
}

// query runs a single SELECT, again if the connection broke.
func (s *Store) query(ctx context.Context, what string, do func(q querier) error) error {
	if s.tx != nil {
		return s.wrap(what, do(s.tx))
	}
	return s.retry(ctx, what, func() (class, error) {
		err := do(texts{s.read, s.dialect.unprepared})
		return s.dialect.classify(err), err
	})
}

// retry runs attempt until it succeeds, fails for good, or ctx is done. Pauses
// double and are spread, so that those who met once do not meet again.
func (s *Store) retry(ctx context.Context, what string, attempt func() (class, error)) error {
	pause, lost := pauseFirst, 0
	for try := 1; ; try++ {
		c, err := attempt()
		if c == connectionLost {
			lost++
		}
		if !c.again() || lost > lostMost || ctx.Err() != nil {
			return s.wrap(what, err)
		}
		if try >= loudAfter {
			s.logger.Warn("database transaction tried again", "what", what, "attempt", try, "error", err)
		} else {
			s.logger.Debug("database transaction tried again", "what", what, "attempt", try, "error", err)
		}
		timer := time.NewTimer(rand.N(2 * pause))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return s.wrap(what, errors.Join(ctx.Err(), err))
		}
		pause = min(2*pause, pauseMost)
	}
}

// wrap says what was being done, and turns what databases say into store's errors.
func (s *Store) wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	switch s.dialect.classify(err) {
	case noRows:
		err = store.ErrNotFound
	case uniqueViolation:
		err = fmt.Errorf("%w (%w)", store.ErrConflict, err)
	case referenceViolation:
		err = fmt.Errorf("%w: it refers to something that does not exist, or that is another's (%w)", store.ErrNotFound, err)
	case valueRefused:
		err = fmt.Errorf("%w value: the database refuses it (%w)", store.ErrInvalid, err)
	case tableMissing:
		err = fmt.Errorf("%w: %s (%w)", store.ErrSchema, migrateFix, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// texts passes statements on with text that every database takes: PostgreSQL has
// only UTF-8 without NUL, and what callers send holds any bytes.
type texts struct {
	querier
	unprepared any // of the dialect
}

func (t texts) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return t.querier.ExecContext(ctx, query, t.ready(args)...)
}

func (t texts) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return t.querier.QueryContext(ctx, query, t.ready(args)...)
}

func (t texts) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return t.querier.QueryRowContext(ctx, query, t.ready(args)...)
}

// seldom is how many arguments only statements for many rows have. Their number is hardly
// ever the same, so that to prepare them would take a round trip each time.
const seldom = 40

func (t texts) ready(args []any) []any {
	args = clean(args)
	if t.unprepared == nil || len(args) <= seldom {
		return args
	}
	return append([]any{t.unprepared}, args...)
}

// clean puts U+FFFD in the place of bytes that are not UTF-8, and of NUL, and plain values
// in the place of those of types of our own. It changes args itself.
func clean(args []any) []any {
	for i, a := range args {
		switch v := reflect.ValueOf(a); v.Kind() {
		case reflect.String:
			args[i] = strings.ReplaceAll(strings.ToValidUTF8(v.String(), "\uFFFD"), "\x00", "\uFFFD")
		case reflect.Int, reflect.Int64:
			args[i] = v.Int()
		}
	}
	return args
}
