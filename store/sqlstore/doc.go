// Package sqlstore implements package store over SQL: one text of every statement
// for SQLite (embedded, without cgo) and PostgreSQL, within the dialect that
// CockroachDB shares with them.
//
// What keeps the text the same: times are BIGINT microseconds and ids are text,
// both made in Go; money is BIGINT; no locking clauses, arrays, now() or generated
// keys; conditional UPDATEs decide what must not race.
//
// Every transaction is serializable and is run again from its beginning when the
// database says that it lost a race, or that it does not know whether it committed:
// every write is idempotent by the ids it names. [dialect] holds the few things that
// differ.
package sqlstore
