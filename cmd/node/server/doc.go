// Package server wires a node together: it opens the store, recovers from a crash,
// binds every port, and runs the parts until it is told to stop.
//
// It holds no behaviour of its own. New fails before anything is served, so that a
// port in use or a bad setting is an error at start and not later.
package server
