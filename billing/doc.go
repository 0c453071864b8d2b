// Package billing authorizes what a caller may use, keeps a running stay within
// the account's money, and settles it: exactly one usage record (xDR) for each stay.
//
// The life of the money of a stay:
//
//	AuthorizeStay ── reserves a share ──► pending ──Settle──► posted: what it cost
//	                                        │  ▲              (the rest given back)
//	                                  Meter └──┘ extends, by another share
//
// A share is what a few minutes cost. Reservations are made in the database, by one
// conditional write, so that all stays of an account together, at all sites, never
// promise more than balance and credit limit. When a share runs out and cannot be
// renewed, the participant is warned, and released before the money is overspent.
//
// A stay is settled in one transaction by its own id: xDR, ledger entry, balance,
// reservation. Settling again changes nothing. A settlement that the store cannot
// take now waits in an outbox; should the node die with it, the participant's row is
// still open, and [Recover] settles it at the node's last heartbeat.
//
// What a stay costs is package rating's to say.
package billing
