package sqlstore

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/conclave-voice/conclave/store"
)

// OP4: a schema that is missing is an error that tells the fix, for every method.
func TestMissingSchema(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		s := open(t, dsn)
		_, readErr := s.ListTariffs(t.Context(), store.Page{})
		writeErr := s.CreateCustomer(t.Context(), store.Customer{ID: store.NewCustomerID(), Name: "x"})
		for _, err := range []error{s.CheckSchema(t.Context()), readErr, writeErr} {
			if !errors.Is(err, store.ErrSchema) || !strings.Contains(err.Error(), "Migrate") {
				t.Error(err)
			}
		}
		if err := s.Ping(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// OP4: several nodes that start at once migrate once.
func TestParallelMigration(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		var wg sync.WaitGroup
		for range 6 {
			s := open(t, dsn)
			wg.Go(func() {
				if err := s.Migrate(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		s := open(t, dsn)
		n, err := count(t.Context(), s.read, "SELECT COUNT(*) FROM goose_db_version WHERE version_id = 1")
		if err != nil || n != 1 {
			t.Errorf("applied %d times, %v", n, err)
		}
	})
}

// OP4: a program goes on with a schema that a newer one has migrated, and leaves it as
// it is.
func TestNewerSchema(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		s := openMigrated(t, dsn)
		for _, statement := range []string{
			"INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, 'true')",
			"ALTER TABLE customer ADD COLUMN colour TEXT",
			"CREATE TABLE later (id TEXT)",
		} {
			if strings.HasPrefix(dsn, "sqlite") {
				statement = strings.ReplaceAll(statement, "'true'", "1")
			}
			if _, err := s.write.ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		older := openMigrated(t, dsn)
		c := store.Customer{ID: store.NewCustomerID(), Name: "x"}
		if err := older.CreateCustomer(t.Context(), c); err != nil {
			t.Error(err)
		}
		if all, err := older.ListCustomers(t.Context(), store.Scope{}, store.Page{}); err != nil || len(all) != 1 || all[0] != c {
			t.Errorf("%+v, %v", all, err)
		}
	})
}

// OP4: a migration that broke off half-way is finished by the next.
func TestMigrationThatBrokeOff(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		s := openMigrated(t, dsn)
		for _, statement := range []string{"DELETE FROM goose_db_version WHERE version_id = 1", "DROP TABLE call_step", "DROP INDEX xdr_room"} {
			if _, err := s.write.ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.CheckSchema(t.Context()); !errors.Is(err, store.ErrSchema) {
			t.Errorf("a half schema: %v", err)
		}
		if err := s.Migrate(t.Context()); err != nil {
			t.Error(err)
		}
		if _, err := count(t.Context(), s.read, "SELECT COUNT(*) FROM call_step"); err != nil {
			t.Error(err)
		}
	})
}
