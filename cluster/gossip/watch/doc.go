// Package watch tells many readers that something changed.
//
// A signal says only that there is something new; the reader then takes a snapshot
// from whoever owns the state. Signals that come while one is pending melt into it.
// So a slow reader misses steps in between and never the last state, and nobody waits
// for it.
package watch
