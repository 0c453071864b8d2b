// Package conclave is the root of the module: it holds nothing but the test of
// the architecture. ARCHITECTURE.md tells what is where; the program is cmd/node.
package conclave
