package sqlstore_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/sqlstore"
	"github.com/conclave-voice/conclave/store/storetest"
	"github.com/conclave-voice/conclave/testenv/postgres"
)

func open(t testing.TB, dsn string) store.Store {
	t.Helper()
	s, err := sqlstore.Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSQLite(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return open(t, "sqlite://"+filepath.Join(t.TempDir(), "x.db")) })
}

func TestPostgreSQL(t *testing.T) {
	server := postgres.Start(t)
	storetest.Run(t, func(t *testing.T) store.Store { return open(t, server.Database(t)) })
}

// A schema that a newer program has migrated goes on serving this one, and
// migrating again changes nothing (SPEC OP4).
func TestMigrateAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	for range 3 {
		open(t, path).Close()
	}
}

func TestBadDSN(t *testing.T) {
	for _, dsn := range []string{"", "mysql://root:secret@host/db", "sqlite://"} {
		_, err := sqlstore.Open(context.Background(), dsn)
		if err == nil || !strings.Contains(err.Error(), "postgresql://user@host:port/database") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", dsn, err)
		}
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlstore.Open(context.Background(), file+"/x.db"); err == nil {
		t.Error("a folder that cannot be made was accepted")
	}
}
