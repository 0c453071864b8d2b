package acceptance

import (
	"database/sql"
	"os/exec"
	"regexp"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // to read the records from outside

	"github.com/conclave-voice/conclave/testenv/baresip"
	"github.com/conclave-voice/conclave/testenv/node"
	"github.com/conclave-voice/conclave/testenv/postgres"
)

// OP1, BL2, CA1-CA7: an operator sets a system up from nothing on PostgreSQL with the
// program's commands; callers talk; the rows are in the database.
func TestFromNothingOnPostgreSQL(t *testing.T) {
	t.Parallel()
	ctx := within(t, 150*time.Second)
	dsn := postgres.Start(t)
	out, err := exec.CommandContext(ctx, node.Program(t), "init", "--store", dsn).Output()
	must(t, err)
	n := node.Start(t, node.Options{Command: []string{"run"}, Flags: []string{"--store", dsn, "--site", "munich", "--node", "m1"},
		Token: regexp.MustCompile(`cv_\w+`).FindString(string(out))})
	must(t, n.WaitReady(ctx))
	furnish(t, ctx, n)
	a, b := phone(t, 0, baresip.Options{}), phone(t, 1, baresip.Options{})
	for _, p := range []*baresip.Phone{a, b} {
		must(t, p.Call(ctx, operatorNumber, n.SIP()))
		must(t, p.SendDigits(ctx, operatorCode+"#"))
	}
	joined(t, ctx, n, 2)
	hearsExactly(t, ctx, a, 2, 1)
	hearsExactly(t, ctx, b, 2, 0)
	must(t, a.Hangup(ctx))
	must(t, b.Hangup(ctx))
	joined(t, ctx, n, 0)
	must(t, n.Stop(ctx))

	db, err := sql.Open("pgx", dsn)
	must(t, err)
	defer db.Close()
	var records, amount, balance int64
	var site string
	must(t, db.QueryRowContext(ctx, "SELECT count(*), sum(amount), min(focus_site) FROM xdr").Scan(&records, &amount, &site))
	must(t, db.QueryRowContext(ctx, "SELECT balance FROM account").Scan(&balance))
	if records != 2 || amount != 2*50_000 || balance != 10_000_000-amount || site != "munich" {
		t.Errorf("%d records of %d, balance %d, at %q", records, amount, balance, site)
	}
}
