// Package postgres gives tests a private PostgreSQL: one server for all tests of a
// process, started by the first that asks, with a fresh database for each.
//
// The server belongs to a small shell that watches a pipe from the test process. When
// the process is gone, however it ended, the pipe closes, and the shell stops the
// server and removes its files. Nothing is left behind by a test that panics, runs out
// of time or is killed.
//
// Listen starts a server of one's own that is reached by an address, such as one in a
// network namespace.
//
// With CONCLAVE_TEST_DSN in the environment, External gives fresh databases on the
// server that it names.
package postgres
