package sqlstore

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// entity is a kind of thing whose changes copies follow: the name of its table.
type entity string

const (
	customers     entity = "customer"
	tariffs       entity = "tariff"
	rates         entity = "rate" // of a tariff, all together
	accounts      entity = "account"
	sipUsers      entity = "sip_user" // of a user name, in all realms
	rooms         entity = "room"     // with its codes
	accessNumbers entity = "access_number"
	callRules     entity = "call_rule"
	apiTokens     entity = "api_token"
)

// changed notes that something was made, changed or removed, in the transaction that
// does it. Balances and reservations are not noted: they change with every stay, and
// copies read them anew from time to time.
func changed[ID ~string](ctx context.Context, q querier, e entity, name ID) error {
	_, err := insert(ctx, q, "change", "at, id, entity, name", "", micros(time.Now()), uuid.NewString(), e, name)
	return err
}

// noted is changed for what a statement has done, if it went well and did something.
func noted[ID ~string](ctx context.Context, q querier, e entity, name ID, n int64, err error) error {
	if err != nil || n == 0 {
		return err
	}
	return changed(ctx, q, e, name)
}

// ForgetChanges removes notes of changes from before t. Copies that have not been
// refreshed since then have to be made anew.
func (s *Store) ForgetChanges(ctx context.Context, t time.Time) error {
	return s.transact(ctx, fmt.Sprint("forget changes from before ", t.UTC()), func(q tx) error {
		_, err := q.ExecContext(ctx, "DELETE FROM change WHERE at < $1", micros(t))
		return err
	})
}
