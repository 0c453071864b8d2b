package api

import (
	"context"
	"net/http"

	"github.com/conclave-voice/conclave/api/v1"
	"github.com/conclave-voice/conclave/store"
)

func (s *server) tokens() {
	register(s, endpoint{method: http.MethodGet, path: "/tokens", id: "list-tokens", tag: "Tokens",
		summary: "List API tokens", access: operator}, s.listTokens)
	register(s, endpoint{method: http.MethodPost, path: "/tokens", id: "add-token", tag: "Tokens",
		summary: "Add an API token", doc: "The answer is the only time that its secret is told.",
		access: operator, status: http.StatusCreated, errors: []int{http.StatusConflict}}, s.addToken)
	register(s, endpoint{method: http.MethodDelete, path: "/tokens/{token}", id: "remove-token", tag: "Tokens",
		summary: "Remove an API token", access: operator, errors: []int{http.StatusNotFound}}, s.removeToken)
}

func tokenView(t store.APIToken) v1.Token {
	return v1.Token{ID: string(t.ID), Name: t.Name, Role: string(t.Role), CustomerID: string(t.CustomerID),
		CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt}
}

func (s *server) listTokens(ctx context.Context, in *struct{ Paging }) (*reply[v1.Page[v1.Token]], error) {
	rows, err := s.Store.ListTokens(ctx, in.page())
	if err != nil {
		return nil, err
	}
	return pageOf(in.page(), rows, func(t store.APIToken) string { return string(t.ID) }, tokenView), nil
}

func (s *server) addToken(ctx context.Context, in *struct{ Body v1.NewToken }) (*reply[v1.TokenSecret], error) {
	b := in.Body
	if !b.ExpiresAt.IsZero() && !b.ExpiresAt.After(s.now()) {
		return nil, problem(http.StatusUnprocessableEntity, "expiresAt %s: it must be in the future", b.ExpiresAt)
	}
	secret := newSecret()
	t := store.APIToken{ID: store.NewTokenID(), Name: b.Name, Hash: HashToken(secret), Role: store.TokenRole(b.Role),
		CustomerID: store.CustomerID(b.CustomerID), CreatedAt: s.now(), ExpiresAt: b.ExpiresAt}
	if err := s.Store.CreateToken(ctx, t); err != nil {
		return nil, asReference(err, "customer "+b.CustomerID)
	}
	return &reply[v1.TokenSecret]{v1.TokenSecret{Token: tokenView(t), Secret: secret}}, nil
}

func (s *server) removeToken(ctx context.Context, in *struct {
	Token string `path:"token" maxLength:"64"`
}) (*empty, error) {
	return &empty{}, s.Store.DeleteToken(ctx, store.TokenID(in.Token))
}
