package api

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/api/v1"
	"github.com/conclave-voice/conclave/store"
)

// MS7: an operator sees what the database has refused, and why, has one record delivered
// again, and gives one up with a reason; the log says who did.
func TestDeadLettersAreSettled(t *testing.T) {
	f := newFixture(t, false)
	for _, node := range []string{"lost", "found"} { // runs that the store does not know
		f.must(f.journal.Heartbeat(t.Context(), node, 1, f.clock.Now()))
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- f.journal.Run(ctx) }()
	f.must(f.journal.Drained(t.Context()))
	show := func() (j v1.Journal) {
		t.Helper()
		status, body := f.ask("operator", "GET", "/api/v1/journal", "")
		if err := json.Unmarshal([]byte(body), &j); status != http.StatusOK || err != nil {
			t.Fatalf("%d %s %v", status, body, err)
		}
		slices.SortFunc(j.DeadLetters, func(a, b v1.DeadLetter) int { return strings.Compare(b.Key, a.Key) })
		return j
	}
	j := show()
	if j.Node != "n1" || j.Dead != 2 || len(j.DeadLetters) != 2 || !strings.Contains(j.DeadLetters[0].Reason, "not found") || !strings.Contains(string(j.DeadLetters[0].Record), "lost") {
		t.Fatalf("%+v", j)
	}
	f.must(f.store.StartRun(t.Context(), store.NodeRun{Place: store.Place{Site: "here", Node: "found"}, Incarnation: 1, StartedAt: f.clock.Now().Add(-time.Hour)}))
	for _, c := range []struct {
		path, body string
		status     int
		has        string
	}{
		{"/journal/requeue", `{"ids":["no such"]}`, http.StatusNotFound, "no such"},
		{"/journal/requeue", `{"ids":["` + j.DeadLetters[1].ID + `"]}`, http.StatusOK, `"count":1`},
		{"/journal/discard", `{"ids":["` + j.DeadLetters[0].ID + `"]}`, http.StatusUnprocessableEntity, "why"},
		{"/journal/discard", `{"ids":[],"why":"all"}`, http.StatusUnprocessableEntity, "ids"},
		{"/journal/discard", `{"ids":["` + j.DeadLetters[0].ID + `"],"why":"a test"}`, http.StatusOK, `"count":1`},
	} {
		if status, body := f.ask("operator", "POST", "/api/v1"+c.path, c.body); status != c.status || !strings.Contains(body, c.has) {
			t.Errorf("%s %s: %d %s", c.path, c.body, status, body)
		}
	}
	f.must(f.journal.Drained(t.Context()))
	stop()
	f.must(<-done)
	if j := show(); j.Dead != 0 || j.Records != 0 {
		t.Errorf("%+v", j)
	}
	for _, want := range []string{"operation=requeue-records", "operation=discard-records path=/api/v1/journal/discard who=operator"} {
		if !strings.Contains(f.log.String(), want) {
			t.Errorf("the log has no %q", want)
		}
	}
}
