package api

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/conclave-voice/conclave/api/v1"
	"github.com/conclave-voice/conclave/store"
)

// recordWriter writes usage records in one format.
type recordWriter interface {
	Write(v1.XDR) error
	Flush() error
}

func (s *server) exportXDRs(ctx context.Context, in *struct {
	Usage
	Format string `query:"format" enum:"csv,jsonl" default:"csv"`
	After  string `query:"after" maxLength:"64" doc:"Go on behind this id"`
}) (*huma.StreamResponse, error) {
	scope, f, err := s.filter(ctx, in.Usage)
	if err != nil {
		return nil, err
	}
	// The first page is read before the answer begins, so that an error has a status.
	page := store.Page{After: in.After, Limit: maxPage}
	rows, err := s.Store.ListXDRs(ctx, scope, f, page)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		w := begin(hc, in.Format, in.After == "")
		err := writeAll(w, rows)
		for err == nil && len(rows) == page.Limit {
			page.After = string(rows[len(rows)-1].ID)
			if rows, err = s.Store.ListXDRs(ctx, scope, f, page); err == nil {
				err = writeAll(w, rows)
			}
		}
		if err != nil && ctx.Err() == nil {
			s.logger.Error("export broken off", "who", callerOf(ctx).name, "after", page.After, "error", err)
			panic(http.ErrAbortHandler) // the connection is cut, so that nobody takes the export for whole
		}
	}}, nil
}

// begin starts the answer. A continued export has no second head line.
func begin(hc huma.Context, format string, head bool) recordWriter {
	hc.SetHeader("Cache-Control", "no-store")
	if format == "jsonl" {
		hc.SetHeader("Content-Type", "application/jsonl")
		return jsonLines{json.NewEncoder(hc.BodyWriter())}
	}
	hc.SetHeader("Content-Type", "text/csv; charset=utf-8; header=present")
	w := csvRecords{csv.NewWriter(hc.BodyWriter())}
	if head {
		_ = w.csv.Write(csvColumns()) // the error comes back with Flush
	}
	return w
}

func writeAll(w recordWriter, rows []store.XDR) error {
	for _, x := range rows {
		if err := w.Write(xdrView(x)); err != nil {
			return fmt.Errorf("write the export: %w", err)
		}
	}
	return w.Flush()
}

// jsonLines writes JSON objects, each in its line.
type jsonLines struct{ *json.Encoder }

func (w jsonLines) Write(x v1.XDR) error { return w.Encode(x) }
func (w jsonLines) Flush() error         { return nil }

// csvRecords writes RFC 4180.
type csvRecords struct{ csv *csv.Writer }

func (w csvRecords) Write(x v1.XDR) error { return w.csv.Write(csvRow(x)) }
func (w csvRecords) Flush() error         { w.csv.Flush(); return w.csv.Error() }

// csvColumns are the columns of csvRow. New ones are added at the end.
func csvColumns() []string {
	return []string{"id", "conference_id", "room_id", "room_name", "customer_id", "account_id", "call_id", "service",
		"caller", "called", "ingress_site", "ingress_node", "focus_site", "focus_node", "epoch",
		"started_at", "ended_at", "duration_seconds", "billed_seconds", "per_minute", "first_seconds", "next_seconds",
		"amount", "currency", "cause", "recorded_at", "quality",
		"inbound_mos", "inbound_worst_mos", "inbound_loss", "outbound_mos", "outbound_worst_mos", "outbound_loss"}
}

func csvRow(x v1.XDR) []string {
	at := func(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
	row := []string{x.ID, x.ConferenceID, x.RoomID, x.RoomName, x.CustomerID, x.AccountID, x.CallID, x.Service,
		x.Caller, x.Called, x.Ingress.Site, x.Ingress.Node, x.Focus.Site, x.Focus.Node, strconv.FormatUint(x.Epoch, 10),
		at(x.StartedAt), at(x.EndedAt), strconv.FormatInt(x.DurationSeconds, 10), strconv.FormatInt(x.BilledSeconds, 10),
		x.Rate.PerMinute.String(), strconv.Itoa(x.Rate.FirstSeconds), strconv.Itoa(x.Rate.NextSeconds),
		x.Amount.String(), x.Currency, x.Cause, at(x.RecordedAt), string(x.Quality)}
	return append(append(row, scoreColumns(x.Inbound)...), scoreColumns(x.Outbound)...)
}

// scoreColumns are empty where nothing is known.
func scoreColumns(s v1.Score) []string {
	if s == (v1.Score{}) {
		return make([]string, 3)
	}
	text := func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
	return []string{text(s.MOS), text(s.WorstMOS), text(s.Loss)}
}
