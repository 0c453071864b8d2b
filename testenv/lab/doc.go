// Package lab runs several sites on one machine: each node is a real process in a
// network namespace of its own, with addresses of its own; the sites are joined by a
// WAN that goes wrong on demand (package wan); PostgreSQL is reached over that same
// WAN; and callers live at any site (package caller).
//
//	site alpha 10.1.0.0/16                     site beta 10.2.0.0/16
//	┌───────────┐ ┌───────────┐                ┌───────────┐
//	│ alpha-1   │ │ alpha-2   │                │ beta-1    │    each box a namespace,
//	│ 10.1.0.1  │ │ 10.1.0.2  │                │ 10.2.0.1  │    eth0 with default route
//	└────┬──────┘ └────┬──────┘                └────┬──────┘
//	┌────┴─────────────┴─────────┐    wan    ┌──────┴────────────────┐
//	│ bridge "lan" 10.1.255.254  ├───────────┤ "lan" 10.2.255.254    │  the gateways
//	└────┬─────────────┬─────────┘   (TUN)   └──────┬────────────────┘
//	┌────┴───────┐ ┌───┴────────┐              ┌────┴───────┐
//	│ callers    │ │ database   │              │ callers    │
//	│ 10.1.0.201 │ │ 10.1.0.200 │              │ 10.2.0.201 │
//	└────────────┘ └────────────┘              └────────────┘
//
// How a node is started is the caller's business: a function gives the command line
// for a place in the [Plan]; [Cluster] has those for one cluster of all sites. A lab that
// runs can be steered from another program: [Serve] listens on a socket that a [Client]
// finds by the lab's directory. `node lab` is that for users, so nothing here takes a
// *testing.T, nor do the packages that it imports.
//
// It needs root and TUN devices; [netns.Check] says what is missing. Nothing is changed
// outside of the lab's own namespaces, and what a crash leaves is removed by the next
// lab that starts.
//
// # Goroutines
//
// The router's end with Close; each process has one that waits for its end.
package lab
