package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
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

// kept is a time as it will be read back.
func kept(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

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

// object is a JSON object as it is kept: empty text for none.
func object(text string) []byte {
	if text == "" {
		return nil
	}
	return []byte(text)
}

// optional is a reference, which is NULL where there is none.
func optional[ID ~string](id ID) any {
	if id == "" {
		return nil
	}
	return string(id)
}

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

// rows reads all rows of a query.
func rows[T any](ctx context.Context, q querier, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	r, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var all []T
	for r.Next() {
		v, err := scan(r)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, r.Err()
}

// find reads one row, or is store.ErrNotFound.
func find[T any](ctx context.Context, s *Store, what string, scan func(scanner) (T, error), query string, args ...any) (found T, err error) {
	err = s.query(ctx, what, func(q querier) error {
		found, err = scan(q.QueryRowContext(ctx, query, args...))
		return err
	})
	return found, err
}

// all reads rows.
func all[T any](ctx context.Context, s *Store, what string, scan func(scanner) (T, error), query string, args ...any) (found []T, err error) {
	err = s.query(ctx, what, func(q querier) error {
		found, err = rows(ctx, q, scan, query, args...)
		return err
	})
	return found, err
}

// list reads one page of a table, by id.
func list[T any](ctx context.Context, s *Store, what string, scan func(scanner) (T, error), columns, table string, w where, p store.Page) ([]T, error) {
	limit, err := p.Size()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	if p.After != "" {
		w.and("id > ?", p.After)
	}
	args := append(w.args, limit)
	return all(ctx, s, what, scan, fmt.Sprintf("SELECT %s FROM %s%s ORDER BY id LIMIT $%d", columns, table, w.text(), len(args)), args...)
}

// where builds the conditions of a statement.
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

// named limits to rows of one thing, if it is named.
func named[ID ~string](w *where, column string, id ID) {
	if id != "" {
		w.and(column+" = ?", id)
	}
}

// between limits to times in [from, to); zero bounds are open.
func (w *where) between(column string, from, to time.Time) *where {
	if !from.IsZero() {
		w.and(column+" >= ?", micros(from))
	}
	if !to.IsZero() {
		w.and(column+" < ?", micros(to))
	}
	return w
}

func (w *where) text() string {
	if len(w.conditions) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.conditions, " AND ")
}

// placeholders are $1 … $n.
func placeholders(n int) string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprint("$", i+1)
	}
	return strings.Join(all, ", ")
}

// insert writes a whole row; columns are separated by commas. suffix may say what
// happens on a conflict.
func insert(ctx context.Context, q querier, table, columns, suffix string, args ...any) (int64, error) {
	return affected(q.ExecContext(ctx, "INSERT INTO "+table+" ("+columns+") VALUES ("+placeholders(len(args))+") "+suffix, args...))
}

// insertAll writes rows, as insert does, in as few statements as is good.
func insertAll(ctx context.Context, q tx, table, columns, suffix string, all [][]any) error {
	for len(all) > 0 {
		n := min(len(all), q.parameters/len(all[0]))
		if _, err := q.ExecContext(ctx, "INSERT INTO "+table+" ("+columns+") VALUES "+tuples(n, len(all[0]))+" "+suffix, slices.Concat(all[:n]...)...); err != nil {
			return err
		}
		all = all[n:]
	}
	return nil
}

// tuples are the parameters of so many rows: ($1, $2), ($3, $4) and so on.
func tuples(rows, columns int) string {
	var b strings.Builder
	for i := range rows * columns {
		switch {
		case i == 0:
			b.WriteByte('(')
		case i%columns == 0:
			b.WriteString("), (")
		default:
			b.WriteString(", ")
		}
		fmt.Fprint(&b, "$", i+1)
	}
	b.WriteByte(')')
	return b.String()
}

// among is "column IN ($1, $2 …)", and the arguments.
func among[ID ~string](column string, ids []ID) (condition string, args []any) {
	for _, id := range ids {
		args = append(args, string(id))
	}
	return column + " IN (" + placeholders(len(ids)) + ")", args
}

// count is the answer of a SELECT COUNT(*).
func count(ctx context.Context, q querier, query string, args ...any) (n int64, err error) {
	err = q.QueryRowContext(ctx, query, args...).Scan(&n)
	return n, err
}
