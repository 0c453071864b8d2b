package sqlstore

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/conclave-voice/conclave/store"
)

const customerColumns = "id, name, created_at"

func scanCustomer(r scanner) (c store.Customer, err error) {
	err = r.Scan(&c.ID, &c.Name, instant{&c.CreatedAt})
	return c, err
}

func (s *Store) CreateCustomer(ctx context.Context, c store.Customer) error {
	if err := c.Validate(); err != nil {
		return err
	}
	return s.create(ctx, fmt.Sprintf("create customer %q", c.Name), "customer", customerColumns,
		c.ID, c.Name, micros(c.CreatedAt))
}

// create inserts a row unless one with the same id is there already, which makes
// creating idempotent; another row with the same name or number is a conflict.
func (s *Store) create(ctx context.Context, what, table, columns string, args ...any) error {
	return s.write(ctx, what, func(q querier) error {
		_, err := insert(ctx, q, table, columns, "ON CONFLICT (id) DO NOTHING", args...)
		return err
	})
}

func (s *Store) ListCustomers(ctx context.Context, sc store.Scope, p store.Page) ([]store.Customer, error) {
	var w where
	w.scope(sc, "id")
	tail := w.page(p)
	all, err := list(ctx, s.reader(), scanCustomer, "SELECT "+customerColumns+" FROM customer"+tail, w.args...)
	return all, s.wrap("list customers", err)
}

const numberColumns = "id, number, application, code_space, room_id, customer_id, language"

func scanNumber(r scanner) (n store.AccessNumber, err error) {
	err = r.Scan(&n.ID, &n.Number, &n.Application, &n.CodeSpace, &n.RoomID, &n.CustomerID, &n.Language)
	return n, err
}

func (s *Store) CreateAccessNumber(ctx context.Context, n store.AccessNumber) error {
	if err := n.Validate(); err != nil {
		return err
	}
	return s.create(ctx, "create access number "+n.Number, "access_number", numberColumns,
		n.ID, n.Number, n.Application, n.CodeSpace, n.RoomID, n.CustomerID, n.Language)
}

// ListAccessNumbers shows a customer its own numbers and those that all share.
func (s *Store) ListAccessNumbers(ctx context.Context, sc store.Scope, p store.Page) ([]store.AccessNumber, error) {
	var w where
	if sc.CustomerID != "" {
		w.and("customer_id IN ('', ?)", sc.CustomerID)
	}
	tail := w.page(p)
	all, err := list(ctx, s.reader(), scanNumber, "SELECT "+numberColumns+" FROM access_number"+tail, w.args...)
	return all, s.wrap("list access numbers", err)
}

func (s *Store) AccessNumberByNumber(ctx context.Context, number string) (store.AccessNumber, error) {
	n, err := scanNumber(s.reader().QueryRowContext(ctx, "SELECT "+numberColumns+" FROM access_number WHERE number = $1", number))
	return n, s.wrap("access number "+number, err)
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
		return err
	}
	source := ""
	if r.Source.IsValid() {
		source = r.Source.String()
	}
	return s.create(ctx, fmt.Sprint("create call rule ", r.Position), "call_rule", ruleColumns,
		r.ID, r.Position, source, r.Transport, r.Called, r.Action)
}

func (s *Store) ListCallRules(ctx context.Context) ([]store.CallRule, error) {
	all, err := list(ctx, s.reader(), scanRule, "SELECT "+ruleColumns+" FROM call_rule ORDER BY position")
	return all, s.wrap("list call rules", err)
}

func (s *Store) PutSIPUser(ctx context.Context, u store.SIPUser) error {
	if err := u.Validate(); err != nil {
		return err
	}
	return s.write(ctx, "put SIP user "+u.Username, func(q querier) error {
		_, err := insert(ctx, q, "sip_user", "realm, username, account_id, ha1_md5, ha1_sha256",
			"ON CONFLICT (realm, username) DO UPDATE SET account_id = excluded.account_id, ha1_md5 = excluded.ha1_md5, ha1_sha256 = excluded.ha1_sha256",
			u.Realm, u.Username, u.AccountID, u.HA1MD5, u.HA1SHA256)
		return err
	})
}

func (s *Store) SIPUser(ctx context.Context, realm, username string) (u store.SIPUser, err error) {
	err = s.reader().QueryRowContext(ctx, "SELECT realm, username, account_id, ha1_md5, ha1_sha256 FROM sip_user WHERE realm = $1 AND username = $2",
		realm, username).Scan(&u.Realm, &u.Username, &u.AccountID, &u.HA1MD5, &u.HA1SHA256)
	return u, s.wrap("SIP user", err)
}

func (s *Store) CreateTariff(ctx context.Context, t store.Tariff) error {
	if err := t.Validate(); err != nil {
		return err
	}
	return s.create(ctx, fmt.Sprintf("create tariff %q", t.Name), "tariff", "id, name, currency", t.ID, t.Name, t.Currency)
}

func (s *Store) ListTariffs(ctx context.Context, p store.Page) ([]store.Tariff, error) {
	var w where
	tail := w.page(p)
	all, err := list(ctx, s.reader(), func(r scanner) (t store.Tariff, err error) {
		err = r.Scan(&t.ID, &t.Name, &t.Currency)
		return t, err
	}, "SELECT id, name, currency FROM tariff"+tail, w.args...)
	return all, s.wrap("list tariffs", err)
}

const rateColumns = "tariff_id, service, access_number, per_minute, first_s, next_s"

func (s *Store) PutRate(ctx context.Context, r store.Rate) error {
	if err := r.Validate(); err != nil {
		return err
	}
	return s.write(ctx, "put rate", func(q querier) error {
		_, err := insert(ctx, q, "rate", rateColumns,
			"ON CONFLICT (tariff_id, service, access_number) DO UPDATE SET per_minute = excluded.per_minute, first_s = excluded.first_s, next_s = excluded.next_s",
			r.TariffID, r.Service, r.AccessNumber, r.PerMinute, seconds(r.First), seconds(r.Next))
		return err
	})
}

func (s *Store) RateFor(ctx context.Context, t store.TariffID, service store.Service, number string) (r store.Rate, err error) {
	err = s.reader().QueryRowContext(ctx, "SELECT "+rateColumns+` FROM rate
		WHERE tariff_id = $1 AND service = $2 AND access_number IN ($3, '')
		ORDER BY access_number DESC LIMIT 1`, t, service, number).
		Scan(&r.TariffID, &r.Service, &r.AccessNumber, &r.PerMinute, span{&r.First, time.Second}, span{&r.Next, time.Second})
	return r, s.wrap("rate", err)
}

const tokenColumns = "id, name, hash, role, customer_id, created_at, expires_at"

func scanToken(r scanner) (t store.APIToken, err error) {
	err = r.Scan(&t.ID, &t.Name, &t.Hash, &t.Role, &t.CustomerID, instant{&t.CreatedAt}, instant{&t.ExpiresAt})
	return t, err
}

func (s *Store) CreateToken(ctx context.Context, t store.APIToken) error {
	if err := t.Validate(); err != nil {
		return err
	}
	return s.create(ctx, fmt.Sprintf("create API token %q", t.Name), "api_token", tokenColumns,
		t.ID, t.Name, t.Hash, t.Role, t.CustomerID, micros(t.CreatedAt), micros(t.ExpiresAt))
}

func (s *Store) TokenByHash(ctx context.Context, hash string) (store.APIToken, error) {
	t, err := scanToken(s.reader().QueryRowContext(ctx, "SELECT "+tokenColumns+" FROM api_token WHERE hash = $1", hash))
	return t, s.wrap("API token", err)
}

func (s *Store) ListTokens(ctx context.Context, p store.Page) ([]store.APIToken, error) {
	var w where
	tail := w.page(p)
	all, err := list(ctx, s.reader(), scanToken, "SELECT "+tokenColumns+" FROM api_token"+tail, w.args...)
	return all, s.wrap("list API tokens", err)
}

func (s *Store) DeleteToken(ctx context.Context, id store.TokenID) error {
	return s.write(ctx, "delete API token", func(q querier) error {
		return one(q.ExecContext(ctx, "DELETE FROM api_token WHERE id = $1", id))
	})
}
