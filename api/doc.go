// Package api is the REST interface: customers, accounts and their ledgers, tariffs,
// access numbers, call rules, SIP users, rooms, conferences and who is in them, calls,
// usage records, API tokens; and beside it health and metrics.
//
// Everything lives under /api/v1 and is described by /api/v1/openapi.json (OpenAPI
// 3.1), which is made from the same Go types that requests are checked against
// (package v1). Package client is the other end.
//
// # Who may do what
//
// Each operation is registered with the least role that it needs (operation.go). One
// middleware (access.go) finds out who asks and refuses; no handler decides that. A
// handler gets the caller's [store.Scope] from its context and passes it to every call
// of the store, so that what belongs to another customer is not found (SPEC CF1).
//
// # Errors
//
// Every error is application/problem+json (RFC 9457). Its detail says what, why and the
// fix; problem.go says which error of the store becomes which status. Errors that no
// one foresaw are logged and told as "internal error" only.
//
// # What is logged
//
// Every request that may change something leaves one line at info, "audit": who, what,
// which, and the outcome. Other requests leave a line at debug. Secrets, passwords and
// access codes are in neither; request bodies are never logged.
package api
