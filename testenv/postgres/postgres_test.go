package postgres

import (
	"database/sql"
	"os/exec"
	"testing"
)

// Each test has a database of its own, on one server.
func TestDatabasesAreApart(t *testing.T) {
	a, b := Start(t), Start(t)
	if a == b {
		t.Fatal("one database given twice")
	}
	for _, dsn := range []string{a, b} {
		db, err := sql.Open("pgx", dsn)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if _, err := db.ExecContext(t.Context(), "CREATE TABLE only_here (id TEXT)"); err != nil {
			t.Error(err)
		}
	}
}

// The shell that watches the process is the only thing that must end the server.
func TestServerEndsWithItsPipe(t *testing.T) {
	bin, err := installed()
	if err != nil {
		t.Skip(err)
	}
	server, err := launch(bin, "", (*exec.Cmd).Start)
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("pgx", server.dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := server.watched.Close(); err != nil {
		t.Fatal(err)
	}
	for db.PingContext(t.Context()) == nil {
	}
}
