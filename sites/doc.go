// Package sites decides where a room's conference runs.
//
// A [Locator] answers with an [Assignment]: the focus node, whether the conference
// is the room's main one or a local one, and the epoch that fences it. [Single] is
// the locator of a node that is a cluster of one: every room runs here.
package sites
