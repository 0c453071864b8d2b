package server

import (
	"database/sql"
	"os"
	"testing"
)

// The shell that watches the process is the only thing that must end the server.
func TestServerEndsWithItsPipe(t *testing.T) {
	if err := Check(); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	server, err := Local()
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("pgx", server.DSN())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := server.watched.Close(); err != nil {
		t.Fatal(err)
	}
	for db.PingContext(t.Context()) == nil {
	}
	if err := server.command.Wait(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(server.command.Dir); err == nil {
		t.Errorf("%s is left", server.command.Dir)
	}
}
