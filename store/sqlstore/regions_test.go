package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/storetest"
	"github.com/conclave-voice/conclave/testenv/cockroach"
	"github.com/conclave-voice/conclave/testenv/postgres"
)

// scripted is a server that knows a few questions, and notes what it is told. It stands for
// CockroachDB where none is at hand: it shows what is said to it, not that it understands.
type scripted struct {
	mu      sync.Mutex
	answers map[string][][]driver.Value
	told    []string
}

func (s *scripted) Connect(context.Context) (driver.Conn, error) { return s, nil }
func (s *scripted) Driver() driver.Driver                        { return nil }
func (s *scripted) Prepare(string) (driver.Stmt, error)          { return nil, errors.New("not used") }
func (s *scripted) Begin() (driver.Tx, error)                    { return nil, errors.New("not used") }
func (s *scripted) Close() error                                 { return nil }

func (s *scripted) QueryContext(_ context.Context, query string, _ []driver.NamedValue) (driver.Rows, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rows, known := s.answers[query]
	if !known {
		return nil, errors.New("not understood: " + query)
	}
	return &scriptedRows{rows}, nil
}

// ExecContext takes ALTER TABLE as CockroachDB does.
func (s *scripted) ExecContext(_ context.Context, statement string, _ []driver.NamedValue) (driver.Result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told = append(s.told, statement)
	table, locality, _ := strings.Cut(strings.TrimPrefix(statement, "ALTER TABLE "), " SET LOCALITY ")
	for _, row := range s.answers[localitiesQuery] {
		if row[0] == table {
			row[1] = locality
		}
	}
	return driver.RowsAffected(0), nil
}

type scriptedRows struct{ left [][]driver.Value }

func (r *scriptedRows) Columns() []string {
	if len(r.left) == 0 {
		return nil
	}
	return make([]string, len(r.left[0]))
}
func (r *scriptedRows) Close() error { return nil }
func (r *scriptedRows) Next(to []driver.Value) error {
	if len(r.left) == 0 {
		return io.EOF
	}
	copy(to, r.left[0])
	r.left = r.left[1:]
	return nil
}

// openScripted is a store at a scripted server, of that version and with these regions.
func openScripted(t *testing.T, version string, regions ...string) (*scripted, *Store) {
	s := &scripted{answers: map[string][][]driver.Value{versionQuery: {{version}}, regionsQuery: nil, localitiesQuery: nil}}
	for _, r := range regions {
		s.answers[regionsQuery] = append(s.answers[regionsQuery], []driver.Value{r})
	}
	if len(regions) > 0 {
		s.answers[gatewayQuery] = [][]driver.Value{{regions[0]}}
	}
	for _, table := range append(slices.Clone(globalTables), append(regionalTables, "account", "room_epoch", "ledger_entry")...) {
		s.answers[localitiesQuery] = append(s.answers[localitiesQuery], []driver.Value{table, "REGIONAL BY TABLE IN PRIMARY REGION"})
	}
	db := sql.OpenDB(s)
	made := open(t, postgres.Start(t)) // its dialect, and what else a store has
	kept := made.write
	made.write, made.read = db, db
	t.Cleanup(func() { kept.Close() })
	return s, made
}

const cockroachVersion = "CockroachDB CCL v24.1.0 (x86_64-pc-linux-gnu)"

// MS1: tables get their localities once, in a text that says nothing else; money and
// epochs stay where they are.
func TestLocalities(t *testing.T) {
	server, s := openScripted(t, cockroachVersion, "eu", "us")
	changed, err := s.Localize(t.Context(), "us")
	if err != nil || changed != len(globalTables)+len(regionalTables) {
		t.Fatalf("%d changed, %v", changed, err)
	}
	for _, want := range []string{"ALTER TABLE room_code SET LOCALITY GLOBAL", "ALTER TABLE conference SET LOCALITY REGIONAL BY ROW", "ALTER TABLE participant SET LOCALITY REGIONAL BY ROW"} {
		if !slices.Contains(server.told, want) {
			t.Errorf("it was not told %q, but %q", want, server.told)
		}
	}
	for _, table := range []string{"account", "room_epoch", "ledger_entry"} {
		if slices.ContainsFunc(server.told, func(statement string) bool { return strings.Contains(statement, " "+table+" ") }) {
			t.Errorf("the locality of %s was changed", table)
		}
	}
	if changed, err := s.Localize(t.Context(), "us"); changed != 0 || err != nil {
		t.Errorf("again: %d changed, %v", changed, err)
	}
}

// MS1, OP1: who is in no region of the database is told so, and what to do.
func TestRegionsThatAreNotThere(t *testing.T) {
	for _, c := range []struct{ version, region, want string }{
		{cockroachVersion, "mars", `the database has ["eu" "us"]`},
		{"PostgreSQL 15.8", "eu", "the database is not CockroachDB"},
		{cockroachVersion, "us", `the connection goes to region "eu"`},
		{cockroachVersion, "eu", ""},
	} {
		_, s := openScripted(t, c.version, "eu", "us")
		err := s.CheckRegion(t.Context(), c.region)
		if c.want == "" && err != nil || c.want != "" && (!errors.Is(err, store.ErrInvalid) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s, region %s: %v", c.version, c.region, err)
		}
	}
}

// MS1: nothing is said of localities to a database that has none, and changes are looked
// for where they are true.
func TestOtherDatabasesHaveNoRegions(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		s := openMigrated(t, dsn)
		if changed, err := s.Localize(t.Context(), "eu"); changed != 0 || !errors.Is(err, store.ErrInvalid) {
			t.Errorf("%d changed, %v", changed, err)
		}
		if err := s.CheckRegion(t.Context(), "eu"); !errors.Is(err, store.ErrInvalid) || s.nearby.Load() {
			t.Error(err)
		}
	})
}

// MS7: a nearest replica that cannot be asked (PostgreSQL does not understand the question)
// costs nothing but the question: changes are found as ever.
func TestChangesWithoutANearestReplica(t *testing.T) {
	from, to := openMigrated(t, postgres.Start(t)), openMigrated(t, sqliteDSN(t))
	from.nearby.Store(true)
	c := NewCopier(from, to, time.Minute, time.Minute)
	if err := c.All(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	customer := store.Customer{ID: store.NewCustomerID(), Name: "Acme", CreatedAt: time.Now()}
	if err := from.CreateCustomer(t.Context(), customer); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Changes(t.Context(), time.Now(), time.Now()); n != 1 || err != nil {
		t.Errorf("%d changes, %v", n, err)
	}
}

// MS7: what the nearest replica knows of is copied from where it is true; while it knows of
// nothing, nobody else is asked, and the copy does not count as newer than it is.
func TestTheNearestReplicaIsAsked(t *testing.T) {
	source := openMigrated(t, postgres.Start(t))
	to := openMigrated(t, sqliteDSN(t))
	c := NewCopier(source, to, time.Minute, time.Minute)
	now := time.Now()
	if err := c.All(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	replica, s := openScripted(t, cockroachVersion, "eu")
	query := "SELECT id, entity, name, at FROM change AS OF SYSTEM TIME follower_read_timestamp() WHERE at >= $1 ORDER BY at, id LIMIT $2"
	replica.answers[query] = nil
	near := NewCopier(s, to, time.Minute, time.Minute)
	s.nearby.Store(true)
	if n, err := near.Changes(t.Context(), now, now.Add(time.Minute)); n != 0 || err != nil {
		t.Errorf("quiet: %d changes, %v", n, err)
	}
	times, err := near.Times(t.Context())
	if err != nil || times.Changes.After(now.Add(time.Minute-followerLag)) {
		t.Errorf("%+v, %v", times, err)
	}
	replica.answers[query] = [][]driver.Value{{"n1", string(customers), "x", now.UnixMicro()}}
	// The scripted server cannot begin a transaction: that it is asked to is the point.
	if _, err := near.Changes(t.Context(), now, now.Add(time.Minute)); err == nil {
		t.Error("a change was not looked at where it is true")
	}
}

// TestCockroachDB runs on the program that COCKROACH_BINARY names.
func TestCockroachDB(t *testing.T) {
	server := cockroach.Start(t)
	t.Run("store", func(t *testing.T) {
		storetest.Run(t, func(t *testing.T) store.Store { return openMigrated(t, postgres.At(t, server)) })
	})
	t.Run("regions", func(t *testing.T) {
		s := openMigrated(t, postgres.At(t, server))
		if err := s.CheckRegion(t.Context(), cockroach.Region); !errors.Is(err, store.ErrInvalid) {
			t.Errorf("before the database has regions: %v", err)
		}
		var name string
		if err := s.read.QueryRowContext(t.Context(), "SELECT current_database()").Scan(&name); err != nil {
			t.Fatal(err)
		}
		if _, err := s.write.ExecContext(t.Context(), `ALTER DATABASE "`+name+`" SET PRIMARY REGION "`+cockroach.Region+`"`); err != nil {
			t.Fatal(err)
		}
		for _, want := range []int{len(globalTables) + len(regionalTables), 0} {
			if changed, err := s.Localize(t.Context(), cockroach.Region); changed != want || err != nil {
				t.Fatalf("%d tables changed, want %d: %v", changed, want, err)
			}
		}
		if err := s.CheckRegion(t.Context(), cockroach.Region); err != nil {
			t.Error(err)
		}
		c := NewCopier(s, openMigrated(t, sqliteDSN(t)), time.Minute, time.Minute)
		if err := c.All(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		if _, err := c.quiet(t.Context(), time.Now().Add(-time.Minute)); err != nil {
			t.Errorf("the nearest replica: %v", err)
		}
	})
}
