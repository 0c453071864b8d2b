package acceptance

import (
	"database/sql"
	"os/exec"
	"regexp"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/testenv/baresip"
	"github.com/conclave-voice/conclave/testenv/node"
	"github.com/conclave-voice/conclave/testenv/postgres"
)

// MS7, BL6, BL7: the database is cut off, callers join and leave, and the node is killed and
// started again before the database is back. Nothing is lost, nothing is doubled.
func TestKill9WithoutTheStore(t *testing.T) {
	ctx := within(t, 180*time.Second)
	dsn := postgres.Start(t)
	proxy := postgres.NewProxy(t, dsn)
	db, err := sql.Open("pgx", dsn)
	must(t, err)
	defer db.Close()
	figure := func(query string) (v int64) {
		t.Helper()
		must(t, db.QueryRowContext(ctx, query).Scan(&v))
		return v
	}
	out, err := exec.CommandContext(ctx, node.Program(t), "init", "--store", dsn).Output()
	must(t, err)
	n := node.Start(t, node.Options{Command: []string{"run"}, Flags: []string{"--store", proxy.DSN(), "--node", "m1", "--heartbeat", "500ms"},
		Token: regexp.MustCompile(`cv_\w+`).FindString(string(out))})
	must(t, n.WaitReady(ctx))
	furnish(t, ctx, n)
	enter := func(i int) *baresip.Phone {
		t.Helper()
		p := phone(t, i, baresip.Options{})
		must(t, p.Call(ctx, operatorNumber, n.SIP()))
		must(t, p.SendDigits(ctx, operatorCode+"#"))
		return p
	}
	before := enter(0)
	joined(t, ctx, n, 1)
	must(t, n.AwaitMetric(ctx, "conclave_copy_age_seconds", nil, func(v float64) bool { return v < 2 }))
	proxy.Cut()
	must(t, n.AwaitMetric(ctx, "conclave_store_away", nil, func(v float64) bool { return v == 1 }))
	enter(1)
	joined(t, ctx, n, 2)
	hearsExactly(t, ctx, before, 2, 1)
	must(t, before.Hangup(ctx))
	joined(t, ctx, n, 1)
	n.Kill9()
	must(t, n.Restart(ctx)) // ready, though the database is away
	after := enter(2)
	joined(t, ctx, n, 1)
	proxy.Heal()
	must(t, n.AwaitMetric(ctx, "conclave_store_away", nil, func(v float64) bool { return v == 0 }))
	for figure("SELECT count(*) FROM xdr") < 2 { // what the run that was killed knew, and what it left open
	}
	must(t, after.Hangup(ctx))
	joined(t, ctx, n, 0)
	must(t, n.Stop(ctx))
	for query, want := range map[string]int64{
		"SELECT count(*) FROM participant":                                     3,
		"SELECT count(*) FROM participant WHERE left_at = 0":                   0,
		"SELECT count(*) FROM xdr":                                             3,
		"SELECT count(*) FROM xdr WHERE cause = 'node-failure'":                1,
		"SELECT count(*) FROM xdr WHERE cause = 'hangup'":                      2,
		"SELECT count(*) FROM ledger_entry WHERE kind = 'usage'":               3,
		"SELECT count(*) FROM conference WHERE ended_at = 0":                   0,
		"SELECT count(*) FROM call WHERE ended_at = 0":                         0,
		"SELECT reserved FROM account":                                         0,
		"SELECT balance - (SELECT sum(amount) FROM ledger_entry) FROM account": 0,
		"SELECT balance + (SELECT sum(amount) FROM xdr) FROM account":          10_000_000,
	} {
		if got := figure(query); got != want {
			t.Errorf("%s: %d, want %d", query, got, want)
		}
	}
}
