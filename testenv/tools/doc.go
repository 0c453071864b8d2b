// Package tools says which programs of the machine a test needs.
//
// A developer without SIPp can still run the rest of the suite, so a missing
// program skips the test; in CI (environment variable CI set) it fails it, since
// a suite that silently skips proves nothing.
package tools
