package api

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"
	"github.com/hashicorp/go-hclog"
	"github.com/jonboulle/clockwork"

	"github.com/conclave-voice/conclave/api/v1"
	"github.com/conclave-voice/conclave/store"
)

// Config is what the API needs.
type Config struct {
	Store  Store
	Ledger Ledger
	Focus  Focus
	// Media tells how the media of participants is; nil: nobody does.
	Media Media
	// Cluster is NewAlone for a node without one.
	Cluster Cluster
	Journal Journal
	// Codecs are those of this node, as Codecs gives them.
	Codecs []v1.Codec
	Files  Files
	// Place is this node. Its site is the home of new rooms that name none.
	Place store.Place
	Realm string // of SIP users that name none
	// Open lets requests from this machine in without a token, as the operator.
	Open   bool
	Clock  clockwork.Clock
	Logger hclog.Logger
}

// server is what all handlers share.
type server struct {
	Config
	huma   huma.API
	logger hclog.Logger
}

// New makes the handler of everything under /api/.
func New(c Config) http.Handler {
	router := chi.NewRouter()
	router.NotFound(func(w http.ResponseWriter, r *http.Request) {
		writeProblem(w, problem(http.StatusNotFound, "no such path %s; %s/openapi.json tells what there is", r.URL.Path, prefix))
	})
	router.MethodNotAllowed(func(w http.ResponseWriter, r *http.Request) {
		writeProblem(w, problem(http.StatusMethodNotAllowed, "%s does not take %s; %s/openapi.json tells what it takes", r.URL.Path, r.Method, prefix))
	})
	s := &server{Config: c, logger: c.Logger}
	s.huma = humachi.New(router, document())
	s.huma.UseMiddleware(s.audit, s.admit)
	for _, resource := range []func(){
		s.customers, s.accounts, s.tariffs, s.numbers, s.rules, s.users, s.tokens,
		s.rooms, s.conferences, s.participants, s.recordings, s.calls, s.xdrs, s.cluster, s.journal, s.codecs,
	} {
		resource()
	}
	return router
}

// document is the head of the OpenAPI document.
func document() huma.Config {
	c := huma.DefaultConfig("Conclave", "1")
	c.OpenAPIPath = prefix + "/openapi"
	c.DocsPath, c.SchemasPath = "", "" // a page of documentation would load scripts from elsewhere
	c.CreateHooks = nil                // no $schema in answers
	c.Info.Description = "Rooms, conferences, accounts and usage records of a Conclave cluster. " +
		"Ids are UUIDs, times RFC 3339 in UTC, money decimal strings. Errors are problem details (RFC 9457)."
	c.Info.License = &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"}
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"bearer": {Type: "http", Scheme: "bearer", Description: "An API token: node tokens add"},
	}
	return c
}
