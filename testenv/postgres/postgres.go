package postgres

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // registers the driver "pgx"
)

// Start returns the DSN of an empty database, which is dropped when the test ends.
// Where PostgreSQL is not installed the test is skipped, and fails if CI is set.
func Start(t testing.TB) (dsn string) {
	t.Helper()
	server, err := shared.start(need(t))
	if err != nil {
		t.Fatal("start PostgreSQL: ", err)
	}
	return fresh(t, server)
}

// need is the server's directory of programs. Without it the test is skipped, or fails in
// CI.
func need(t testing.TB) (bin string) {
	t.Helper()
	bin, err := installed()
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	return bin
}

// External returns the DSN of an empty database on the server that CONCLAVE_TEST_DSN
// names (PostgreSQL or CockroachDB), which is dropped when the test ends. The user
// must be allowed to create databases. Without the variable the test is skipped.
func External(t testing.TB) (dsn string) {
	t.Helper()
	server := os.Getenv("CONCLAVE_TEST_DSN")
	if server == "" {
		t.Skip("CONCLAVE_TEST_DSN is not set; it may name a server to test on, such as postgresql://root@host:26257/defaultdb")
	}
	return fresh(t, server)
}

// patience bounds what is done at a server for one test.
const patience = 30 * time.Second

// fresh makes a database at a server and drops it when the test ends, with whoever
// is still connected.
func fresh(t testing.TB, server string) string {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal("the DSN of the test server is not a URL: postgresql://user@host:port/database")
	}
	name := "conclave_test_" + strings.ToLower(rand.Text())
	if err := administer(server, "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// The second is for CockroachDB, which does not know FORCE.
		if administer(server, "DROP DATABASE "+name+" WITH (FORCE)") != nil {
			if err := administer(server, "DROP DATABASE "+name); err != nil {
				t.Error(err)
			}
		}
	})
	u.Path = "/" + name
	return u.String()
}

func administer(server, statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	db, err := sql.Open("pgx", server)
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}
