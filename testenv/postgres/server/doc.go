// Package server runs PostgreSQL from the programs of Debian's package, makes databases
// at a server, and stands between a program and a database. It knows nothing of tests;
// package postgres gives all this to them.
//
// A server belongs to a small shell that watches a pipe from this program. When the
// program is gone, however it ended, the pipe closes, and the shell stops the server and
// removes its files. Nothing is left behind by a program that panics or is killed.
package server
