// Package acceptance calls the real program with real telephones. It holds tests
// only.
package acceptance
