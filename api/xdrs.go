package api

import (
	"context"
	"net/http"
	"time"

	"github.com/conclave-voice/conclave/api/v1"
	"github.com/conclave-voice/conclave/store"
)

func (s *server) xdrs() {
	register(s, endpoint{method: http.MethodGet, path: "/xdrs", id: "list-xdrs", tag: "Usage records",
		summary: "List usage records", access: seer}, s.listXDRs)
	register(s, endpoint{method: http.MethodGet, path: "/xdrs/export", id: "export-xdrs", tag: "Usage records", streaming: true,
		summary: "Export usage records as CSV or JSON lines",
		doc: "One record in each line, by id. If an export breaks off, ask again with after= the id of the last whole line. " +
			"Choose from and to so that the window is past: then it is complete.",
		access: seer}, s.exportXDRs)
	register(s, endpoint{method: http.MethodGet, path: "/xdrs/{xdr}", id: "get-xdr", tag: "Usage records",
		summary: "Show a usage record", access: seer, errors: []int{http.StatusNotFound}}, s.getXDR)
}

// Usage selects usage records.
type Usage struct {
	Window
	Tenant
	Account string `query:"account" maxLength:"255" doc:"Only this account's: id or name"`
	Room    string `query:"room" maxLength:"64" doc:"Only this room's: its id"`
}

// filter is what the query asks for, within what the caller may see.
func (s *server) filter(ctx context.Context, in Usage) (store.Scope, store.XDRFilter, error) {
	f := store.XDRFilter{RoomID: store.RoomID(in.Room), From: in.From, To: in.To}
	if err := in.check(); err != nil {
		return store.Scope{}, f, err
	}
	scope, err := in.scope(callerOf(ctx))
	if err != nil || in.Account == "" {
		return scope, f, err
	}
	a, err := s.accountIn(ctx, in.Account)
	f.AccountID = a.ID
	return scope, f, err
}

func xdrView(x store.XDR) v1.XDR {
	return v1.XDR{ID: string(x.ID), ConferenceID: string(x.ConferenceID), RoomID: string(x.RoomID), RoomName: x.RoomName,
		CustomerID: string(x.CustomerID), AccountID: string(x.AccountID), CallID: string(x.CallID), Service: string(x.Service),
		Caller: x.Caller, Called: x.Called, Ingress: placeView(x.Ingress), Focus: placeView(x.Focus), Epoch: x.Epoch,
		StartedAt: x.StartedAt, EndedAt: x.EndedAt, DurationSeconds: int64(x.Duration / time.Second), BilledSeconds: int64(x.Billed / time.Second),
		Rate: rateView(x.Currency)(x.Rate), Amount: x.Amount, Currency: x.Currency, Cause: string(x.Cause), Quality: x.Quality, Inbound: scoreView(x.Inbound), Outbound: scoreView(x.Outbound), RecordedAt: x.RecordedAt}
}

func scoreView(s store.Score) v1.Score {
	return v1.Score{MOS: float64(s.MOS) / 100, WorstMOS: float64(s.WorstMOS) / 100, Loss: float64(s.Loss) / 10_000}
}

func (s *server) listXDRs(ctx context.Context, in *struct {
	Usage
	Paging
}) (*reply[v1.Page[v1.XDR]], error) {
	scope, f, err := s.filter(ctx, in.Usage)
	if err != nil {
		return nil, err
	}
	rows, err := s.Store.ListXDRs(ctx, scope, f, in.page())
	if err != nil {
		return nil, err
	}
	return pageOf(in.page(), rows, func(x store.XDR) string { return string(x.ID) }, xdrView), nil
}

func (s *server) getXDR(ctx context.Context, in *struct {
	XDR string `path:"xdr" maxLength:"64" doc:"Id: the participant's"`
}) (*reply[v1.XDR], error) {
	x, err := s.Store.XDR(ctx, callerOf(ctx).scope, store.ParticipantID(in.XDR))
	if err != nil {
		return nil, err
	}
	return &reply[v1.XDR]{xdrView(x)}, nil
}
