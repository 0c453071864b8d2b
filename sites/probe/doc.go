// Package probe finds out which other sites this node can reach.
//
// A [Prober] pings nodes of every other site each half second and lets package
// sites/reach judge. The verdicts are this node's own; other nodes ask for them to tell
// a cut path from a dead site (see [Config.ThirdParty]), and answer such questions with
// [Prober.Verdict], never with hearsay.
//
// Of a site that answers, two nodes are pinged. While any of them fails, up to five are,
// so that one node that answers is found before the site is given up. A ping has failed
// when its time-out is over; an answer that comes later, within four times as long, counts
// as one all the same. So machines that are overloaded, and paths that are suddenly slow, do
// not make a site look dead, and a dead one is found out no later.
//
// # Goroutines and bounds
//
// [Prober.Run] is the only goroutine that lasts. Each ping and each question has one of
// its own, which a time-out ends and Run waits for: at most seven pings of a node, 35 of
// a site, and three questions about a site are under way; more are not begun. Watchers
// hold one signal each. [Prober]'s lock is held while the state machine steps, never
// while something is waited for.
package probe
