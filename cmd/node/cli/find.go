package cli

import (
	"fmt"
	"iter"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"github.com/conclave-voice/conclave/api/client"
	"github.com/conclave-voice/conclave/api/v1"
)

// pick finds the one of a list whose name is asked for. What says what is looked for.
func pick[T any](list iter.Seq2[T, error], what, name string, id func(T) string, named func(T) bool) (string, error) {
	var found []string
	for item, err := range list {
		if err != nil {
			return "", err
		}
		if named(item) {
			found = append(found, id(item))
		}
	}
	switch len(found) {
	case 0:
		return "", fmt.Errorf("no %s is called %q", what, name)
	case 1:
		return found[0], nil
	}
	return "", fmt.Errorf("%d of them are called %q: give the id of the %s, one of %s", len(found), name, what, strings.Join(found, ", "))
}

func isID(s string) bool { return uuid.Validate(s) == nil }

// room is the id of a room that is given by id or name.
func (t task) room(name string) (string, error) {
	if isID(name) {
		return name, nil
	}
	return pick(client.List[v1.Room](t, t.node, "/rooms", nil), "room", name,
		func(r v1.Room) string { return r.ID }, func(r v1.Room) bool { return r.Name == name })
}

// conference is the id of a conference that is given by id, or by the room that it
// goes on in.
func (t task) conference(name string) (string, error) {
	if isID(name) {
		return name, nil
	}
	return pick(client.List[v1.Conference](t, t.node, "/conferences", nil), "conference that goes on", name,
		func(c v1.Conference) string { return c.ID }, func(c v1.Conference) bool { return c.RoomName == name })
}

// participant is the id of one who is in a conference, given by id or caller.
func (t task) participant(conference, name string) (string, error) {
	if isID(name) {
		return name, nil
	}
	id, err := t.conference(conference)
	if err != nil {
		return "", err
	}
	return pick(client.List[v1.Participant](t, t.node, client.Path("conferences", id, "participants"), nil), "participant", name,
		func(p v1.Participant) string { return p.ID }, func(p v1.Participant) bool { return p.Caller == name })
}

// customer is the id of a customer that is given by id or name.
func (t task) customer(name string) (string, error) {
	if isID(name) || name == "" {
		return name, nil
	}
	return pick(client.List[v1.Customer](t, t.node, "/customers", nil), "customer", name,
		func(c v1.Customer) string { return c.ID }, func(c v1.Customer) bool { return c.Name == name })
}

// limited is a list that ends after so many items, and asks for no more than it needs.
func limited[T any](t task, path string, q query, limit int) iter.Seq2[T, error] {
	if limit > 0 && limit < 1000 {
		q.Set("limit", fmt.Sprint(limit))
	}
	return func(yield func(T, error) bool) {
		n := 0
		for item, err := range client.List[T](t, t.node, path, url.Values(q.Values)) {
			if !yield(item, err) {
				return
			}
			if n++; n == limit {
				return
			}
		}
	}
}
