package api

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/api/v1"
	"github.com/conclave-voice/conclave/store"
)

// BL7: money is added once for an id, however often it is sent.
func TestLedger(t *testing.T) {
	f := newFixture(t, false)
	path := "/api/v1/accounts/account one"
	id := string(store.NewEntryID())
	body := fmt.Sprintf(`{"id":%q,"amount":"12.345678","currency":"USD","reason":"invoice"}`, id)
	for range 3 {
		e := put[v1.LedgerEntry](f, http.StatusCreated, http.MethodPost, strings.ReplaceAll(path, " ", "%20")+"/top-ups", body)
		if e.Balance.String() != "112.285678" || e.Author != "api:operator" { // 100 - 0.06 for the stay that was settled
			t.Errorf("%+v", e)
		}
	}
	path = "/api/v1/accounts/" + string(f.one.account.ID)
	put[v1.LedgerEntry](f, http.StatusCreated, http.MethodPost, path+"/adjustments", `{"amount":"-0.285678","reason":"rounding"}`)
	for _, bad := range []string{`{"amount":"1.00","currency":"EUR","reason":"x"}`, `{"amount":"1e3","reason":"x"}`, `{"amount":1,"reason":"x"}`,
		`{"amount":"0.0000001","reason":"x"}`, `{"amount":"1.00"}`, `{"amount":"9999999999999.00","reason":"x"}`} {
		if status, text := f.ask("operator", http.MethodPost, path+"/adjustments", bad); status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", bad, status, text)
		}
	}
	a := put[v1.Account](f, http.StatusOK, http.MethodPatch, path, `{"creditLimit":"5.00","blocked":true}`)
	if a.Balance.String() != "112.00" || a.Reserved.String() != "1.00" || a.Funds.String() != "116.00" || !a.Blocked {
		t.Errorf("%+v", a)
	}
	entries := put[v1.Page[v1.LedgerEntry]](f, http.StatusOK, http.MethodGet, path+"/entries", "")
	if len(entries.Items) != 4 {
		t.Errorf("%+v", entries.Items)
	}
}

// BL8: an export is whole, by account and time, and goes on where it broke off.
func TestExport(t *testing.T) {
	f := newFixture(t, false)
	const stays = maxPage + 20
	for range stays - 1 { // one is there already
		p := f.stay(&f.one, f.one.conference.Focus)
		_, err := f.store.SettleStay(t.Context(), f.record(p))
		f.must(err)
	}
	status, text := f.ask("customer", http.MethodGet, "/api/v1/xdrs/export", "")
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if status != http.StatusOK || err != nil || len(rows) != stays+1 {
		t.Fatalf("%d, %d rows, %v", status, len(rows), err)
	}
	seen := map[string]bool{}
	for _, row := range rows[1:] {
		if seen[row[0]] || row[5] != string(f.one.account.ID) {
			t.Errorf("%v", row)
		}
		seen[row[0]] = true
	}
	_, rest := f.ask("customer", http.MethodGet, "/api/v1/xdrs/export?after="+rows[stays-2][0], "")
	if more, err := csv.NewReader(strings.NewReader(rest)).ReadAll(); err != nil || len(more) != 2 || more[0][0] != rows[stays-1][0] {
		t.Errorf("the rest: %v, %v", more, err)
	}
	end := f.one.left.JoinedAt.Add(90 * time.Second)
	for query, want := range map[string]int{
		"":                                       stays + 1,
		"&account=account%20two":                 1,
		"&customer=" + string(f.one.customer.ID): stays,
		"&to=" + end.Format(time.RFC3339):        0,
		"&from=" + end.Format(time.RFC3339):      stays + 1,
	} {
		_, text := f.ask("operator", http.MethodGet, "/api/v1/xdrs/export?format=jsonl"+query, "")
		n := 0
		for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); n++ {
			var x v1.XDR
			if err := json.Unmarshal(lines.Bytes(), &x); err != nil || x.Amount.String() != "0.06" {
				t.Errorf("%s: %v", lines.Text(), err)
			}
		}
		if n != want {
			t.Errorf("%q: %d lines, want %d", query, n, want)
		}
	}
	for _, query := range []string{"?from=yesterday", "?from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z", "?format=xml", "?account=nobody"} {
		if status, text := f.ask("operator", http.MethodGet, "/api/v1/xdrs/export"+query, ""); status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", query, status, text)
		}
	}
}
