package server

// clusterMetrics are about the node's part in its cluster.
func (n *Node) clusterMetrics(gauge, counter metric) {
	gauge("raft_leading", "1 at the node that leads its site's Raft group.", func() float64 { return flag(n.cluster.Raft().Leading) })
	gauge("raft_term", "Term of the site's Raft group: it grows with each election.", func() float64 { return float64(n.cluster.Raft().Term) })
	gauge("raft_voters", "Nodes that vote in the site's Raft group.", func() float64 { return float64(len(n.cluster.Raft().Voters)) })
	counter("handovers_refused_total", "Calls that claimed to be forwarded by another node, without a valid proof.", func() float64 { return float64(n.calls.RefusedHandovers()) })
	counter("calls_taken_over_total", "Calls of other nodes that go on at this one.", func() float64 { return float64(n.calls.TakeOvers().Reached) })
	counter("calls_not_taken_over_total", "Calls of dead nodes whose callers could not be reached any more.", func() float64 { return float64(n.calls.TakeOvers().Unreached) })
	counter("calls_given_total", "Calls that went to another node because this one stopped.", func() float64 { return float64(n.calls.TakeOvers().Given) })
	counter("calls_lost_total", "Calls that another node has taken over from this one, which it held for dead.", func() float64 { return float64(n.calls.TakeOvers().Lost) })
	gauge("calls_kept", "Calls of this node that others can go on with.", func() float64 { return float64(n.cluster.Custody().Own()) })
}
