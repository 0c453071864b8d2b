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

// forgetAtOnce is how many notes one transaction removes: few enough that it does not
// stand in the way of those who make new ones.
const forgetAtOnce = 1000

// ForgetChanges removes notes of changes from before t, some of them at a time, and says
// how many: ask again until none is left. Copies that have not been refreshed since then
// have to be made anew.
func (s *Store) ForgetChanges(ctx context.Context, t time.Time) (forgotten int, err error) {
	err = s.transact(ctx, fmt.Sprint("forget changes from before ", t.UTC()), func(q tx) error {
		r, err := q.ExecContext(ctx, "DELETE FROM change WHERE (at, id) IN (SELECT at, id FROM change WHERE at < $1 ORDER BY at LIMIT $2)", micros(t), forgetAtOnce)
		if err != nil {
			return err
		}
		n, err := r.RowsAffected()
		forgotten = int(n)
		return err
	})
	return forgotten, err
}
