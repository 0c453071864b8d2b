package sqlstore

import (
	"context"
	"time"

	"github.com/conclave-voice/conclave/store"
)

const callColumns = `id, sip_call_id, customer_id, direction, from_user, to_user, source, transport, site, node,
	started_at, answered_at, ended_at, sip_status, cause`

func scanCall(r scanner) (c store.Call, err error) {
	err = r.Scan(&c.ID, &c.SIPCallID, &c.CustomerID, &c.Direction, &c.From, &c.To, &c.Source, &c.Transport, &c.Node.Site, &c.Node.Node,
		instant{&c.StartedAt}, instant{&c.AnsweredAt}, instant{&c.EndedAt}, &c.SIPStatus, &c.Cause)
	return c, err
}

func (s *Store) PutCall(ctx context.Context, c store.Call) error {
	return s.write(ctx, "record call "+string(c.ID), func(q querier) error {
		_, err := insert(ctx, q, "call", callColumns, `ON CONFLICT (id) DO UPDATE SET customer_id = excluded.customer_id,
			answered_at = excluded.answered_at, ended_at = excluded.ended_at, sip_status = excluded.sip_status, cause = excluded.cause`,
			c.ID, c.SIPCallID, c.CustomerID, c.Direction, c.From, c.To, c.Source, c.Transport, c.Node.Site, c.Node.Node,
			micros(c.StartedAt), micros(c.AnsweredAt), micros(c.EndedAt), c.SIPStatus, c.Cause)
		return err
	})
}

func (s *Store) AppendCallSteps(ctx context.Context, steps []store.CallStep) error {
	return s.write(ctx, "record call steps", func(q querier) error {
		for _, c := range steps {
			if _, err := insert(ctx, q, "call_step", "call_id, seq, at, step, outcome, detail", "ON CONFLICT (call_id, seq) DO NOTHING",
				c.CallID, c.Seq, micros(c.At), c.Step, c.Outcome, c.Detail); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Store) Call(ctx context.Context, sc store.Scope, id store.CallID) (store.Call, []store.CallStep, error) {
	var w where
	w.and("id = ?", id).scope(sc, "customer_id")
	c, err := scanCall(s.reader().QueryRowContext(ctx, "SELECT "+callColumns+" FROM call"+w.text(), w.args...))
	if err != nil {
		return c, nil, s.wrap("call "+string(id), err)
	}
	steps, err := list(ctx, s.reader(), func(r scanner) (t store.CallStep, err error) {
		err = r.Scan(&t.CallID, &t.Seq, instant{&t.At}, &t.Step, &t.Outcome, &t.Detail)
		return t, err
	}, "SELECT call_id, seq, at, step, outcome, detail FROM call_step WHERE call_id = $1 ORDER BY seq", id)
	return c, steps, s.wrap("steps of call "+string(id), err)
}

func (s *Store) ListCalls(ctx context.Context, sc store.Scope, from, to time.Time, p store.Page) ([]store.Call, error) {
	var w where
	w.scope(sc, "customer_id")
	if !from.IsZero() {
		w.and("started_at >= ?", micros(from))
	}
	if !to.IsZero() {
		w.and("started_at < ?", micros(to))
	}
	tail := w.page(p)
	all, err := list(ctx, s.reader(), scanCall, "SELECT "+callColumns+" FROM call"+tail, w.args...)
	return all, s.wrap("list calls", err)
}
