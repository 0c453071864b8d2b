package api

import (
	"context"
	"net/http"
	"time"

	"github.com/conclave-voice/conclave/api/v1"
	"github.com/conclave-voice/conclave/store"
)

func (s *server) calls() {
	register(s, endpoint{method: http.MethodGet, path: "/calls", id: "list-calls", tag: "Calls",
		summary: "List calls", doc: "A customer sees the calls that joined its rooms.", access: seer}, s.listCalls)
	register(s, endpoint{method: http.MethodGet, path: "/calls/{call}", id: "get-call", tag: "Calls",
		summary: "Show a call, step by step", access: seer, errors: []int{http.StatusNotFound}}, s.getCall)
}

// Window is a span of time of a list.
type Window struct {
	From time.Time `query:"from" doc:"From this instant on" example:"2026-03-01T00:00:00Z"`
	To   time.Time `query:"to" doc:"Until before this instant" example:"2026-04-01T00:00:00Z"`
}

// check refuses a span that ends before it begins.
func (w Window) check() error {
	if !w.From.IsZero() && !w.To.IsZero() && !w.From.Before(w.To) {
		return problem(http.StatusUnprocessableEntity, "from %s is not before to %s", w.From.Format(time.RFC3339), w.To.Format(time.RFC3339))
	}
	return nil
}

func callView(c store.Call) v1.Call {
	return v1.Call{ID: string(c.ID), SIPCallID: c.SIPCallID, CustomerID: string(c.CustomerID), Direction: c.Direction, From: c.From, To: c.To,
		Source: c.Source, Transport: c.Transport, Node: placeView(c.Node), StartedAt: c.StartedAt, AnsweredAt: c.AnsweredAt,
		EndedAt: c.EndedAt, SIPStatus: c.SIPStatus, Cause: string(c.Cause)}
}

func (s *server) listCalls(ctx context.Context, in *struct {
	Window
	Tenant
	Paging
}) (*reply[v1.Page[v1.Call]], error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	scope, err := in.scope(callerOf(ctx))
	if err != nil {
		return nil, err
	}
	rows, err := s.Store.ListCalls(ctx, scope, in.From, in.To, in.page())
	if err != nil {
		return nil, err
	}
	return pageOf(in.page(), rows, func(c store.Call) string { return string(c.ID) }, callView), nil
}

func (s *server) getCall(ctx context.Context, in *struct {
	Call string `path:"call" maxLength:"64" doc:"Id"`
}) (*reply[v1.CallTrace], error) {
	c, steps, err := s.Store.Call(ctx, callerOf(ctx).scope, store.CallID(in.Call))
	if err != nil {
		return nil, err
	}
	trace := v1.CallTrace{Call: callView(c), Steps: make([]v1.CallStep, len(steps))}
	for i, step := range steps {
		trace.Steps[i] = v1.CallStep{Seq: step.Seq, At: step.At, Step: step.Step, Outcome: step.Outcome, Detail: step.Detail}
	}
	return &reply[v1.CallTrace]{trace}, nil
}
