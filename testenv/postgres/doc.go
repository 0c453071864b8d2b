// Package postgres gives tests a private PostgreSQL: one server for all tests of a
// process, started by the first that asks, with a fresh database for each. It ends with
// the process, however that ends; package server says how.
//
// With CONCLAVE_TEST_DSN in the environment, External gives fresh databases on the
// server that it names.
package postgres
