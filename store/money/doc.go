// Package money holds exact amounts of money.
//
// An [Amount] is a whole number of millionths of a currency unit, so that the
// same value is exact in Go, in CockroachDB, in PostgreSQL and in SQLite (which
// has no exact decimal type), and so that a conditional UPDATE can add and
// compare it inside the database. Nothing in Conclave holds money in a float.
package money
