// Package registry decides, for one site, which node hosts which room and who
// owns which dialog. It is the state machine that every node of the site applies
// the same Raft log to: no I/O, no clock, no goroutine, no lock. The same commands
// at the same log indexes give the same [State], bit for bit, on every node.
//
// A [Command] is a request id and an [Op]. [State.Apply] takes it with its log
// index and returns a [Result]; a command that is not carried out says why in
// Result.Refusal and changes nothing. The queries of State read what is there.
//
// The rules:
//
//   - A room has at most one [Assignment]. It is void when the run of the node that
//     it names is over, or when the database has seen a higher epoch than it has.
//     Only a void assignment, or one whose epoch the command names, is replaced.
//   - Every epoch is higher than all earlier ones of this registry, higher than the
//     floor that the command gives (what the database has seen, in case all disks
//     of the site were lost), and at least the log index.
//   - A node is known by its [Instance]: name and incarnation. A higher incarnation
//     ends the earlier one; a lower one is refused as stale.
//   - An [Order] of an operator holds until another of its kind and name: a node, or
//     the whole site, that drains is given no room, however often it restarts. What is
//     said of a site's drain has a serial number, and an older one changes nothing.
//   - A dialog's version only grows. Only its owner changes or drops it; another
//     node takes it by naming the owner that it believes in.
//   - A request id is carried out once. The last [RequestWindow] requests of each
//     node are remembered; an older one is refused, not repeated.
//
// Everything is bounded by the constants of limits.go. They are part of the state
// machine: nodes with different limits would come to different states, so a change
// of a limit is a change of version and goes through the log.
//
// Commands, results and snapshots have a version in front. A version that is not
// known is an error and not a guess; versions that were once written stay readable,
// which testdata holds us to.
package registry
