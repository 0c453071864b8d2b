package invariants

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// Rule is something that must hold. Its query finds what breaks it: a row with the name
// of the thing, and one with what is wrong with it.
type Rule struct {
	Says  string
	query string
}

// Always are the rules that hold at every moment (DESIGN, invariants 1, 2, 5, 6).
func Always() []Rule {
	return []Rule{
		{"the sum of an account's ledger is its balance", `
			SELECT a.name, 'balance ' || a.balance || ', ledger ' || coalesce(sum(e.amount), 0)
			FROM account a LEFT JOIN ledger_entry e ON e.account_id = a.id
			GROUP BY a.id, a.name, a.balance HAVING a.balance <> coalesce(sum(e.amount), 0)`},
		{"an account has reserved what its open stays have", `
			SELECT a.name, 'reserved ' || a.reserved || ', its stays ' || coalesce(sum(p.reserved), 0)
			FROM account a LEFT JOIN participant p ON p.account_id = a.id AND p.left_at = 0
			GROUP BY a.id, a.name, a.reserved HAVING a.reserved <> coalesce(sum(p.reserved), 0)`},
		{"a stay has a record exactly when it has ended", `
			SELECT p.id, 'left at ' || p.left_at || ', record ' || coalesce(x.id, 'none')
			FROM participant p LEFT JOIN xdr x ON x.id = p.id WHERE (p.left_at = 0) <> (x.id IS NULL)`},
		{"a record is charged once, with its amount", `
			SELECT x.id, 'amount ' || x.amount || ', charged ' || coalesce(sum(e.amount), 0) || ' in ' || count(e.id)
			FROM xdr x LEFT JOIN ledger_entry e ON e.xdr_id = x.id AND e.kind = 'usage'
			GROUP BY x.id, x.amount HAVING coalesce(sum(e.amount), 0) <> -x.amount OR count(e.id) > 1`},
		{"a room has one open main conference", `
			SELECT room_id, 'open: ' || count(*) FROM conference
			WHERE kind = 'main' AND ended_at = 0 GROUP BY room_id HAVING count(*) > 1`},
		{"a room's epoch has one focus in a site", `
			SELECT room_id, kind || ' at ' || site || ', epoch ' || epoch || ': ' || min(node) || ' and ' || max(node)
			FROM conference GROUP BY room_id, kind, site, epoch HAVING count(DISTINCT node) > 1`},
		{"a room's epoch is opened once", `
			SELECT room_id, kind || ' at ' || site || '/' || node || ', epoch ' || epoch || ': opened ' || count(*) || ' times'
			FROM conference GROUP BY room_id, kind, site, node, epoch HAVING count(*) > 1`},
		{"a call has one stay at a time", `
			SELECT call_id, 'open stays: ' || count(*) FROM participant
			WHERE left_at = 0 GROUP BY call_id HAVING count(*) > 1`},
	}
}

// AtRest are the rules that hold besides when all calls and faults are over, and all
// nodes run (DESIGN, invariant 8).
func AtRest() []Rule {
	return []Rule{
		{"no stay is open", `SELECT id, 'at ' || ingress_node || ', joined at ' || joined_at FROM participant WHERE left_at = 0`},
		{"no money is reserved", `SELECT name, 'reserved ' || reserved FROM account WHERE reserved <> 0`},
		{"no conference is open", `SELECT id, kind || ' of room ' || room_id || ' at ' || node FROM conference WHERE ended_at = 0`},
		{"no call is open", `SELECT id, 'at ' || node || ' from ' || from_user FROM call WHERE ended_at = 0`},
	}
}

// CheckStore reads the database in one snapshot and returns what breaks the rules.
func CheckStore(ctx context.Context, db *sql.DB, rules []Rule) (broken []string, err error) {
	tx, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return nil, fmt.Errorf("check the database: %w", err)
	}
	defer tx.Rollback() // it has only read
	for _, r := range rules {
		found, err := r.find(ctx, tx)
		if err != nil {
			return nil, fmt.Errorf("check that %s: %w", r.Says, err)
		}
		if len(found) > 0 {
			broken = append(broken, fmt.Sprintf("%s: %s", r.Says, strings.Join(found, "; ")))
		}
	}
	return broken, nil
}

// mostNamed is how many things that break a rule are named.
const mostNamed = 10

func (r Rule) find(ctx context.Context, tx *sql.Tx) (found []string, err error) {
	rows, err := tx.QueryContext(ctx, r.query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() && len(found) < mostNamed {
		var name, what string
		if err := rows.Scan(&name, &what); err != nil {
			return nil, err
		}
		found = append(found, name+" ("+what+")")
	}
	return found, rows.Err()
}
