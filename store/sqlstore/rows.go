package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/conclave-voice/conclave/store"
)

// micros is a time as it is kept: microseconds since 1970, 0 for the zero time.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// instant reads a kept time.
type instant struct{ t *time.Time }

func (i instant) Scan(v any) error {
	n, ok := v.(int64)
	if !ok {
		return fmt.Errorf("a time is kept as %T, not as a whole number", v)
	}
	*i.t = time.Time{}
	if n != 0 {
		*i.t = time.UnixMicro(n).UTC()
	}
	return nil
}

// span reads a kept duration in the given unit.
type span struct {
	d    *time.Duration
	unit time.Duration
}

func (s span) Scan(v any) error {
	n, ok := v.(int64)
	if !ok {
		return fmt.Errorf("a duration is kept as %T, not as a whole number", v)
	}
	*s.d = time.Duration(n) * s.unit
	return nil
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }

// flag keeps a bool as 0 or 1.
func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// affected is how many rows a statement changed.
func affected(r sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// one changes exactly one row, or is ErrNotFound.
func one(r sql.Result, err error) error {
	n, err := affected(r, err)
	if err == nil && n == 0 {
		return store.ErrNotFound
	}
	return err
}

// scanner is a row, or the present one of several.
type scanner interface{ Scan(dest ...any) error }

// list reads all rows of a query.
func list[T any](ctx context.Context, q querier, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}

// where builds the conditions of a listing.
type where struct {
	conditions []string
	args       []any
}

// and adds a condition with one "?" for its argument.
func (w *where) and(condition string, arg any) *where {
	w.args = append(w.args, arg)
	w.conditions = append(w.conditions, strings.Replace(condition, "?", fmt.Sprint("$", len(w.args)), 1))
	return w
}

// scope limits to a customer's rows.
func (w *where) scope(s store.Scope, column string) *where {
	if s.CustomerID != "" {
		w.and(column+" = ?", s.CustomerID)
	}
	return w
}

// page adds order and bounds: by id, from after on.
func (w *where) page(p store.Page) string {
	if p.After != "" {
		w.and("id > ?", p.After)
	}
	limit := p.Limit
	if limit <= 0 {
		limit = 100
	}
	w.args = append(w.args, min(limit, 1000))
	return w.text() + fmt.Sprint(" ORDER BY id LIMIT $", len(w.args))
}

func (w *where) text() string {
	if len(w.conditions) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.conditions, " AND ")
}

// marks are the placeholders $1 … $n.
func marks(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprint("$", i+1)
	}
	return strings.Join(list, ", ")
}

// insert writes a whole row; columns are separated by commas. suffix may say what
// happens on a conflict.
func insert(ctx context.Context, q querier, table, columns, suffix string, args ...any) (int64, error) {
	return affected(q.ExecContext(ctx, "INSERT INTO "+table+" ("+columns+") VALUES ("+marks(len(args))+") "+suffix, args...))
}
