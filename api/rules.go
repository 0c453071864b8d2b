package api

import (
	"context"
	"net/http"
	"net/netip"

	"github.com/conclave-voice/conclave/api/v1"
	"github.com/conclave-voice/conclave/store"
)

func (s *server) rules() {
	register(s, endpoint{method: http.MethodGet, path: "/call-rules", id: "list-call-rules", tag: "Callers",
		summary: "List call-handling rules", doc: "The first that matches a call in all its fields decides how the call is authorized; where none matches, it is refused.",
		access: operator}, s.listRules)
	register(s, endpoint{method: http.MethodPost, path: "/call-rules", id: "add-call-rule", tag: "Callers",
		summary: "Add a call-handling rule", access: operator, status: http.StatusCreated, errors: []int{http.StatusConflict}}, s.addRule)
	register(s, endpoint{method: http.MethodDelete, path: "/call-rules/{rule}", id: "remove-call-rule", tag: "Callers",
		summary: "Remove a call-handling rule", access: operator, errors: []int{http.StatusNotFound}}, s.removeRule)
}

func ruleView(r store.CallRule) v1.CallRule {
	view := v1.CallRule{ID: string(r.ID), Position: r.Position, Transport: r.Transport, Called: r.Called, Action: string(r.Action)}
	if r.Source.IsValid() {
		view.Source = r.Source.String()
	}
	return view
}

func (s *server) listRules(ctx context.Context, _ *none) (*reply[v1.Page[v1.CallRule]], error) {
	rows, err := s.Store.ListCallRules(ctx)
	if err != nil {
		return nil, err
	}
	return whole(rows, ruleView), nil
}

func (s *server) addRule(ctx context.Context, in *struct{ Body v1.NewCallRule }) (*reply[v1.CallRule], error) {
	b := in.Body
	r := store.CallRule{ID: store.NewRuleID(), Position: b.Position, Transport: b.Transport, Called: b.Called, Action: store.RuleAction(b.Action)}
	if b.Source != "" {
		var err error
		if r.Source, err = netip.ParsePrefix(b.Source); err != nil {
			return nil, problem(http.StatusUnprocessableEntity, "source %q: write a network in CIDR form, such as 192.0.2.0/24 or 2001:db8::/32", b.Source)
		}
	}
	if err := s.Store.CreateCallRule(ctx, r); err != nil {
		return nil, err
	}
	return &reply[v1.CallRule]{ruleView(r)}, nil
}

func (s *server) removeRule(ctx context.Context, in *struct {
	Rule string `path:"rule" maxLength:"64"`
}) (*empty, error) {
	return &empty{}, s.Store.DeleteCallRule(ctx, store.RuleID(in.Rule))
}
