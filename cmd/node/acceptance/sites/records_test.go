package sites

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/conclave-voice/conclave/testenv/invariants"
	"github.com/conclave-voice/conclave/testenv/lab"
)

// conference is one that is open.
type conference struct {
	ID, Kind, Room string
	Focus          struct{ Site, Node string }
}

// open lists the open conferences by a node.
func (w *world) open(by string) (list []conference) {
	w.Helper()
	w.must(json.Unmarshal([]byte(w.do(by, "conferences", "list", "-o", "json")), &list))
	return list
}

// theOne waits until one conference is open, by a node.
func (w *world) theOne(by string) (c conference) {
	w.Helper()
	w.until("one conference is open", func() bool {
		list := w.open(by)
		if len(list) == 1 {
			c = list[0]
		}
		return len(list) == 1
	})
	return c
}

// kinds counts the open conferences by kind and site, as the database has them.
func (w *world) kinds() map[string]int {
	w.Helper()
	rows, err := w.db.QueryContext(w.ctx, `SELECT kind || ' at ' || site, count(*) FROM conference WHERE ended_at = 0 GROUP BY 1`)
	w.must(err)
	defer rows.Close()
	kinds := map[string]int{}
	for rows.Next() {
		var kind string
		var n int
		w.must(rows.Scan(&kind, &n))
		kinds[kind] = n
	}
	w.must(rows.Err())
	return kinds
}

// wantKinds waits until just these conferences are open, such as "main at alpha".
func (w *world) wantKinds(want ...string) {
	w.Helper()
	w.until(fmt.Sprintf("there is %v", want), func() bool {
		got := w.kinds()
		for _, k := range want {
			if got[k] != 1 {
				return false
			}
		}
		return len(got) == len(want)
	})
}

// count is a number from the database.
func (w *world) count(query string, args ...any) (n int) {
	w.Helper()
	w.must(w.db.QueryRowContext(w.ctx, query, args...).Scan(&n))
	return n
}

// records waits until the database has so many, and tells if there are more. Those of one
// account are told one after the other, over the WAN.
func (w *world) records(n int) {
	w.Helper()
	got := 0
	w.untilAtMost(patience+time.Duration(n)*time.Second, fmt.Sprintf("there are %d records", n), func() bool {
		got = w.count("SELECT count(DISTINCT call_id) FROM xdr")
		return got >= n
	})
	if got != n {
		w.Errorf("%d records, want %d", got, n)
	}
}

// metrics are a node's.
func (w *world) metrics(node string) invariants.Metrics {
	w.Helper()
	m, err := metricsOf(w.ctx, w.process(node))
	w.must(err)
	return m
}

func metricsOf(ctx context.Context, p *lab.Process) (invariants.Metrics, error) {
	text, err := p.Get(ctx, "/metrics")
	if err != nil {
		return nil, err
	}
	return invariants.ReadMetrics(text)
}

// leader is the node that leads a site's Raft group, as it says itself; empty: none does.
func (w *world) leader(site string) string {
	w.Helper()
	for _, n := range w.nodesOf(site) {
		if w.process(n).State() == "running" && w.metrics(n)["conclave_raft_leading"] == 1 {
			return n
		}
	}
	return ""
}

// always checks what holds at every moment.
func (w *world) always() {
	w.Helper()
	broken, err := invariants.CheckStore(w.ctx, w.db, invariants.Always())
	w.must(err)
	for _, b := range broken {
		w.Error(b)
	}
}

// restTime bounds what is left after the end: records wait for a database that a busy
// machine takes for away, and a seat whose caller's own node has died is kept for a while.
const restTime = 3 * time.Minute

// over is called when all calls have ended, the faults are over and all nodes run. In a
// while nothing must be left, every stay that was begun has one record, and the
// invariants hold.
func (w *world) over() {
	w.Helper()
	var left, last []string
	defer func() { w.Logf("what was left last: %s", strings.Join(last, "\n")) }()
	ended := time.Now()
	w.untilAtMost(restTime, "nothing is left", func() bool {
		var err error
		if len(left) > 0 {
			last = left
		}
		left, err = invariants.CheckStore(w.ctx, w.db, append(invariants.Always(), invariants.AtRest()...))
		w.must(err)
		for _, n := range w.Nodes() {
			for _, b := range invariants.CheckIdle(w.metrics(n.Name)) {
				left = append(left, n.Name+" has "+b)
			}
		}
		return len(left) == 0
	})
	w.took("all has ended: nothing is left, and all records are there", time.Since(ended))
	if got := w.count("SELECT count(DISTINCT call_id) FROM xdr"); got != w.stays {
		w.Errorf("records of %d calls, want %d", got, w.stays)
	}
}
