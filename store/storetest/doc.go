// Package storetest is the conformance suite of package store: every
// implementation passes it, on every database it claims.
package storetest
