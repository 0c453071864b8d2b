package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/store"
)

// operation is what the OpenAPI document says of one.
type operation struct {
	OperationID string           `json:"operationId"`
	Security    []map[string]any `json:"security"`
	Responses   map[string]any   `json:"responses"`
}

// operations reads the served OpenAPI document, by method and path, so that no test
// leaves out an operation that is added later.
func (f *fixture) operations() map[string]operation {
	f.Helper()
	status, body := f.ask("", http.MethodGet, "/api/v1/openapi.json", "")
	var document struct {
		OpenAPI string                          `json:"openapi"`
		Paths   map[string]map[string]operation `json:"paths"`
	}
	f.must(json.Unmarshal([]byte(body), &document))
	if status != http.StatusOK || !strings.HasPrefix(document.OpenAPI, "3.1") {
		f.Errorf("%d, and it is OpenAPI %s", status, document.OpenAPI)
	}
	all := map[string]operation{}
	for path, methods := range document.Paths {
		for method, op := range methods {
			all[strings.ToUpper(method)+" "+path] = op
		}
	}
	return all
}

// bodies are requests that would be carried out.
func bodies(d tenantData) map[string]string {
	return map[string]string{
		"add-customer":        `{"name":"three"}`,
		"add-account":         fmt.Sprintf(`{"customerId":%q,"name":"another","tariffId":"conferencing"}`, d.customer.ID),
		"limit-account":       `{"maxParticipants":5}`,
		"top-up":              `{"amount":"1.00"}`,
		"adjust":              `{"amount":"-1.00","reason":"test"}`,
		"add-tariff":          `{"name":"cheap","currency":"USD"}`,
		"put-rate":            `{"perMinute":"0.01","firstSeconds":1,"nextSeconds":1}`,
		"add-number":          `{"number":"18009"}`,
		"add-call-rule":       `{"position":5,"action":"trust","source":"192.0.2.0/24"}`,
		"put-sip-user":        fmt.Sprintf(`{"account":%q,"password":"long enough"}`, d.account.ID),
		"add-token":           `{"name":"new","role":"operator"}`,
		"add-room":            fmt.Sprintf(`{"account":%q,"name":"new","codeSpace":%q}`, d.account.ID, d.number.CodeSpace),
		"edit-room":           `{"name":"renamed"}`,
		"control-conference":  `{"locked":true}`,
		"start-recording":     `{"format":"ogg"}`,
		"control-participant": `{"muted":true}`,
		"drain-node":          `{"draining":true}`,
		"force-site":          `{"mode":"down"}`,
	}
}

// fillIn puts ids into a path.
func fillIn(path string, d tenantData) string {
	return strings.NewReplacer("{account}", string(d.account.ID), "{room}", string(d.room.ID), "{conference}", string(d.conference.ID),
		"{participant}", string(d.participant.ID), "{recording}", string(d.recording.ID), "{segment}", string(d.segment.ID), "{call}", string(d.call.ID), "{xdr}", string(d.left.ID), "{tariff}", "conferencing",
		"{username}", "bob", "{rule}", "nothing", "{token}", "nothing", "{node}", "n1", "{site}", "there").Replace(path)
}

// CF1: whatever an operation is, what belongs to another customer is not found by it.
func TestWhatIsAnothersIsNotFound(t *testing.T) {
	f := newFixture(t, false)
	ofTenants := 0
	for name, op := range f.operations() {
		method, path, _ := strings.Cut(name, " ")
		if !strings.Contains(path, "{") || slices.Contains([]string{"{tariff}", "{username}", "{rule}", "{token}", "{node}", "{site}"}, path[strings.Index(path, "{"):strings.Index(path, "}")+1]) {
			continue
		}
		status, body := f.ask("other", method, fillIn(path, f.one), bodies(f.one)[op.OperationID])
		if op.OperationID == "limit-account" || op.OperationID == "top-up" || op.OperationID == "adjust" {
			if status != http.StatusForbidden {
				t.Errorf("%s: %d %s", name, status, body)
			}
			continue
		}
		ofTenants++
		if status != http.StatusNotFound {
			t.Errorf("%s gives another customer %d: %s", name, status, body)
		}
	}
	if ofTenants < 12 {
		t.Errorf("only %d operations on a customer's things were found", ofTenants)
	}
	if len(f.focus.commands) > 0 {
		t.Errorf("the focus was told %q", f.focus.commands)
	}
}

// CF1: no list shows what is another's, whatever it is asked for.
func TestListsShowNothingOfAnother(t *testing.T) {
	f := newFixture(t, false)
	secrets := []string{string(f.one.customer.ID), string(f.one.account.ID), string(f.one.room.ID), f.one.room.GuestCode, "18001", "call of one", string(f.one.conference.ID), string(f.one.recording.ID)}
	for name := range f.operations() {
		path, get := strings.CutPrefix(name, "GET ")
		if !get || strings.Contains(path, "{") {
			continue
		}
		for _, query := range []string{"", "?customer=" + string(f.one.customer.ID), "?account=" + string(f.one.account.ID), "?room=" + string(f.one.room.ID)} {
			_, body := f.ask("other", http.MethodGet, path+query, "")
			for _, secret := range secrets {
				if strings.Contains(body, secret) && !strings.Contains(query, secret) {
					t.Errorf("%s%s tells %s: %s", path, query, secret, body)
				}
			}
		}
	}
	status, body := f.ask("other", http.MethodPost, "/api/v1/rooms", bodies(f.one)["add-room"])
	if status != http.StatusUnprocessableEntity {
		t.Errorf("a room of another's account: %d %s", status, body)
	}
	status, body = f.ask("other", http.MethodPost, "/api/v1/rooms", fmt.Sprintf(`{"account":%q,"name":"x","codeSpace":"space one"}`, f.two.account.ID))
	if status != http.StatusUnprocessableEntity {
		t.Errorf("a room in another's code space: %d %s", status, body)
	}
}

// Each role may do what its operations say, and nothing else.
func TestRoles(t *testing.T) {
	f := newFixture(t, false)
	may := map[string]int{}
	for name, op := range f.operations() {
		method, path, _ := strings.Cut(name, " ")
		if len(op.Security) == 0 || op.Responses["401"] == nil && op.Responses["default"] == nil {
			t.Errorf("%s does not say that it needs a token", name)
		}
		if status, body := f.ask("", method, fillIn(path, f.one), bodies(f.one)[op.OperationID]); status != http.StatusUnauthorized {
			t.Errorf("%s without a token: %d %s", name, status, body)
		}
		for _, token := range []string{"reader", "customer", "operator"} {
			status, body := f.ask(token, method, fillIn(path, f.one), bodies(f.one)[op.OperationID])
			switch {
			case status == http.StatusForbidden:
				may[token]--
				continue
			case status >= 500 || status == http.StatusUnauthorized || status == http.StatusUnprocessableEntity:
				t.Errorf("%s by %s: %d %s", name, token, status, body)
			case token == "reader" && method != http.MethodGet:
				t.Errorf("%s is open to who may only read: %d", name, status)
			}
			may[token]++
		}
	}
	if may["operator"] != len(f.operations()) {
		t.Errorf("an operator may do %d of %d", may["operator"], len(f.operations()))
	}
	if may["reader"] >= may["customer"] || may["customer"] >= may["operator"] {
		t.Errorf("the roles do not differ: %v", may)
	}
}

func TestTokens(t *testing.T) {
	f := newFixture(t, false)
	f.token("short", store.TokenOperator, "", f.clock.Now().Add(time.Hour))
	if status, body := f.ask("short", http.MethodGet, "/api/v1/rooms", ""); status != http.StatusOK {
		t.Errorf("before its end: %d %s", status, body)
	}
	f.clock.Advance(time.Hour)
	f.tokens["unknown"], f.tokens["silly"], f.tokens["hash"] = newSecret(), "' OR 1=1", HashToken(f.tokens["operator"])
	for _, token := range []string{"short", "unknown", "silly", "hash"} {
		if status, body := f.ask(token, http.MethodGet, "/api/v1/rooms", ""); status != http.StatusUnauthorized || strings.Contains(body, f.tokens[token]) {
			t.Errorf("%s: %d %s", token, status, body)
		}
	}
	status, body := f.ask("operator", http.MethodPost, "/api/v1/tokens", fmt.Sprintf(`{"name":"new","role":"customer","customerId":%q}`, f.two.customer.ID))
	var made struct{ ID, Secret string }
	f.must(json.Unmarshal([]byte(body), &made))
	f.tokens["new"] = made.Secret
	if got, body := f.ask("new", http.MethodGet, "/api/v1/rooms/"+string(f.two.room.ID), ""); status != http.StatusCreated || got != http.StatusOK {
		t.Errorf("the new token: %d, then %d %s", status, got, body)
	}
	if _, body := f.ask("operator", http.MethodGet, "/api/v1/tokens", ""); strings.Contains(body, made.Secret) || strings.Contains(body, HashToken(made.Secret)) {
		t.Error("the list tells a secret")
	}
	f.ask("operator", http.MethodDelete, "/api/v1/tokens/"+made.ID, "")
	if status, _ := f.ask("new", http.MethodGet, "/api/v1/rooms", ""); status != http.StatusUnauthorized {
		t.Errorf("a removed token: %d", status)
	}
	if log := f.logged(); strings.Contains(log, made.Secret) || strings.Contains(log, f.tokens["operator"]) {
		t.Error("a secret is in the log")
	}
}

// An open API is open to programs on this machine, and not to web pages that a browser
// here shows.
func TestOpenOnLoopbackOnly(t *testing.T) {
	f := newFixture(t, true)
	for name, c := range map[string]struct {
		remote, host, origin string
		want                 int
	}{
		"a program here":       {"127.0.0.1:4711", "127.0.0.1:8080", "", http.StatusOK},
		"by name":              {"[::1]:4711", "localhost:8080", "", http.StatusOK},
		"mapped":               {"[::ffff:127.0.0.1]:4711", "[::1]:8080", "", http.StatusOK},
		"our own page":         {"127.0.0.1:4711", "127.0.0.1:8080", "http://127.0.0.1:8080", http.StatusOK},
		"another machine":      {"192.0.2.1:4711", "127.0.0.1:8080", "", http.StatusUnauthorized},
		"DNS rebinding":        {"127.0.0.1:4711", "evil.example:8080", "", http.StatusUnauthorized},
		"a name like ours":     {"127.0.0.1:4711", "localhost.evil.example", "", http.StatusUnauthorized},
		"a page of elsewhere":  {"127.0.0.1:4711", "127.0.0.1:8080", "https://evil.example", http.StatusUnauthorized},
		"a page without a URL": {"127.0.0.1:4711", "127.0.0.1:8080", "null", http.StatusUnauthorized},
	} {
		req := httptest.NewRequest(http.MethodGet, "/api/v1/rooms", nil)
		req.RemoteAddr, req.Host = c.remote, c.host
		if c.origin != "" {
			req.Header.Set("Origin", c.origin)
		}
		res := httptest.NewRecorder()
		f.handler.ServeHTTP(res, req)
		if res.Code != c.want {
			t.Errorf("%s: %d %s", name, res.Code, res.Body)
		}
	}
	if status, _ := f.ask("other", http.MethodGet, "/api/v1/rooms/"+string(f.one.room.ID), ""); status != http.StatusNotFound {
		t.Errorf("a token does not count on an open API: %d", status)
	}
}

// SE5: every change leaves a line that says who did what, and holds no secret.
func TestAudit(t *testing.T) {
	f := newFixture(t, false)
	f.ask("customer", http.MethodPatch, "/api/v1/rooms/"+string(f.one.room.ID), `{"guestCode":"13572468"}`)
	f.ask("reader", http.MethodDelete, "/api/v1/rooms/"+string(f.one.room.ID), "")
	f.ask("operator", http.MethodPut, "/api/v1/sip-users/bob", fmt.Sprintf(`{"account":%q,"password":"open sesame"}`, f.one.account.ID))
	log := f.logged()
	for _, want := range []string{"audit: operation=edit-room path=/api/v1/rooms/" + string(f.one.room.ID) + " who=customer",
		"audit: operation=remove-room", "who=reader", "status=403", "operation=put-sip-user"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log does not say %q:\n%s", want, log)
		}
	}
	for _, secret := range []string{"13572468", "open sesame"} {
		if strings.Contains(log, secret) {
			t.Errorf("the log tells %q", secret)
		}
	}
}
