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
// A store that fails is no reason to end a call. The question is repeated, less and
// less often; when the share runs out meanwhile, the stay goes on for the offline
// allowance. That is the one case in which a stay may cost more than it reserved. It
// is counted ([Stats]), logged with the amount, and may take the balance below the
// credit limit. A store that said that the money is used up and then fails gives no
// allowance.
//
// # The end of a stay
//
// A stay is settled in one transaction by its own id: xDR, ledger entry, balance,
// reservation. Settling again changes nothing. A [Settler] brings records to the store
// in the background and keeps those that the store cannot take now; [Settler] says how
// many, and what happens when there are more.
//
// Until it is settled, a stay is open in the store. Should the node die, [Recover]
// settles it, when the node starts again, at the node's last heartbeat ([Heart]). So
// the end of such a stay is at most one heartbeat too early; it is too late by a
// little if the stay had ended and the node beat once more before its record was in
// the store.
//
// # What is checked
//
// [Ledger.Verify] adds up every account: its balance is the sum of its ledger.
package billing
