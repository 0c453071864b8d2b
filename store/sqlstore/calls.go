package sqlstore

import (
	"context"
	"fmt"
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
	if err := c.Validate(); err != nil {
		return fmt.Errorf("record call: %w", err)
	}
	return s.transact(ctx, "record call "+string(c.ID), func(q tx) error {
		return putCalls(ctx, q, []store.Call{c})
	})
}

// putCalls inserts or replaces calls, of which no two have the same id.
func putCalls(ctx context.Context, q tx, calls []store.Call) error {
	var all [][]any
	for _, c := range calls {
		all = append(all, []any{c.ID, c.SIPCallID, c.CustomerID, c.Direction, c.From, c.To, c.Source, c.Transport, c.Node.Site, c.Node.Node,
			micros(c.StartedAt), micros(c.AnsweredAt), micros(c.EndedAt), c.SIPStatus, c.Cause})
	}
	return insertAll(ctx, q, "call", callColumns, `ON CONFLICT (id) DO UPDATE SET sip_call_id = excluded.sip_call_id,
		customer_id = excluded.customer_id, direction = excluded.direction, from_user = excluded.from_user, to_user = excluded.to_user,
		source = excluded.source, transport = excluded.transport, site = excluded.site, node = excluded.node,
		started_at = excluded.started_at, answered_at = excluded.answered_at, ended_at = excluded.ended_at,
		sip_status = excluded.sip_status, cause = excluded.cause
		WHERE call.ended_at = 0 OR excluded.ended_at <> 0`, all)
}

const stepColumns = "call_id, seq, at, step, outcome, detail"

func scanStep(r scanner) (t store.CallStep, err error) {
	err = r.Scan(&t.CallID, &t.Seq, instant{&t.At}, &t.Step, &t.Outcome, &t.Detail)
	return t, err
}

func (s *Store) AppendCallSteps(ctx context.Context, steps []store.CallStep) error {
	for _, c := range steps {
		if err := c.Validate(); err != nil {
			return fmt.Errorf("record call steps: %w", err)
		}
	}
	return s.transact(ctx, "record call steps", func(q tx) error { return insertSteps(ctx, q, steps) })
}

func insertSteps(ctx context.Context, q tx, steps []store.CallStep) error {
	var all [][]any
	for _, c := range steps {
		all = append(all, []any{c.CallID, c.Seq, micros(c.At), c.Step, c.Outcome, c.Detail})
	}
	return insertAll(ctx, q, "call_step", stepColumns, "ON CONFLICT (call_id, seq) DO NOTHING", all)
}

func (s *Store) Call(ctx context.Context, sc store.Scope, id store.CallID) (store.Call, []store.CallStep, error) {
	var w where
	w.and("id = ?", id).scope(sc, "customer_id")
	c, err := find(ctx, s, "call "+string(id), scanCall, "SELECT "+callColumns+" FROM call"+w.text(), w.args...)
	if err != nil {
		return c, nil, err
	}
	steps, err := all(ctx, s, "steps of call "+string(id), scanStep, "SELECT "+stepColumns+" FROM call_step WHERE call_id = $1 ORDER BY seq", id)
	return c, steps, err
}

func (s *Store) ListCalls(ctx context.Context, sc store.Scope, from, to time.Time, p store.Page) ([]store.Call, error) {
	var w where
	w.scope(sc, "customer_id").between("started_at", from, to)
	return list(ctx, s, "list calls", scanCall, callColumns, "call", w, p)
}
