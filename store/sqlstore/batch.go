package sqlstore

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/money"
)

// Deliver writes each kind of record with one statement for all of them. First it locks the
// accounts, in order: many nodes deliver at once after an outage, and a batch that found out
// late that another was faster would have to begin again.
func (s *Store) Deliver(ctx context.Context, b store.Batch) error {
	if err := b.Validate(); err != nil {
		return fmt.Errorf("deliver a batch: %w", err)
	}
	entries := make([]store.EntryID, len(b.Ends)) // the same in every run of the transaction
	for i := range entries {
		entries[i] = store.NewEntryID()
	}
	if b.Empty() {
		return nil
	}
	return s.transact(ctx, "deliver a batch", func(q tx) error {
		if err := lockAccounts(ctx, q, b); err != nil {
			return err
		}
		if err := putCalls(ctx, q, latest(b.Calls)); err != nil {
			return err
		}
		if err := insertSteps(ctx, q, b.Steps); err != nil {
			return err
		}
		if err := insertStays(ctx, q, b.Stays); err != nil {
			return err
		}
		if err := insertEvents(ctx, q, b.Events); err != nil {
			return err
		}
		if err := settleAll(ctx, q, b, entries); err != nil {
			return err
		}
		return beatAll(ctx, q, b.Beats)
	})
}

func lockAccounts(ctx context.Context, q querier, b store.Batch) error {
	concerned := map[store.AccountID]bool{}
	for _, p := range b.Stays {
		concerned[p.Participant.AccountID] = true
	}
	for _, x := range b.Ends {
		concerned[x.AccountID] = true
	}
	if len(concerned) == 0 {
		return nil
	}
	condition, args := among("id", slices.Sorted(maps.Keys(concerned)))
	// Not SELECT … FOR UPDATE, which SQLite lacks.
	_, err := q.ExecContext(ctx, "UPDATE account SET reserved = reserved WHERE "+condition, args...)
	return err
}

// latest is what remains of each call: a statement changes a row once.
func latest(calls []store.Call) []store.Call {
	var kept []store.Call
	place := map[store.CallID]int{}
	for _, c := range calls {
		i, known := place[c.ID]
		switch {
		case !known:
			place[c.ID] = len(kept)
			kept = append(kept, c)
		case kept[i].EndedAt.IsZero() || !c.EndedAt.IsZero():
			kept[i] = c
		}
	}
	return kept
}

// insertStays adds open stays, those that are not there, with nothing reserved yet.
func insertStays(ctx context.Context, q tx, stays []store.PromisedStay) error {
	var all [][]any
	for _, p := range stays {
		all = append(all, participantRow(p.Participant, 0))
	}
	return insertAll(ctx, q, "participant", participantColumns+", reserved", "ON CONFLICT (id) DO NOTHING", all)
}

// settling is what the stays and xDRs of a batch come to.
type settling struct {
	holdings map[store.ParticipantID]*holding
	changed  map[store.ParticipantID]bool
	reserved map[store.AccountID]money.Amount // to be added to what each has reserved
	spent    map[store.AccountID]money.Amount
	xdrs     [][]any
	charges  []store.LedgerEntry
}

// settleAll reserves what the stays were promised, and settles those that have ended.
func settleAll(ctx context.Context, q tx, b store.Batch, entries []store.EntryID) error {
	if len(b.Stays)+len(b.Ends) == 0 {
		return nil
	}
	s := settling{holdings: map[store.ParticipantID]*holding{}, changed: map[store.ParticipantID]bool{},
		reserved: map[store.AccountID]money.Amount{}, spent: map[store.AccountID]money.Amount{}}
	if err := s.read(ctx, q, b); err != nil {
		return err
	}
	for _, p := range b.Stays {
		s.promise(p)
	}
	for i, x := range b.Ends {
		if err := s.end(x, entries[i]); err != nil {
			return err
		}
	}
	return s.write(ctx, q)
}

// read reads the stays that the batch is about.
func (s *settling) read(ctx context.Context, q querier, b store.Batch) error {
	concerned := map[store.ParticipantID]bool{}
	for _, p := range b.Stays {
		concerned[p.Participant.ID] = true
	}
	for _, x := range b.Ends {
		concerned[x.ID] = true
	}
	condition, args := among("id", slices.Sorted(maps.Keys(concerned)))
	found, err := rows(ctx, q, scanHolding, "SELECT "+holdingColumns+" FROM participant WHERE "+condition, args...)
	for i := range found {
		s.holdings[found[i].stay] = &found[i]
	}
	return err
}

// promise reserves for a stay what its node promised, as RecordStay does.
func (s *settling) promise(p store.PromisedStay) {
	h := s.holdings[p.Participant.ID]
	if h == nil || h.left != 0 || p.Total <= h.reserved {
		return
	}
	s.reserved[h.account] += p.Total - h.reserved
	h.reserved = p.Total
	s.changed[h.stay] = true
}

// end ends a stay, as SettleStay does.
func (s *settling) end(x store.XDR, entry store.EntryID) error {
	h := s.holdings[x.ID]
	switch {
	case h == nil:
		return fmt.Errorf("stay %s: %w", x.ID, store.ErrNotFound)
	case h.left != 0:
		return nil // settled before
	}
	if err := h.fits(x); err != nil {
		return fmt.Errorf("stay %s: %w", x.ID, err)
	}
	if x.IngressTerm < h.term {
		return nil // the stay goes on at the node that has taken its call over
	}
	s.reserved[h.account] -= h.reserved
	s.spent[h.account] += x.Amount
	s.xdrs = append(s.xdrs, xdrRow(x))
	s.charges = append(s.charges, chargeOf(x, entry))
	h.left, h.cause, h.reserved = micros(x.EndedAt), string(x.Cause), 0
	s.changed[h.stay] = true
	return nil
}

// write brings it into the database.
func (s *settling) write(ctx context.Context, q tx) error {
	if err := s.writeStays(ctx, q); err != nil {
		return err
	}
	if err := insertAll(ctx, q, "xdr", xdrColumns, "", s.xdrs); err != nil {
		return err
	}
	return s.writeMoney(ctx, q)
}

// writeStays needs casts: what has no column of a table yet has no type in PostgreSQL. It names
// the ids a second time, for else SQLite reads the whole table.
func (s *settling) writeStays(ctx context.Context, q querier) error {
	if len(s.changed) == 0 {
		return nil
	}
	var values, ids []string
	var args []any
	for _, id := range slices.Sorted(maps.Keys(s.changed)) {
		h, n := s.holdings[id], len(args)
		values = append(values, fmt.Sprintf("(CAST($%d AS TEXT), CAST($%d AS BIGINT), CAST($%d AS TEXT), CAST($%d AS BIGINT))", n+1, n+2, n+3, n+4))
		ids = append(ids, fmt.Sprintf("$%d", n+1))
		args = append(args, h.stay, h.left, h.cause, h.reserved)
	}
	_, err := q.ExecContext(ctx, `UPDATE participant SET left_at = changed.column2, cause = changed.column3, reserved = changed.column4
		FROM (VALUES `+strings.Join(values, ", ")+`) AS changed
		WHERE participant.id = changed.column1 AND participant.id IN (`+strings.Join(ids, ", ")+`)`, args...)
	return err
}

// writeMoney changes each account once, and writes its entries with what the balance was
// after each.
func (s *settling) writeMoney(ctx context.Context, q tx) error {
	balances := map[store.AccountID]money.Amount{}
	for _, id := range slices.Sorted(maps.Keys(s.reserved)) {
		var balance money.Amount
		if err := q.QueryRowContext(ctx, "UPDATE account SET balance = balance - $1, reserved = reserved + $2 WHERE id = $3 RETURNING balance",
			s.spent[id], s.reserved[id], id).Scan(&balance); err != nil {
			return err
		}
		balances[id] = balance + s.spent[id] // before the first
	}
	var all [][]any
	for _, e := range s.charges {
		balances[e.AccountID] += e.Amount
		e.Balance = balances[e.AccountID]
		all = append(all, entryRow(e))
	}
	return insertAll(ctx, q, "ledger_entry", entryColumns, "", all)
}

// beatAll moves each run's heartbeat forward, to the latest.
func beatAll(ctx context.Context, q querier, beats []store.NodeRun) error {
	type run struct {
		node        string
		incarnation int64
	}
	last := map[run]store.NodeRun{}
	for _, b := range beats {
		r := run{b.Node, b.Incarnation}
		if known, ok := last[r]; !ok || b.HeartbeatAt.After(known.HeartbeatAt) {
			last[r] = b
		}
	}
	for _, b := range last { // of one node, as a rule
		if err := advanceRun(ctx, q, b.Node, b.Incarnation, heartbeatUpdate, b.HeartbeatAt); err != nil {
			return err
		}
	}
	return nil
}
