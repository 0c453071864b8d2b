// Package billing authorizes what a caller may use, keeps a running stay within the
// account's money, and settles it: exactly one usage record (xDR) for each stay.
//
// # Money
//
// Amounts are exact (package store/money), in the account's currency. What a stay
// costs is package rating's to say: whole seconds, started intervals, rounded once
// for each record, half away from zero, to four digits after the point. The rate is
// the one of the moment of authorization; the participant's row keeps it, so that a
// change of the tariff touches no running stay, and a recovery rates as the node
// would have.
//
// # The life of a reservation
//
//	AuthorizeStay ── reserves a share ──► pending ──Settle──► posted: what it cost
//	                                       │  ▲   │           (the rest given back)
//	                                 Meter └──┘   └──Void───► voided: all given back
//	                                 extends, by another share
//
// A share is what a few minutes cost ([Policy]). Reservations are made in the
// database, by one conditional write, so that all stays of an account together, at
// all sites, never promise more than balance and credit limit. Where there is not
// enough for a share, the stay gets less, down to the first interval; where there is
// not that much, it is refused.
//
// A [Meter] renews the share before it runs out, and asks for less when the account
// does not have so much. When there is nothing left, the participant is warned, and
// released at the end of what is reserved, so that the charge never passes it. A node
// that is late to release does not charge for being late.
//
// # Without the store
//
// A store that cannot be asked is no reason to refuse or to end a call. With a journal
// ([WithJournal]) the node goes on by its own word: stays begin, go on and end, decided by
// the local copy, and each promise and each end is on the node's disk before it counts.
// [Credit] bounds what is promised: for each account a sum per node, and no more than the
// account had when the copy was made. Hence an account passes its credit limit by at most
// that sum for each node. Such stays are counted ([Stats]) and logged. A store that said
// that the money is used up and then fails gives no credit.
//
// Without a journal a running stay goes on beyond its share for a time ([Policy].Offline),
// and none begins.
//
// # The end of a stay
//
// A stay is settled in one transaction by its own id: xDR, ledger entry, balance,
// reservation. Settling again changes nothing. The journal brings the record to the store,
// and keeps it over restarts of the node; a record that the journal cannot keep waits in
// memory ([Settler]).
//
// Until it is settled, a stay is open in the store. Should the node die, [Recover]
// settles it when the node starts again, once the store has been told what the journal
// knows: a stay that had ended ends when it did, the others at the node's last heartbeat
// ([Heart]), at most one heartbeat too early, and never for more than they had reserved.
//
// # What is checked
//
// [Ledger.Verify] adds up every account: its balance is the sum of its ledger.
package billing
