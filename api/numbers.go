package api

import (
	"context"
	"net/http"

	"github.com/conclave-voice/conclave/api/v1"
	"github.com/conclave-voice/conclave/store"
)

func (s *server) numbers() {
	register(s, endpoint{method: http.MethodGet, path: "/numbers", id: "list-numbers", tag: "Access numbers",
		summary: "List access numbers", doc: "A customer sees its own and those that all customers share.", access: seer}, s.listNumbers)
	register(s, endpoint{method: http.MethodPost, path: "/numbers", id: "add-number", tag: "Access numbers",
		summary: "Add an access number", access: operator, status: http.StatusCreated, errors: []int{http.StatusConflict}}, s.addNumber)
}

func numberView(n store.AccessNumber) v1.AccessNumber {
	return v1.AccessNumber{ID: string(n.ID), Number: n.Number, Application: string(n.Application), CodeSpace: n.CodeSpace,
		RoomID: string(n.RoomID), CustomerID: string(n.CustomerID), Language: n.Language}
}

func (s *server) listNumbers(ctx context.Context, in *struct{ Paging }) (*reply[v1.Page[v1.AccessNumber]], error) {
	rows, err := s.Store.ListAccessNumbers(ctx, callerOf(ctx).scope, in.page())
	if err != nil {
		return nil, err
	}
	return pageOf(in.page(), rows, func(n store.AccessNumber) string { return string(n.ID) }, numberView), nil
}

func (s *server) addNumber(ctx context.Context, in *struct{ Body v1.NewAccessNumber }) (*reply[v1.AccessNumber], error) {
	b := in.Body
	n := store.AccessNumber{ID: store.NewAccessNumberID(), Number: b.Number, Application: store.ApplicationConference, CodeSpace: b.CodeSpace,
		RoomID: store.RoomID(b.RoomID), CustomerID: store.CustomerID(b.CustomerID), Language: b.Language}
	if n.CodeSpace == "" {
		n.CodeSpace = n.Number
	}
	if err := s.Store.CreateAccessNumber(ctx, n); err != nil {
		return nil, asReference(err, "room or customer of the number")
	}
	return &reply[v1.AccessNumber]{numberView(n)}, nil
}
