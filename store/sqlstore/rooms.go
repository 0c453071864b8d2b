package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/conclave-voice/conclave/store"
)

const roomColumns = `id, customer_id, account_id, name, code_space, host_code, guest_code, home_site, moderated,
	end_grace_us, lost_grace_us, max_participants, guest_role, entry_sound, exit_sound, announce_count, music, keys,
	language, version, created_at, updated_at, record_mode, record_format, record_tracks, record_silent, record_retention`

// scanRoom reads the columns above, and then those that extra is for.
func scanRoom(r scanner, extra ...any) (m store.Room, err error) {
	var keys string
	err = r.Scan(append([]any{&m.ID, &m.CustomerID, &m.AccountID, &m.Name, &m.CodeSpace, &m.HostCode, &m.GuestCode, &m.HomeSite, &m.Moderated,
		span{&m.EndGrace, time.Microsecond}, span{&m.LostGrace, time.Microsecond}, &m.MaxParticipants, &m.GuestRole,
		&m.EntrySound, &m.ExitSound, &m.AnnounceCount, &m.Music, &keys, &m.Language, &m.Version, instant{&m.CreatedAt}, instant{&m.UpdatedAt},
		&m.Recording.Mode, &m.Recording.Format, &m.Recording.Tracks, &m.Recording.Silent, &m.Recording.Retention}, extra...)...)
	if err == nil && keys != "" {
		err = json.Unmarshal([]byte(keys), &m.Keys)
	}
	return m, err
}

func scanPlainRoom(r scanner) (store.Room, error) { return scanRoom(r) }

func roomArgs(m store.Room) ([]any, error) {
	keys := ""
	if m.Keys != nil {
		b, err := json.Marshal(m.Keys)
		if err != nil {
			return nil, err
		}
		keys = string(b)
	}
	return []any{m.ID, m.CustomerID, m.AccountID, m.Name, m.CodeSpace, m.HostCode, m.GuestCode, m.HomeSite, flag(m.Moderated),
		m.EndGrace.Microseconds(), m.LostGrace.Microseconds(), m.MaxParticipants, m.GuestRole, m.EntrySound, m.ExitSound,
		flag(m.AnnounceCount), flag(m.Music), keys, m.Language, m.Version, micros(m.CreatedAt), micros(m.UpdatedAt),
		m.Recording.Mode, m.Recording.Format, flag(m.Recording.Tracks), flag(m.Recording.Silent), m.Recording.Retention}, nil
}

func (s *Store) CreateRoom(ctx context.Context, r store.Room, codeDigits int) (store.Room, error) {
	if err := r.ValidateNew(codeDigits); err != nil {
		return r, fmt.Errorf("create room: %w", err)
	}
	r.Version, r.CreatedAt, r.UpdatedAt = 1, kept(r.CreatedAt), kept(r.UpdatedAt)
	var made store.Room
	err := s.transact(ctx, fmt.Sprintf("create room %q", r.Name), func(q tx) (err error) {
		made, err = room(ctx, q, store.Scope{}, r.ID)
		switch {
		case err == nil && made.AccountID != r.AccountID:
			return fmt.Errorf("%w: the room's id is taken; make a new one", store.ErrConflict)
		case err == nil || !errors.Is(err, sql.ErrNoRows):
			return err // created before: the call is a repetition
		}
		made = r
		if err := ownAccount(ctx, q, made); err != nil {
			return err
		}
		if err := takeAllCodes(ctx, q, &made, codeDigits); err != nil {
			return err
		}
		args, err := roomArgs(made)
		if err != nil {
			return err
		}
		n, err := insert(ctx, q, "room", roomColumns, "", args...)
		return noted(ctx, q, rooms, made.ID, n, err)
	})
	return made, err
}

// ownAccount says whether the account is the customer's. The table would refuse
// another's too, but not say why.
func ownAccount(ctx context.Context, q querier, r store.Room) error {
	n, err := count(ctx, q, "SELECT COUNT(*) FROM account WHERE id = $1 AND customer_id = $2", r.AccountID, r.CustomerID)
	if err == nil && n == 0 {
		return fmt.Errorf("account %q of customer %q: %w", r.AccountID, r.CustomerID, store.ErrNotFound)
	}
	return err
}

func room(ctx context.Context, q querier, sc store.Scope, id store.RoomID) (store.Room, error) {
	var w where
	w.and("id = ?", id).scope(sc, "customer_id")
	return scanRoom(q.QueryRowContext(ctx, "SELECT "+roomColumns+" FROM room"+w.text(), w.args...))
}

func (s *Store) Room(ctx context.Context, sc store.Scope, id store.RoomID) (r store.Room, err error) {
	err = s.query(ctx, "room "+string(id), func(q querier) error {
		r, err = room(ctx, q, sc, id)
		return err
	})
	return r, err
}

func (s *Store) ListRooms(ctx context.Context, sc store.Scope, p store.Page) ([]store.Room, error) {
	var w where
	w.scope(sc, "customer_id")
	return list(ctx, s, "list rooms", scanPlainRoom, roomColumns, "room", w, p)
}

func (s *Store) UpdateRoom(ctx context.Context, sc store.Scope, r store.Room) (store.Room, error) {
	var changed store.Room
	err := s.transact(ctx, "change room "+string(r.ID), func(q tx) error {
		old, err := room(ctx, q, sc, r.ID)
		if err != nil {
			return err
		}
		changed = r
		changed.CustomerID, changed.AccountID, changed.CodeSpace, changed.CreatedAt = old.CustomerID, old.AccountID, old.CodeSpace, old.CreatedAt
		changed.UpdatedAt = kept(r.UpdatedAt)
		changed.Version++
		if err := changed.Validate(); err != nil {
			return err
		}
		switch {
		case q.unsure && reflect.DeepEqual(old, changed):
			return nil // an earlier run did it
		case old.Version != r.Version:
			return fmt.Errorf("%w: it has version %d, not %d; read it again", store.ErrVersion, old.Version, r.Version)
		case old.HostCode == changed.HostCode && old.GuestCode == changed.GuestCode:
			return replaceRoom(ctx, q, changed)
		}
		// In this order, because a room refers to its codes.
		if err := takeCodes(ctx, q, changed); err != nil {
			return err
		}
		if err := replaceRoom(ctx, q, changed); err != nil {
			return err
		}
		return freeOtherCodes(ctx, q, changed)
	})
	return changed, err
}

// replaceRoom writes a room over its earlier version.
func replaceRoom(ctx context.Context, q querier, r store.Room) error {
	args, err := roomArgs(r)
	if err != nil {
		return err
	}
	var set []string
	for i, column := range strings.Split(roomColumns, ",") {
		set = append(set, fmt.Sprintf("%s = $%d", strings.TrimSpace(column), i+1))
	}
	args = append(args, r.Version-1)
	if err := one(q.ExecContext(ctx, fmt.Sprintf("UPDATE room SET %s WHERE id = $1 AND version = $%d", strings.Join(set, ", "), len(args)), args...)); err != nil {
		return err
	}
	return changed(ctx, q, rooms, r.ID)
}

func (s *Store) DeleteRoom(ctx context.Context, sc store.Scope, id store.RoomID) error {
	return s.transact(ctx, "remove room "+string(id), func(q tx) error {
		if _, err := room(ctx, q, sc, id); err != nil {
			if errors.Is(err, sql.ErrNoRows) {
				err = store.ErrNotFound
			}
			return q.gone(err)
		}
		open, err := count(ctx, q, "SELECT COUNT(*) FROM conference WHERE room_id = $1 AND ended_at = 0", id)
		if err != nil {
			return err
		}
		if open > 0 {
			return fmt.Errorf("%w: a conference of it is open; end it first", store.ErrInUse)
		}
		if err := noteRemoval(ctx, q, id); err != nil {
			return err
		}
		if err := one(q.ExecContext(ctx, "DELETE FROM room WHERE id = $1", id)); err != nil {
			return err
		}
		_, err = q.ExecContext(ctx, "DELETE FROM room_code WHERE room_id = $1", id)
		return err
	})
}

// noteRemoval notes that a room goes, and that its numbers will ask for codes.
func noteRemoval(ctx context.Context, q querier, id store.RoomID) error {
	numbers, err := rows(ctx, q, scanName, "SELECT id FROM access_number WHERE room_id = $1", id)
	if err != nil {
		return err
	}
	for _, n := range numbers {
		if err := changed(ctx, q, accessNumbers, n); err != nil {
			return err
		}
	}
	return changed(ctx, q, rooms, id)
}

func scanName(r scanner) (name string, err error) {
	err = r.Scan(&name)
	return name, err
}
