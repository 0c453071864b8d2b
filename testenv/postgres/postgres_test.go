package postgres

import (
	"context"
	"database/sql"
	"testing"
	"time"
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

// A proxy lets through, refuses, and stalls.
func TestProxy(t *testing.T) {
	p := NewProxy(t, Start(t))
	db, err := sql.Open("pgx", p.DSN())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ask := func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		return db.PingContext(ctx)
	}
	for range 2 {
		if err := ask(); err != nil {
			t.Fatal(err)
		}
		p.Cut()
		if ask() == nil {
			t.Error("asked through a proxy that is cut")
		}
		p.Heal()
	}
	p.Stall()
	answered := make(chan error, 1)
	go func() { answered <- ask() }()
	select {
	case err := <-answered:
		t.Errorf("a stalled proxy was told %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	p.Heal()
	if err := <-answered; err != nil {
		t.Error(err)
	}
}
