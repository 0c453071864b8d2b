// Package node runs the real program for tests: built once for each test process,
// with the race detector if the test has it, started with ports and a data
// directory of its own, killed, stopped and started again.
//
// A node whose log has a data race or a panic fails its test, whatever the test
// looked at.
package node
