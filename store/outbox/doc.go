// Package outbox writes to the store in the background: in order, bounded, and
// without ever dropping what was given to it while the program runs.
//
// It is for what must be kept but must not be waited for: histories and traces. A
// write that the store cannot take now is tried again; one that it will never take
// (permanent errors such as store.ErrNotFound) is logged and passed over, so that
// it does not stop those behind it.
package outbox
