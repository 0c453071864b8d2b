package sqlstore

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/storetest"
	"github.com/conclave-voice/conclave/testenv/postgres"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t testing.TB, dsn string) *Store {
	t.Helper()
	s, err := Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func openMigrated(t testing.TB, dsn string) *Store {
	t.Helper()
	s := open(t, dsn)
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func sqliteDSN(t testing.TB) string { return "sqlite://" + filepath.Join(t.TempDir(), "x.db") }

// databases are those that a test of this package runs on.
var databases = map[string]func(testing.TB) string{"SQLite": sqliteDSN, "PostgreSQL": postgres.Start}

// onEach runs a test on each database, empty.
func onEach(t *testing.T, run func(t *testing.T, dsn string)) {
	for name, dsn := range databases {
		t.Run(name, func(t *testing.T) { run(t, dsn(t)) })
	}
}

func TestSQLite(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return openMigrated(t, sqliteDSN(t)) })
}

func TestPostgreSQL(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return openMigrated(t, postgres.Start(t)) })
}

// TestExternal runs on the server that CONCLAVE_TEST_DSN names.
func TestExternal(t *testing.T) {
	postgres.External(t)
	storetest.Run(t, func(t *testing.T) store.Store { return openMigrated(t, postgres.External(t)) })
}

// OP1: an error of the DSN names the fault and the fix, and never the password.
func TestBadDSN(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for dsn, want := range map[string]string{
		"":                               "it is empty; write sqlite:///path/to/file.db",
		"mysql://root:secret@host/db":    `the scheme "mysql" is not known`,
		"sqlite://":                      "write three slashes",
		"sqlite://data/x.db":             "write three slashes",
		"sqlite:///x.db?mode=ro":         "takes no options",
		":memory:":                       "name a file in a temporary folder",
		folder:                           "it is a folder",
		file + "/x.db":                   "make the folder",
		"host=h user=u password=secret":  "write it as a URL",
		"postgresql://u:secret@h:5432":   "it names no database",
		"postgresql://u:secret@h:port/d": "invalid port",
		"postgresql://u:sec%ret@h/d":     "%XX for special characters",
		"postgresql://u@h/d?password=secret&sslmode=maybe":             "sslmode",
		"postgresql://u:secret@127.0.0.1:1/d?sslmode=disable":          "refused",
		"postgresql://u@127.0.0.1:1/d?sslmode=disable&password=secret": "refused",
	} {
		_, err := Open(t.Context(), dsn)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v; want %q", dsn, err, want)
		}
	}
}

// SE5: the file holds password hashes: nobody else may read it.
func TestSQLiteFileIsPrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new folder", "with ?&% in its name.db")
	openMigrated(t, path)
	for name, want := range map[string]os.FileMode{path: 0o600, path + "-wal": 0o600, filepath.Dir(path): 0o700} {
		info, err := os.Stat(name)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
}

// SQLite refuses values of a wrong type, as the others do.
func TestWrongTypesAreRefused(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		s := openMigrated(t, dsn)
		_, err := s.write.ExecContext(t.Context(), "INSERT INTO customer (id, name, created_at) VALUES ('x', 'y', 'yesterday')")
		if err == nil {
			t.Error("text was kept as a time")
		}
	})
}
