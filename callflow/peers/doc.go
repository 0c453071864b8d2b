// Package peers is how the nodes of a cluster ask one another about callers and
// conferences: the methods of callflow.Foci and sites.Peers, by RPC.
//
// [Client] asks; [Serve] adds what answers to a node's rpc.Server. Errors that a caller
// is told, or that a call is tried anew after, are at this end what they are at the
// other ([Codes]).
package peers
