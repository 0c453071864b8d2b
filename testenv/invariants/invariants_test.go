package invariants

import (
	"context"
	"database/sql"
	"strings"
	"testing"

	"github.com/conclave-voice/conclave/testenv/postgres"
)

// open is a database with just those columns of the program's tables that are read.
func open(t *testing.T) *sql.DB {
	db, err := sql.Open("pgx", postgres.Start(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	do(t, db, `CREATE TABLE account (id text, name text, balance bigint, reserved bigint);
		CREATE TABLE ledger_entry (id text, account_id text, kind text, amount bigint, xdr_id text);
		CREATE TABLE participant (id text, call_id text, account_id text, ingress_node text, joined_at bigint, left_at bigint, reserved bigint);
		CREATE TABLE xdr (id text, amount bigint);
		CREATE TABLE conference (id text, room_id text, kind text, site text, node text, epoch bigint, ended_at bigint);
		CREATE TABLE call (id text, node text, from_user text, ended_at bigint);
		INSERT INTO account VALUES ('a', 'acme', 90, 0);
		INSERT INTO ledger_entry VALUES ('1', 'a', 'top-up', 100, ''), ('2', 'a', 'usage', -10, 'p');
		INSERT INTO participant VALUES ('p', 'c', 'a', 'm1', 1, 2, 0);
		INSERT INTO xdr VALUES ('p', 10);
		INSERT INTO conference VALUES ('k', 'r', 'main', 's', 'm1', 7, 2);
		INSERT INTO call VALUES ('c', 'm1', '100', 2)`)
	return db
}

func do(t *testing.T, db *sql.DB, statement string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// Each rule finds what breaks it, and names it; where nothing is wrong it finds nothing.
func TestRulesFindWhatIsWrong(t *testing.T) {
	db := open(t)
	all := append(Always(), AtRest()...)
	check := func() string {
		broken, err := CheckStore(context.Background(), db, all)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(broken, "\n")
	}
	if got := check(); got != "" {
		t.Fatalf("nothing is wrong, but: %s", got)
	}
	for _, wrong := range []struct{ does, undoes, want string }{
		{"UPDATE account SET balance = 91", "UPDATE account SET balance = 90", "ledger is its balance: acme (balance 91, ledger 90)"},
		{"UPDATE account SET reserved = 5", "UPDATE account SET reserved = 0", "reserved what its open stays have: acme (reserved 5, its stays 0)"},
		{"DELETE FROM xdr", "INSERT INTO xdr VALUES ('p', 10)", "record exactly when it has ended: p (left at 2, record none)"},
		{"UPDATE participant SET left_at = 0", "UPDATE participant SET left_at = 2", "no stay is open: p (at m1"},
		{"UPDATE participant SET left_at = 0", "UPDATE participant SET left_at = 2", "record exactly when it has ended: p (left at 0, record p)"},
		{"UPDATE xdr SET amount = 11", "UPDATE xdr SET amount = 10", "charged once, with its amount: p (amount 11, charged -10 in 1)"},
		{"INSERT INTO ledger_entry VALUES ('3', 'a', 'usage', 0, 'p')", "DELETE FROM ledger_entry WHERE id = '3'", "charged once, with its amount: p (amount 10, charged -10 in 2)"},
		{"INSERT INTO conference VALUES ('l', 'r', 'main', 's', 'm1', 8, 0), ('m', 'r', 'main', 's', 'm1', 9, 0)", "DELETE FROM conference WHERE ended_at = 0", "one open main conference: r (open: 2)"},
		{"INSERT INTO conference VALUES ('l', 'r', 'main', 's', 'm2', 7, 3)", "DELETE FROM conference WHERE id = 'l'", "epoch has one focus in a site: r (main at s, epoch 7: m1 and m2)"},
		{"INSERT INTO conference VALUES ('l', 'r', 'main', 's', 'm1', 7, 3)", "DELETE FROM conference WHERE id = 'l'", "epoch is opened once: r (main at s/m1, epoch 7: opened 2 times)"},
		{"INSERT INTO participant VALUES ('q', 'd', 'a', 'm1', 1, 0, 0), ('o', 'd', 'a', 'm1', 1, 0, 0)", "DELETE FROM participant WHERE call_id = 'd'", "one stay at a time: d (open stays: 2)"},
		{"UPDATE call SET ended_at = 0", "UPDATE call SET ended_at = 2", "no call is open: c (at m1 from 100)"},
	} {
		do(t, db, wrong.does)
		if got := check(); !strings.Contains(got, wrong.want) {
			t.Errorf("%s\n got: %s\nwant: %s", wrong.does, got, wrong.want)
		}
		do(t, db, wrong.undoes)
	}
	if got := check(); got != "" {
		t.Errorf("all was undone, but: %s", got)
	}
}

// What a node still holds, or does not tell, is named.
func TestIdleNode(t *testing.T) {
	text := "# HELP conclave_calls Calls in any phase.\n# TYPE conclave_calls gauge\nconclave_sip_dropped_total{reason=\"a b\"} 3\n"
	for _, i := range idle {
		text += i.name + " 0\n"
	}
	m, err := ReadMetrics([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if broken := CheckIdle(m); len(broken) > 0 {
		t.Errorf("an idle node: %v", broken)
	}
	m["conclave_dialogs"] = 2
	delete(m, "conclave_calls")
	if got := strings.Join(CheckIdle(m), "; "); got != "calls: not told; SIP dialogs: 2" {
		t.Error(got)
	}
	if _, err := ReadMetrics([]byte("conclave_calls many\n")); err == nil {
		t.Error("a figure that is none was read")
	}
}
