package api

import (
	"net/http"
	"strings"
	"testing"
)

// MS14: an operator sees the node, and takes it out of use; what is not there is not found.
func TestNodesAndSites(t *testing.T) {
	f := newFixture(t, false)
	for _, c := range []struct {
		method, path, body string
		status             int
		has                string
	}{
		{"GET", "/api/v1/nodes", "", http.StatusOK, `"node":"n1"`},
		{"PUT", "/api/v1/nodes/n1/draining", `{"draining":true}`, http.StatusNoContent, ""},
		{"GET", "/api/v1/nodes", "", http.StatusOK, `"draining":true`},
		{"PUT", "/api/v1/nodes/n2/draining", `{"draining":true}`, http.StatusNotFound, `node \"n2\"`},
		{"GET", "/api/v1/sites", "", http.StatusOK, `"own":true`},
		{"GET", "/api/v1/sites/here", "", http.StatusOK, `"ready":"ready"`},
		{"GET", "/api/v1/sites/there", "", http.StatusNotFound, `site \"there\"`},
		{"PUT", "/api/v1/sites/here/draining", `{"draining":true}`, http.StatusNoContent, ""},
		{"PUT", "/api/v1/sites/here/draining", `{"draining":true,"to":"there"}`, http.StatusUnprocessableEntity, "without a cluster"},
		{"GET", "/api/v1/sites", "", http.StatusOK, `"drain":{}`},
		{"POST", "/api/v1/cluster/rotate-keys", `{}`, http.StatusConflict, "in no cluster"},
		{"PUT", "/api/v1/sites/there/draining", `{"draining":true}`, http.StatusNotFound, `site \"there\"`},
		{"PUT", "/api/v1/sites/there/verdict", `{"mode":"down"}`, http.StatusNotFound, `site \"there\"`},
		{"PUT", "/api/v1/sites/there/verdict", `{"mode":"sideways"}`, http.StatusUnprocessableEntity, "mode"},
	} {
		if status, body := f.ask("operator", c.method, c.path, c.body); status != c.status || !strings.Contains(body, c.has) {
			t.Errorf("%s %s %s: %d %s", c.method, c.path, c.body, status, body)
		}
	}
}
