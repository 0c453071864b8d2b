package api

import (
	"context"
	"net/http"

	"github.com/conclave-voice/conclave/api/v1"
	"github.com/conclave-voice/conclave/store"
)

func (s *server) customers() {
	register(s, endpoint{method: http.MethodGet, path: "/customers", id: "list-customers", tag: "Customers",
		summary: "List customers", access: seer}, s.listCustomers)
	register(s, endpoint{method: http.MethodPost, path: "/customers", id: "add-customer", tag: "Customers",
		summary: "Add a customer", access: operator, status: http.StatusCreated, errors: []int{http.StatusConflict}}, s.addCustomer)
}

func customerView(c store.Customer) v1.Customer {
	return v1.Customer{ID: string(c.ID), Name: c.Name, CreatedAt: c.CreatedAt}
}

func (s *server) listCustomers(ctx context.Context, in *struct{ Paging }) (*reply[v1.Page[v1.Customer]], error) {
	rows, err := s.Store.ListCustomers(ctx, callerOf(ctx).scope, in.page())
	if err != nil {
		return nil, err
	}
	return pageOf(in.page(), rows, func(c store.Customer) string { return string(c.ID) }, customerView), nil
}

func (s *server) addCustomer(ctx context.Context, in *struct{ Body v1.NewCustomer }) (*reply[v1.Customer], error) {
	c := store.Customer{ID: store.NewCustomerID(), Name: in.Body.Name, CreatedAt: s.now()}
	if err := s.Store.CreateCustomer(ctx, c); err != nil {
		return nil, err
	}
	return &reply[v1.Customer]{customerView(c)}, nil
}
