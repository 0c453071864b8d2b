package postgres

import (
	"os"
	"sync"
	"testing"

	"github.com/conclave-voice/conclave/testenv/postgres/server"
)

// shared starts the process's server. It is global because the server outlives each test
// that uses it; it ends with the process.
var shared = sync.OnceValues(server.Local)

// Start returns the DSN of an empty database, which is dropped when the test ends.
// Where PostgreSQL is not installed the test is skipped, and fails if CI is set.
func Start(t testing.TB) (dsn string) {
	t.Helper()
	if err := server.Check(); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	s, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return fresh(t, s.DSN())
}

// External returns the DSN of an empty database on the server that CONCLAVE_TEST_DSN
// names (PostgreSQL or CockroachDB), which is dropped when the test ends. The user
// must be allowed to create databases. Without the variable the test is skipped.
func External(t testing.TB) (dsn string) {
	t.Helper()
	dsn = os.Getenv("CONCLAVE_TEST_DSN")
	if dsn == "" {
		t.Skip("CONCLAVE_TEST_DSN is not set; it may name a server to test on, such as postgresql://root@host:26257/defaultdb")
	}
	return fresh(t, dsn)
}

// At returns the DSN of an empty database at a server, which is dropped when the test
// ends. The user must be allowed to create databases.
func At(t testing.TB, server string) (dsn string) {
	t.Helper()
	return fresh(t, server)
}

// fresh makes a database at a server and drops it when the test ends.
func fresh(t testing.TB, at string) string {
	t.Helper()
	dsn, err := server.Fresh(at, "conclave_test_")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Drop(at, dsn); err != nil {
			t.Error(err)
		}
	})
	return dsn
}
