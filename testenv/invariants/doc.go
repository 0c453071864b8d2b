// Package invariants says from outside whether a cluster has kept its promises: it reads
// the database by SQL and the nodes by their metrics, and knows nothing of the program
// that wrote them.
//
// There are two kinds of rules. Those of [Always] hold at every moment, whatever has
// failed: money adds up, a stay that has ended has one record, a room has one open main
// conference, and an epoch of a room has one focus. Those of [AtRest] hold within a bound
// after the last call has ended and the last fault is over: nothing is open, reserved or
// waiting, and no node holds a call, a dialog, a port or a mixer.
//
// A rule that is broken comes with what breaks it, so that a failed test names the rows.
package invariants
