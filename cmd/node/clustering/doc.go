// Package clustering puts together what makes a node one of a cluster: certificates,
// gossip, RPC, its site's Raft group, probes of other sites, and the locator that asks
// them all where a room's conference runs.
//
// [Open] binds the ports and joins; [Cluster.Serve] adds what other nodes may ask for;
// [Cluster.Run] goes on until the node stops; [Cluster.Close] takes leave.
package clustering
