package api

import (
	"github.com/conclave-voice/conclave/api/v1"
	"github.com/conclave-voice/conclave/store"
)

// Paging are the parameters of every list.
type Paging struct {
	After string `query:"after" maxLength:"64" doc:"Cursor: the next of the page before"`
	Limit int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"Items at most"`
}

func (p Paging) page() store.Page { return store.Page{After: p.After, Limit: p.Limit} }

// pageOf makes the answer of a list. A full page has a next one, which may be empty.
func pageOf[S, V any](p store.Page, rows []S, id func(S) string, view func(S) V) *reply[v1.Page[V]] {
	out := &reply[v1.Page[V]]{Body: v1.Page[V]{Items: make([]V, len(rows))}}
	for i, r := range rows {
		out.Body.Items[i] = view(r)
	}
	if len(rows) > 0 && len(rows) == p.Limit {
		out.Body.Next = id(rows[len(rows)-1])
	}
	return out
}

// maxPage is what handlers read at once where they look through a list.
const maxPage = 1000

// whole makes the answer of a list that is always told whole.
func whole[S, V any](rows []S, view func(S) V) *reply[v1.Page[V]] {
	return pageOf(store.Page{Limit: len(rows) + 1}, rows, func(S) string { return "" }, view)
}

// Tenant narrows a list to one customer.
type Tenant struct {
	Customer string `query:"customer" maxLength:"64" doc:"Only what belongs to this customer. A customer's token shows no other in any case"`
}

// scope is what the list may show.
func (t Tenant) scope(c caller) (store.Scope, error) {
	switch {
	case t.Customer == "" || t.Customer == string(c.scope.CustomerID):
		return c.scope, nil
	case c.scope.CustomerID == "":
		return store.Scope{CustomerID: store.CustomerID(t.Customer)}, nil
	}
	return store.Scope{}, store.ErrNotFound
}
