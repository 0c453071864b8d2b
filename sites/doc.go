// Package sites decides where a room's conference runs.
//
// A locator answers with an [Assignment]: the focus node, whether the conference is the
// room's main one or a local one, and the epoch that fences it. [Single] is the locator
// of a node that is a cluster of one: every room runs here. [Cluster] is that of a node
// among others:
//
//  1. A room whose home is this site: the site's registry says, or gives the room to the
//     least loaded of a few of its nodes.
//  2. A room whose home is another site: a node of that one is asked, which does 1.
//  3. None of them answers, or our verdict on the site is that it cannot be reached: a
//     local conference, which this site's registry places.
//  4. This site has no quorum: this node hosts a local conference. Callers always talk.
//
// A conference of an epoch that has ended is never opened again: who comes late asks
// anew, and names the epoch that is over.
package sites
