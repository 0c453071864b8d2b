package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Copier keeps in one store a copy of what calls are decided by in another: customers,
// tariffs, accounts, users, rooms with their codes, numbers, rules and tokens. Whatever
// is copied at once is of one instant of the source, and is seen in the copy at once, so
// that no code ever leads to a room that the copy lacks. Use it from one goroutine.
//
// # How changes are found
//
// Who changes something notes it in the table change, in the same transaction, with the
// time of its own clock. Notes are read back for the last few minutes each time (overlap), so
// that one whose transaction committed late, or whose clock is behind, is found if it is
// not later than that. What is later, and what is changed by hand or by an older program
// that does not note it, is found by All, which is therefore to be repeated. Balances
// are not noted; Balances reads them.
type Copier struct {
	from, to *Store
	overlap  time.Duration
	silence  time.Duration
	applied  map[string]int64 // notes that the copy has, with their times
}

// NewCopier copies to a SQLite store that has been migrated, and that nobody else writes
// to. It gives a reading up when nothing has come from the source for silence.
func NewCopier(from, to *Store, overlap, silence time.Duration) *Copier {
	return &Copier{from: from, to: to, overlap: overlap, silence: silence, applied: map[string]int64{}}
}

// ErrTooMany: so much has changed that All is the better way.
var ErrTooMany = errors.New("too many changes to follow one by one")

// mostChanges are followed one by one.
const mostChanges = 2000

// part is a table of the copy. A change of the entity replaces the rows whose column is
// the changed name.
type part struct {
	entity  entity
	table   string
	columns string
	column  string
}

var parts = []part{
	{customers, "customer", customerColumns, "id"},
	{tariffs, "tariff", tariffColumns, "id"},
	{rates, "rate", rateColumns, "tariff_id"},
	{accounts, "account", accountColumns, "id"},
	{sipUsers, "sip_user", userColumns, "username"},
	{rooms, "room", roomColumns, "id"},
	{rooms, "room_code", "code_space, code, room_id, host", "room_id"},
	{accessNumbers, "access_number", numberColumns, "id"},
	{callRules, "call_rule", ruleColumns, "id"},
	{apiTokens, "api_token", tokenColumns, "id"},
}

// What the table copy_state keeps.
const (
	stateChanges  = "changes"  // the copy has all changes that were noted until then
	stateAll      = "all"      // the last time everything was copied
	stateBalances = "balances" // balances are as they were then
)

// CopyTimes says of when a copy is, by the clock of this machine. Zero times: never.
type CopyTimes struct{ Changes, All, Balances time.Time }

// Times reads of when the copy is.
func (c *Copier) Times(ctx context.Context) (t CopyTimes, err error) {
	states := map[string]*time.Time{stateChanges: &t.Changes, stateAll: &t.All, stateBalances: &t.Balances}
	list, err := all(ctx, c.to, "age of the copy", func(r scanner) (s struct {
		what string
		at   time.Time
	}, err error) {
		err = r.Scan(&s.what, instant{&s.at})
		return s, err
	}, "SELECT what, at FROM copy_state")
	for _, s := range list {
		if at := states[s.what]; at != nil {
			*at = s.at
		}
	}
	return t, err
}

// All copies everything anew. now is the time.
func (c *Copier) All(ctx context.Context, now time.Time) error {
	noted := map[string]int64{}
	err := c.transfer(ctx, "copy everything", func(ctx context.Context, from, to querier) error {
		// What is noted by now is in what is read below.
		list, err := notes(ctx, from, now.Add(-c.overlap), -1)
		if err != nil {
			return err
		}
		clear(noted)
		for _, n := range list {
			noted[n.id] = n.at
		}
		for _, p := range parts {
			if err := p.replace(ctx, from, to, "", nil); err != nil {
				return err
			}
		}
		return stamp(ctx, to, now, stateChanges, stateAll, stateBalances)
	})
	if err == nil {
		c.applied = noted
	}
	return err
}

// Balances copies all accounts anew.
func (c *Copier) Balances(ctx context.Context, now time.Time) error {
	return c.transfer(ctx, "copy balances", func(ctx context.Context, from, to querier) error {
		for _, p := range parts {
			if p.entity == accounts {
				if err := p.replace(ctx, from, to, "", nil); err != nil {
					return err
				}
			}
		}
		return stamp(ctx, to, now, stateBalances)
	})
}

// Changes copies what has changed since the time that Times gives for changes, and
// returns how many things did. ErrTooMany asks for All.
func (c *Copier) Changes(ctx context.Context, since, now time.Time) (changes int, err error) {
	from := since.Add(-c.overlap)
	if c.from.nearby.Load() {
		if quiet, err := c.quiet(ctx, from); err == nil && quiet {
			return 0, c.to.withoutReferences(ctx, func(to querier) error { return stamp(ctx, to, now.Add(-followerLag), stateChanges) })
		}
	}
	var found []note
	err = c.transfer(ctx, "copy changes", func(ctx context.Context, source, to querier) error {
		list, err := notes(ctx, source, from, mostChanges+1+len(c.applied))
		if err != nil {
			return err
		}
		found = found[:0]
		for _, n := range list {
			if _, known := c.applied[n.id]; !known {
				found = append(found, n)
			}
		}
		if len(found) > mostChanges {
			return ErrTooMany
		}
		if err := follow(ctx, source, to, found); err != nil {
			return err
		}
		return stamp(ctx, to, now, stateChanges)
	})
	if err != nil {
		return 0, err
	}
	for _, n := range found {
		c.applied[n.id] = n.at
	}
	for id, at := range c.applied {
		if at < micros(now.Add(-c.overlap)) {
			delete(c.applied, id)
		}
	}
	return len(found), nil
}

// note says that something changed.
type note struct {
	id, name string
	entity   entity
	at       int64
}

// notes are those since a time, the oldest first; most of them, or all if that is
// negative.
func notes(ctx context.Context, q querier, since time.Time, most int) ([]note, error) {
	return notesOf(ctx, q, "change", since, most)
}

// nearby is the table of notes at the nearest replica of CockroachDB, as it was some
// seconds ago, and followerLag by how many at most, where replication is well.
const (
	nearby      = "change AS OF SYSTEM TIME follower_read_timestamp()"
	followerLag = 10 * time.Second
)

// quiet says whether the nearest replica knows of no change that the copy lacks: which is
// nearly always so, and saves a look at another region every second. What it knows of is
// then read where it is true.
func (c *Copier) quiet(ctx context.Context, since time.Time) (bool, error) {
	list, err := notesOf(ctx, c.from.read, nearby, since, mostChanges+1+len(c.applied))
	for _, n := range list {
		if _, known := c.applied[n.id]; !known {
			return false, err
		}
	}
	return true, err
}

func notesOf(ctx context.Context, q querier, table string, since time.Time, most int) ([]note, error) {
	query, args := "SELECT id, entity, name, at FROM "+table+" WHERE at >= $1 ORDER BY at, id", []any{micros(since)}
	if most >= 0 {
		query, args = query+" LIMIT $2", append(args, most)
	}
	return rows(ctx, q, func(r scanner) (n note, err error) {
		err = r.Scan(&n.id, &n.entity, &n.name, &n.at)
		return n, err
	}, query, args...)
}

// follow replaces what has changed. First all is removed, for a code may have gone from
// one room to another.
func follow(ctx context.Context, from, to querier, changes []note) error {
	type thing struct {
		entity entity
		name   string
	}
	things := map[thing]bool{}
	for _, n := range changes {
		things[thing{n.entity, n.name}] = true
	}
	for t := range things {
		for _, p := range parts {
			if p.entity != t.entity {
				continue
			}
			if _, err := to.ExecContext(ctx, fmt.Sprintf("DELETE FROM %s WHERE %s = $1", p.table, p.column), t.name); err != nil {
				return err
			}
		}
	}
	for t := range things {
		for _, p := range parts {
			if p.entity != t.entity {
				continue
			}
			if err := p.insert(ctx, from, to, fmt.Sprintf(" WHERE %s = $1", p.column), []any{t.name}); err != nil {
				return err
			}
		}
	}
	return nil
}

// replace copies the table's rows for those that the copy has.
func (p part) replace(ctx context.Context, from, to querier, where string, args []any) error {
	if _, err := to.ExecContext(ctx, "DELETE FROM "+p.table+where, args...); err != nil {
		return err
	}
	return p.insert(ctx, from, to, where, args)
}

// insert copies rows as they are read, so that a large table is never in memory.
func (p part) insert(ctx context.Context, from, to querier, where string, args []any) error {
	r, err := from.QueryContext(ctx, "SELECT "+p.columns+" FROM "+p.table+where, args...)
	if err != nil {
		return err
	}
	defer r.Close()
	values := make([]any, strings.Count(p.columns, ",")+1)
	targets := make([]any, len(values))
	for i := range values {
		targets[i] = &values[i]
	}
	for r.Next() {
		if err := r.Scan(targets...); err != nil {
			return err
		}
		if _, err := insert(ctx, to, p.table, p.columns, "", values...); err != nil {
			return fmt.Errorf("copy a row of %s: %w", p.table, err)
		}
	}
	return r.Err()
}

func stamp(ctx context.Context, to querier, now time.Time, what ...string) error {
	for _, w := range what {
		if _, err := insert(ctx, to, "copy_state", "what, at", "ON CONFLICT (what) DO UPDATE SET at = excluded.at", w, micros(now)); err != nil {
			return err
		}
	}
	return nil
}

// transfer runs do between one snapshot of the source and one transaction of the copy.
// do reads with the context that it is given: it ends when the source is silent for long.
func (c *Copier) transfer(ctx context.Context, what string, do func(ctx context.Context, from, to querier) error) error {
	ctx, heard, stop := unlessSilent(ctx, c.silence)
	defer stop()
	err := c.from.retry(ctx, what, func() (class, error) {
		source, err := c.from.snapshot(ctx)
		if err != nil {
			return c.from.dialect.classify(err), err
		}
		defer source.Rollback()
		heard()
		err = c.to.withoutReferences(ctx, func(to querier) error { return do(ctx, source, telling{to, heard}) })
		return c.from.dialect.classify(err), err
	})
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("%w: %w", err, context.Cause(ctx))
	}
	return err
}

// snapshot begins a transaction that reads, and sees one instant.
func (s *Store) snapshot(ctx context.Context) (*sql.Tx, error) {
	if s.tx != nil {
		return nil, errors.New("copy: not within a transaction")
	}
	options := &sql.TxOptions{ReadOnly: true}
	if s.dialect.isolation.Isolation != sql.LevelDefault {
		options.Isolation = sql.LevelRepeatableRead // a snapshot; nothing is written that could conflict with others
	}
	return s.read.BeginTx(ctx, options)
}

// withoutReferences runs do in one transaction that checks no foreign keys and carries
// out none of their actions: the source has done so, and rows come in any order.
func (s *Store) withoutReferences(ctx context.Context, do func(querier) error) error {
	conn, err := s.write.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "PRAGMA foreign_keys = 0"); err != nil {
		return err
	}
	defer conn.ExecContext(context.WithoutCancel(ctx), "PRAGMA foreign_keys = 1")
	t, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer t.Rollback()
	if err := do(t); err != nil {
		return err
	}
	return t.Commit()
}
