package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"reflect"
	"strings"
	"text/tabwriter"
	"time"
)

// printer prints answers.
type printer struct {
	w    io.Writer
	json bool
}

// done says that something was done; programs that read JSON learn it from the exit status.
func (p printer) done(format string, args ...any) {
	if !p.json {
		fmt.Fprintf(p.w, format+"\n", args...)
	}
}

// one prints one thing.
func (p printer) one(v any) error {
	if p.json {
		return p.encode(v)
	}
	t := tabwriter.NewWriter(p.w, 0, 8, 2, ' ', 0)
	fields(t, reflect.ValueOf(v))
	return t.Flush()
}

func (p printer) encode(v any) error {
	e := json.NewEncoder(p.w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// fields prints a struct's fields, one in each line, as JSON names them. Lists are left
// to whoever knows how to lay them out.
func fields(w io.Writer, v reflect.Value) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch value := v.Field(i); {
		case f.Anonymous:
			fields(w, value)
		case value.Kind() == reflect.Slice, value.IsZero() && strings.Contains(f.Tag.Get("json"), "omit"):
		case f.Type == reflect.TypeFor[time.Time]():
			fmt.Fprintf(w, "%s\t%s\n", name, clock(value.Interface().(time.Time)))
		case value.Kind() == reflect.Struct:
			text, err := json.Marshal(value.Interface())
			if err != nil {
				text = []byte(err.Error())
			}
			fmt.Fprintf(w, "%s\t%s\n", name, plain(string(text)))
		default:
			fmt.Fprintf(w, "%s\t%s\n", name, plain(fmt.Sprint(value.Interface())))
		}
	}
}

// table prints a list: in JSON whole, for people the columns that row gives.
func table[T any](p printer, list iter.Seq2[T, error], columns string, row func(T) []any) error {
	items := []T{}
	for item, err := range list {
		if err != nil {
			return err
		}
		items = append(items, item)
	}
	if p.json {
		return p.encode(items)
	}
	if len(items) == 0 {
		fmt.Fprintln(p.w, "none")
		return nil
	}
	t := tabwriter.NewWriter(p.w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, strings.Join(strings.Fields(columns), "\t"))
	for _, item := range items {
		cells := row(item)
		text := make([]string, len(cells))
		for i, cell := range cells {
			text[i] = cellText(cell)
		}
		fmt.Fprintln(t, strings.Join(text, "\t"))
	}
	return t.Flush()
}

func cellText(cell any) string {
	switch v := cell.(type) {
	case time.Time:
		return clock(v)
	case bool:
		if v {
			return "yes"
		}
		return "-"
	}
	if text := plain(fmt.Sprint(cell)); text != "" {
		return text
	}
	return "-"
}

// clock is an instant as people read it, in UTC.
func clock(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04:05Z")
}

// plain is text that does nothing to a terminal: callers choose some of it.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return '?'
		}
		return r
	}, s)
}
