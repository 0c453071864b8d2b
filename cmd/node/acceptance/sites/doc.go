// Package sites tests the program as carriers run it at several sites: nodes in network
// namespaces, a WAN between them that is cut and healed, the database beyond it, and
// callers at each site who write down what they hear.
package sites
