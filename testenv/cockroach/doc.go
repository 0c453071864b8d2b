// Package cockroach starts CockroachDB for tests, where its program is at hand.
package cockroach
