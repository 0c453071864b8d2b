// Package store declares what Conclave keeps for ever: customers, accounts,
// access numbers, rooms and their codes, open conferences and participants,
// calls with their steps, usage records (xDRs) and the ledger.
//
// This package holds the types, the errors and the contracts; it does no I/O.
// Package sqlstore implements them over SQL (embedded SQLite, PostgreSQL), and
// package storetest is the conformance suite that each implementation passes.
//
// Conventions, for every type and method here:
//
//   - Times are UTC with microsecond precision. A zero time means "not yet".
//   - Ids are typed strings holding a UUIDv7, made by the caller (New…ID), so
//     that a retried write is the same write.
//   - Money is exact ([money.Amount]).
//   - Every write is idempotent by the id it names, unless it says otherwise.
//   - A lookup that finds nothing returns [ErrNotFound]; so does one that finds
//     what the [Scope] may not see, so that nobody learns that it exists.
package store
