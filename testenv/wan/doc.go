// Package wan is the network between sites, made to go wrong on demand: a router in
// user space that takes IPv4 packets from one device for each site, decides the fate
// of each, and gives it to the device of the site where it belongs.
//
// For each direction between two sites there is an [Impairment]: delay, jitter, loss,
// duplication, reordering, a rate, and a size from which on packets vanish. A direction
// can be cut, alone or with its opposite. All of it can be set for one [Class] of
// packets too, such as gossip or SIP, and all of it can be changed while packets flow.
//
// # Determinism
//
// What decides (decide.go) is pure: the time and a packet's size go in, its fate comes
// out. Each class of each direction has random numbers of its own, a fixed count for
// each packet. With the same seed, the nth packet of a class in a direction has the
// same fate, whatever other classes and directions do, and a change of one parameter
// does not change what the others decide.
//
// # Queues
//
// A direction with a rate drops packets that would have to wait longer than its
// Buffer. What is under way in a direction is bounded too (inFlight); more is dropped.
// Both are counted. Packets in one direction keep their order, except those that
// reordering holds back.
//
// # What it does not do
//
// The router has no address and sends no ICMP of its own: what it drops, it drops
// silently. A later fragment of a datagram carries no ports, and is of class [Other];
// a class that is cut loses the first fragment, and thereby the datagram. IPv6 is
// dropped, counted as unroutable.
package wan
