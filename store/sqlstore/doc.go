// Package sqlstore implements package store over SQL: one text of every statement
// for SQLite (embedded, without cgo) and PostgreSQL, within the dialect that
// CockroachDB shares with them.
//
// What keeps the text the same: times are BIGINT microseconds and ids are text,
// both made in Go; money is BIGINT; no locking clauses, arrays, now() or generated
// keys, no division; conditional UPDATEs decide what must not race. [dialect] holds
// the few things that differ.
//
// Every write is one serializable transaction, BEGIN to COMMIT. It is run again from
// its beginning when the database says that it lost a race, and when the connection
// broke. If it broke at COMMIT nobody knows whether the transaction is in; running it
// again is right all the same, because every write is idempotent by the ids that it
// names. Where the answer tells who was first, the second run finds its own mark in
// the rows ([tx.unsure]).
//
// Regions of CockroachDB are an overlay that only CockroachDB hears of (regions.go).
//
// The reader's way in: transaction.go is how everything is run, rows.go how rows are
// read and written; then there is one file for each role in store.Store, and the
// tables are in migrations/.
package sqlstore
