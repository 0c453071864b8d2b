package server

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"net/url"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // registers the driver "pgx"
)

// patience bounds one statement of an administrator.
const patience = 30 * time.Second

// Fresh makes an empty database at the server (PostgreSQL or CockroachDB) that a URL
// names, whose user must be allowed to. [Drop] drops it. Its name begins with prefix.
func Fresh(server, prefix string) (dsn string, err error) {
	u, err := url.Parse(server)
	if err != nil || u.Scheme != "postgresql" && u.Scheme != "postgres" {
		return "", fmt.Errorf("the address of the database server is no URL: write postgresql://USER@HOST:PORT/DATABASE")
	}
	name := prefix + strings.ToLower(rand.Text())
	if err := administer(server, "CREATE DATABASE "+name); err != nil {
		return "", err
	}
	u.Path = "/" + name
	return u.String(), nil
}

// Drop drops a database that [Fresh] has made at a server, with whoever is still
// connected.
func Drop(server, dsn string) error {
	u, err := url.Parse(dsn)
	if err != nil {
		return fmt.Errorf("drop a database: %w", err)
	}
	statement := "DROP DATABASE " + strings.TrimPrefix(u.Path, "/")
	if administer(server, statement+" WITH (FORCE)") == nil {
		return nil
	}
	return administer(server, statement) // CockroachDB does not know FORCE
}

func administer(server, statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	db, err := sql.Open("pgx", server)
	if err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}
