// Package postgres starts a private PostgreSQL for the tests of a process.
package postgres
