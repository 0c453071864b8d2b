// Package process runs child programs for tests so that none outlives its test:
// each has a process group of its own, which is killed in the test's cleanup, and
// the kernel kills the child if the test program itself dies.
//
// What the program writes goes to a file in the test's artifact directory (kept
// with go test -artifacts), whose end is shown when the test fails.
package process
