package sqlstore

import (
	"database/sql"
	"io/fs"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// dialect is what differs between the databases.
type dialect struct {
	name      string
	isolation *sql.TxOptions
	// unprepared, as the first argument, has a statement carried out without preparing it;
	// nil: there is no such thing.
	unprepared any
	// parameters are in a statement for many rows at most.
	parameters int
	// classify says what an error means; none for nil.
	classify func(error) class

	// How the schema is migrated: goose's dialect, the files as this database reads
	// them, and what keeps others from migrating at the same time.
	goose      goose.Dialect
	migrations func(fs.FS) fs.FS
	locker     func() (lock.Locker, error)
}

// class is what an error of a database means.
type class uint8

const (
	none class = iota
	// other: trying again changes nothing, as far as we know.
	other
	noRows
	// Constraints. The transaction has no effect.
	uniqueViolation
	referenceViolation
	valueRefused // a CHECK, a wrong type, a number out of range
	// tableMissing, or a column: not migrated.
	tableMissing
	// raceLost: serialization failure, deadlock, busy. The transaction has no
	// effect; the next attempt may succeed.
	raceLost
	// connectionLost while a statement was under way. If it was COMMIT, nobody knows
	// whether it had an effect.
	connectionLost
)

// again says whether another attempt may succeed.
func (c class) again() bool { return c == raceLost || c == connectionLost }

// aborted says that the transaction has certainly had no effect.
func (c class) aborted() bool {
	switch c {
	case uniqueViolation, referenceViolation, valueRefused, raceLost:
		return true
	}
	return false
}
