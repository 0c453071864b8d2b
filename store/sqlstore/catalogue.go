package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"net/netip"

	"github.com/conclave-voice/conclave/store"
)

const customerColumns = "id, name, created_at"

func scanCustomer(r scanner) (c store.Customer, err error) {
	err = r.Scan(&c.ID, &c.Name, instant{&c.CreatedAt})
	return c, err
}

func (s *Store) CreateCustomer(ctx context.Context, c store.Customer) error {
	if err := c.Validate(); err != nil {
		return fmt.Errorf("create customer: %w", err)
	}
	return s.create(ctx, fmt.Sprintf("create customer %q", c.Name), "the name", customers, customerColumns,
		c.ID, c.Name, micros(c.CreatedAt))
}

// create inserts a row unless one with the same id is there already, which makes
// creating idempotent. unique is what another row may have taken. The first of args is
// the id.
func (s *Store) create(ctx context.Context, what, unique string, table entity, columns string, args ...any) error {
	id := fmt.Sprint(args[0])
	return s.transact(ctx, what, func(q tx) error {
		n, err := insert(ctx, q, string(table), columns, "ON CONFLICT (id) DO NOTHING", args...)
		if err != nil {
			return s.taken(err, unique)
		}
		return noted(ctx, q, table, id, n, nil)
	})
}

// taken says in our words what is taken, where a unique column refused the row.
func (s *Store) taken(err error, unique string) error {
	if s.dialect.classify(err) == uniqueViolation {
		return fmt.Errorf("%w: %s is taken; choose another", store.ErrConflict, unique)
	}
	return err
}

func (s *Store) ListCustomers(ctx context.Context, sc store.Scope, p store.Page) ([]store.Customer, error) {
	var w where
	w.scope(sc, "id")
	return list(ctx, s, "list customers", scanCustomer, customerColumns, "customer", w, p)
}

const numberColumns = "id, number, application, code_space, room_id, customer_id, language"

func scanNumber(r scanner) (n store.AccessNumber, err error) {
	var room, customer sql.NullString
	err = r.Scan(&n.ID, &n.Number, &n.Application, &n.CodeSpace, &room, &customer, &n.Language)
	n.RoomID, n.CustomerID = store.RoomID(room.String), store.CustomerID(customer.String)
	return n, err
}

func (s *Store) CreateAccessNumber(ctx context.Context, n store.AccessNumber) error {
	if err := n.Validate(); err != nil {
		return fmt.Errorf("create access number: %w", err)
	}
	return s.create(ctx, "create access number "+n.Number, "the number", accessNumbers, numberColumns,
		n.ID, n.Number, n.Application, n.CodeSpace, optional(n.RoomID), optional(n.CustomerID), n.Language)
}

func (s *Store) ListAccessNumbers(ctx context.Context, sc store.Scope, p store.Page) ([]store.AccessNumber, error) {
	var w where
	if sc.CustomerID != "" {
		w.and("(customer_id = ? OR customer_id IS NULL)", sc.CustomerID)
	}
	return list(ctx, s, "list access numbers", scanNumber, numberColumns, "access_number", w, p)
}

func (s *Store) AccessNumberByNumber(ctx context.Context, number string) (store.AccessNumber, error) {
	return find(ctx, s, fmt.Sprintf("access number %q", number), scanNumber,
		"SELECT "+numberColumns+" FROM access_number WHERE number = $1", number)
}

const ruleColumns = "id, position, source, transport, called, action"

func scanRule(r scanner) (c store.CallRule, err error) {
	var source string
	if err = r.Scan(&c.ID, &c.Position, &source, &c.Transport, &c.Called, &c.Action); err != nil || source == "" {
		return c, err
	}
	c.Source, err = netip.ParsePrefix(source)
	return c, err
}

func (s *Store) CreateCallRule(ctx context.Context, r store.CallRule) error {
	if err := r.Validate(); err != nil {
		return fmt.Errorf("create call rule: %w", err)
	}
	source := ""
	if r.Source.IsValid() {
		source = r.Source.String()
	}
	return s.create(ctx, fmt.Sprint("create call rule ", r.Position), "the position", callRules, ruleColumns,
		r.ID, r.Position, source, r.Transport, r.Called, r.Action)
}

func (s *Store) ListCallRules(ctx context.Context) ([]store.CallRule, error) {
	return all(ctx, s, "list call rules", scanRule, "SELECT "+ruleColumns+" FROM call_rule ORDER BY position")
}

func (s *Store) DeleteCallRule(ctx context.Context, id store.RuleID) error {
	return s.transact(ctx, "delete call rule "+string(id), func(q tx) error {
		return q.gone(one(q.ExecContext(ctx, "DELETE FROM call_rule WHERE id = $1", id)))
	})
}

const userColumns = "realm, username, account_id, ha1_md5, ha1_sha256"

func scanUser(r scanner) (u store.SIPUser, err error) {
	err = r.Scan(&u.Realm, &u.Username, &u.AccountID, &u.HA1MD5, &u.HA1SHA256)
	return u, err
}

func (s *Store) PutSIPUser(ctx context.Context, u store.SIPUser) error {
	if err := u.Validate(); err != nil {
		return fmt.Errorf("put SIP user: %w", err)
	}
	return s.transact(ctx, fmt.Sprintf("put SIP user %q", u.Username), func(q tx) error {
		n, err := insert(ctx, q, "sip_user", userColumns, `ON CONFLICT (realm, username) DO UPDATE SET
			account_id = excluded.account_id, ha1_md5 = excluded.ha1_md5, ha1_sha256 = excluded.ha1_sha256`,
			u.Realm, u.Username, u.AccountID, u.HA1MD5, u.HA1SHA256)
		return noted(ctx, q, sipUsers, u.Username, n, err)
	})
}

func (s *Store) SIPUser(ctx context.Context, realm, username string) (store.SIPUser, error) {
	return find(ctx, s, fmt.Sprintf("SIP user %q", username), scanUser,
		"SELECT "+userColumns+" FROM sip_user WHERE realm = $1 AND username = $2", realm, username)
}

const tokenColumns = "id, name, hash, role, customer_id, created_at, expires_at"

func scanToken(r scanner) (t store.APIToken, err error) {
	var customer sql.NullString
	err = r.Scan(&t.ID, &t.Name, &t.Hash, &t.Role, &customer, instant{&t.CreatedAt}, instant{&t.ExpiresAt})
	t.CustomerID = store.CustomerID(customer.String)
	return t, err
}

func (s *Store) CreateToken(ctx context.Context, t store.APIToken) error {
	if err := t.Validate(); err != nil {
		return fmt.Errorf("create API token: %w", err)
	}
	return s.create(ctx, fmt.Sprintf("create API token %q", t.Name), "the secret", apiTokens, tokenColumns,
		t.ID, t.Name, t.Hash, t.Role, optional(t.CustomerID), micros(t.CreatedAt), micros(t.ExpiresAt))
}

func (s *Store) TokenByHash(ctx context.Context, hash string) (store.APIToken, error) {
	return find(ctx, s, "API token", scanToken, "SELECT "+tokenColumns+" FROM api_token WHERE hash = $1", hash)
}

func (s *Store) ListTokens(ctx context.Context, p store.Page) ([]store.APIToken, error) {
	return list(ctx, s, "list API tokens", scanToken, tokenColumns, "api_token", where{}, p)
}

func (s *Store) DeleteToken(ctx context.Context, id store.TokenID) error {
	return s.transact(ctx, "delete API token", func(q tx) error {
		if err := one(q.ExecContext(ctx, "DELETE FROM api_token WHERE id = $1", id)); err != nil {
			return q.gone(err)
		}
		return changed(ctx, q, apiTokens, id)
	})
}
