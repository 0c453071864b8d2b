// Package replica keeps a node's own copy of what calls are decided by, so that calls go
// on while the store cannot be asked: customers, tariffs and rates, accounts, users,
// rooms and codes, access numbers, call rules, API tokens.
//
// The copy is a SQLite file of the store's own schema. [Replica] refreshes it: changes
// every second or so, balances every half minute, everything when the node starts and
// every hour after that, which also finds what following the changes may have missed
// (see sqlstore.Copier for what that can be). Each refresh is of one instant of the store
// and appears in the copy at once; one that breaks off leaves the copy as it was. The
// file outlives the process: a node that starts without the store has the copy of its
// last run.
//
// [Reader] is what callers read through. It asks the store, within the breaker's budget,
// and goes to the copy when there is no answer; what the store says counts, even that
// something does not exist. A copy that is older than the configured age is not used: a
// room that was closed a week ago is not opened because of an outage. Reader says how
// often it went to the copy, and Replica how old the copy is.
//
// The copy holds password hashes and codes, as the store does: its file is readable by
// the node's user only.
package replica
