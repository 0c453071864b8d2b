// Package custody keeps what a node's answered calls are in the site's Raft group, so
// that its other nodes can go on with them (SPEC MS10).
//
// A [Custody] has two sides. Of this node's own calls it keeps the latest state ([Custody.Keep])
// until they end ([Custody.Release]); a node that stops gives each to another
// ([Custody.Give]). Of the calls whose node is gone it takes those over whose turn it is:
// the site's nodes share them out by rendezvous hashing over what the group knows, without
// a word to one another, and of several that try one succeeds.
//
// Nothing waits for the group: a call is answered, and goes on, where it cannot be
// reached. What it has not taken yet when the node dies is lost with the node; that is
// what has changed within one round trip between the site's nodes.
package custody
