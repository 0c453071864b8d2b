package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/conclave-voice/conclave/store"
)

// access is the least that a caller must be to use an operation.
type access string

const (
	seer     access = "seer"     // any token: what its scope shows
	manager  access = "manager"  // changes what belongs to a customer
	operator access = "operator" // the operator alone
)

// allows says whether a role may use an operation.
func (a access) allows(r store.TokenRole) bool {
	switch r {
	case store.TokenOperator:
		return true
	case store.TokenCustomer:
		return a == seer || a == manager
	case store.TokenReadOnly:
		return a == seer
	}
	return false
}

// needs tells the reader of the OpenAPI document.
func (a access) needs() string {
	switch a {
	case operator:
		return "Needs an operator's token."
	case manager:
		return "Needs an operator's or customer's token."
	}
	return "Any token; shows what its scope does."
}

const (
	maxBody     = 64 << 10 // bytes of a request's body; the largest, a room, has a few hundred
	bodyTime    = 10 * time.Second
	requestTime = 30 * time.Second // of everything but exports
)

// The keys of an operation's metadata that the middlewares read.
const (
	metaAccess    = "access"
	metaStreaming = "streaming"
)

// endpoint is an operation as the files of the resources write it.
type endpoint struct {
	method, path string // below /api/v1
	id           string // operationId
	tag          string
	summary      string
	doc          string
	access       access
	status       int   // of success; 0: 200, or 204 without a body
	errors       []int // besides those that every operation has
	streaming    bool  // no limit of time
}

// prefix is where version 1 lives.
const prefix = "/api/v1"

// register adds an operation. It is the only way in, so that none is without access
// control, limits, documentation of its errors, and one treatment of what it returns.
func register[I, O any](s *server, e endpoint, handle func(context.Context, *I) (*O, error)) {
	op := huma.Operation{
		Method: e.method, Path: prefix + e.path, OperationID: e.id, Tags: []string{e.tag}, Summary: e.summary,
		Description: join(e.doc, e.access.needs()), DefaultStatus: e.status,
		Errors:       slices.Compact(slices.Sorted(slices.Values(append(commonErrors(e), e.errors...)))),
		Security:     []map[string][]string{{"bearer": {}}},
		MaxBodyBytes: maxBody, BodyReadTimeout: bodyTime, RejectUnknownQueryParameters: true,
		Metadata: map[string]any{metaAccess: e.access, metaStreaming: e.streaming},
	}
	huma.Register(s.huma, op, func(ctx context.Context, in *I) (*O, error) {
		if !e.streaming {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, requestTime)
			defer cancel()
		}
		out, err := handle(ctx, in)
		if err == nil {
			return out, nil
		}
		p, internal := asProblem(err)
		if internal && ctx.Err() == nil || p.GetStatus() == http.StatusGatewayTimeout {
			s.logger.Error("request failed", "operation", e.id, "who", callerOf(ctx).name, "error", err)
		}
		return nil, p
	})
}

// commonErrors are those that follow from what an operation is.
func commonErrors(e endpoint) []int {
	list := []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusUnprocessableEntity,
		http.StatusInternalServerError, http.StatusServiceUnavailable, http.StatusGatewayTimeout}
	switch e.method {
	case http.MethodPost, http.MethodPut, http.MethodPatch:
		list = append(list, http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	return list
}

func join(doc, needs string) string {
	if doc == "" {
		return needs
	}
	return doc + " " + needs
}

// reply is an answer with a body.
type reply[T any] struct{ Body T }

// empty is an answer without one.
type empty struct{}

// none is a request without parameters.
type none struct{}

// now is the time as it is kept.
func (s *server) now() time.Time { return s.Clock.Now().UTC() }
