package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/conclave-voice/conclave/store"
)

// Regions of CockroachDB. They are an overlay on the one schema: it is the same without
// them, and nothing here is ever said to PostgreSQL.
//
// What calls are decided by is read everywhere and changed seldom: GLOBAL tables, which
// every region reads without asking another. What tells of calls is written where the call
// is: REGIONAL BY ROW, by the hidden column that CockroachDB adds, whose default is the
// region of the database's node that is connected to (gateway_region). So the mapping of
// sites to regions is who connects where, and a site more needs no change of the tables.
// Money and epochs are one truth for all, and stay in the primary region, which is the
// default.
var (
	globalTables   = []string{"customer", "tariff", "rate", "sip_user", "api_token", "call_rule", "room_code", "room", "access_number"}
	regionalTables = []string{"node_run", "conference", "conference_event", "participant", "xdr", "call", "call_step", "recording", "recording_segment"}
)

const (
	localityGlobal = "GLOBAL"
	localityByRow  = "REGIONAL BY ROW"

	regionsQuery    = "SELECT region FROM [SHOW REGIONS FROM DATABASE]"
	localitiesQuery = "SELECT table_name, COALESCE(locality, '') FROM [SHOW TABLES]"
	gatewayQuery    = "SELECT gateway_region()"
	versionQuery    = "SELECT version()"
)

// localize are the statements that give the tables their localities, given those that they
// have. Each is run outside of a transaction.
func localize(have map[string]string) []string {
	var statements []string
	for _, want := range []struct {
		locality string
		tables   []string
	}{{localityGlobal, globalTables}, {localityByRow, regionalTables}} {
		for _, table := range want.tables {
			if have[table] != want.locality {
				statements = append(statements, fmt.Sprintf("ALTER TABLE %s SET LOCALITY %s", table, want.locality))
			}
		}
	}
	return statements
}

// isCockroachDB says whether the server is one.
func (s *Store) isCockroachDB(ctx context.Context) (is bool, err error) {
	if s.dialect.name != postgreSQL {
		return false, nil
	}
	err = s.query(ctx, "ask which database it is", func(q querier) error {
		var version string
		err := q.QueryRowContext(ctx, versionQuery).Scan(&version)
		is = strings.HasPrefix(version, "CockroachDB")
		return err
	})
	return is, err
}

// hasRegion is nil if the database is CockroachDB and has the region; else ErrInvalid, which
// says what is wrong, and the fix.
func (s *Store) hasRegion(ctx context.Context, region string) error {
	is, err := s.isCockroachDB(ctx)
	if err != nil {
		return err
	}
	if !is {
		return fmt.Errorf("%w: region %q: the database is not CockroachDB, and has no regions; leave the region out", store.ErrInvalid, region)
	}
	regions, err := all(ctx, s, "regions of the database", func(r scanner) (name string, err error) {
		err = r.Scan(&name)
		return name, err
	}, regionsQuery)
	if err != nil {
		return err
	}
	if !slices.Contains(regions, region) {
		return fmt.Errorf("%w: region %q: the database has %q; add it (ALTER DATABASE ... ADD REGION; the first: PRIMARY REGION), or name another", store.ErrInvalid, region, regions)
	}
	return nil
}

// Localize gives the tables of a CockroachDB database with regions their localities, and
// returns how many it has changed: none when it is done already. region is one that the
// database must have. Where there are none nothing is changed, and the error is
// store.ErrInvalid. It takes as long as CockroachDB takes to write the tables anew, and
// goes on where it broke off. Call Migrate before.
func (s *Store) Localize(ctx context.Context, region string) (changed int, err error) {
	if s.tx != nil {
		return 0, errors.New("localize: not within a transaction")
	}
	if err := s.hasRegion(ctx, region); err != nil {
		return 0, err
	}
	type table struct{ name, locality string }
	list, err := all(ctx, s, "localities of the tables", func(r scanner) (t table, err error) {
		err = r.Scan(&t.name, &t.locality)
		return t, err
	}, localitiesQuery)
	if err != nil {
		return 0, err
	}
	have := map[string]string{}
	for _, t := range list {
		have[t.name] = t.locality
	}
	for _, statement := range localize(have) {
		if _, err := s.write.ExecContext(ctx, statement); err != nil {
			return changed, fmt.Errorf("%s: %w", statement, err)
		}
		s.logger.Info("locality of a table", "statement", statement)
		changed++
	}
	return changed, nil
}

// CheckRegion tells what is wrong with the region that a node says it is in: that the
// database has none such, or that the node is connected to another, where its rows then
// are. nil: all is well. If the database has the region, a Copier looks for changes at the
// nearest replica from then on.
func (s *Store) CheckRegion(ctx context.Context, region string) error {
	if err := s.hasRegion(ctx, region); err != nil {
		return err
	}
	s.nearby.Store(true)
	var gateway string
	err := s.query(ctx, "ask for the region of the connection", func(q querier) error {
		return q.QueryRowContext(ctx, gatewayQuery).Scan(&gateway)
	})
	if err == nil && gateway != region {
		err = fmt.Errorf("%w: region %q: the connection goes to region %q; name a node of CockroachDB nearby in the store's URL", store.ErrInvalid, region, gateway)
	}
	return err
}
