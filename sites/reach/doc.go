// Package reach decides whether another site can be reached from this node.
//
// It is a state machine without clock, I/O or goroutine: [Machine.Step] takes an event
// and the time and gives effects. Package sites/probe runs it.
//
// # The verdict
//
//	Unknown ──answer──► Up ◄──calm for 2 s── Suspect
//	   │                 │ └──few failures──► │
//	   │                 └────────┬───────────┘
//	   └──────failures──────►   Down ◄──few failures── Returning ──calm for the hold──► Up
//	                              └───────answer────────►
//
// It is this node's own and directional: what A thinks of B says nothing of what B
// thinks of A. Calls go to sites that are Up or Suspect.
//
//   - Down needs four failures in a row at each of two probed nodes, or of the only one,
//     and two in a row at every further one that is probed. At 500 ms between probes this
//     takes 2 to 2.75 s.
//   - One node alone may be unlucky: a link with a loss of 5 % each way fails four times
//     in a row several times a day. So eight failures in all are needed, unless gossip or
//     another site says the same.
//   - One node that answers keeps its site up. A node that is silent meanwhile is no
//     evidence later, when the last one falls silent too.
//   - A site that was Down is trusted after 15 s without a break. Each loss of trust
//     within ten minutes of its gain doubles that, up to four minutes.
//   - Gossip and other sites never make a verdict; they confirm one. When others reach the
//     site, the status says so: then the path is cut, not the site down.
//   - An answer counts whenever it comes, after its probe has failed too: it shows that the
//     site can be reached now.
//   - A failure that came much later than its time-out was ours: this node stood still.
//     The first of a row does not count.
//   - The operator's word is above all. The machine goes on judging beneath it.
//
// # Reading it
//
// [Machine.Status] has the verdict, since when, and why in words, with the numbers that it
// rests on.
package reach
