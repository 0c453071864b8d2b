package sqlstore

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/conclave-voice/conclave/store"
)

const roomColumns = `id, customer_id, account_id, name, code_space, host_code, guest_code, home_site, moderated,
	end_grace_us, lost_grace_us, max_participants, guest_role, entry_sound, exit_sound, announce_count, music, keys,
	language, version, created_at, updated_at`

func scanRoom(r scanner) (m store.Room, err error) {
	var keys string
	err = r.Scan(&m.ID, &m.CustomerID, &m.AccountID, &m.Name, &m.CodeSpace, &m.HostCode, &m.GuestCode, &m.HomeSite, &m.Moderated,
		span{&m.EndGrace, time.Microsecond}, span{&m.LostGrace, time.Microsecond}, &m.MaxParticipants, &m.GuestRole,
		&m.EntrySound, &m.ExitSound, &m.AnnounceCount, &m.Music, &keys, &m.Language, &m.Version, instant{&m.CreatedAt}, instant{&m.UpdatedAt})
	if err == nil && keys != "" {
		err = json.Unmarshal([]byte(keys), &m.Keys)
	}
	return m, err
}

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
		flag(m.AnnounceCount), flag(m.Music), keys, m.Language, m.Version, micros(m.CreatedAt), micros(m.UpdatedAt)}, nil
}

// codeTries is how many random codes are tried before the space counts as full:
// with half of it taken, all of them fail once in a million million times.
const codeTries = 40

func (s *Store) CreateRoom(ctx context.Context, r store.Room, codeDigits int) (store.Room, error) {
	if codeDigits < 4 || codeDigits > 12 {
		return r, fmt.Errorf("%w code length %d: it must be 4 to 12 digits", store.ErrInvalid, codeDigits)
	}
	var kept store.Room
	err := s.write(ctx, fmt.Sprintf("create room %q", r.Name), func(q querier) error {
		kept = r
		if again, err := s.room(ctx, q, store.Scope{}, r.ID); err == nil {
			kept = again // created before: the call is a repetition
			return nil
		}
		if err := fillCodes(ctx, q, &kept, codeDigits); err != nil {
			return err
		}
		if kept.Version == 0 {
			kept.Version = 1
		}
		if err := kept.Validate(); err != nil {
			return err
		}
		args, err := roomArgs(kept)
		if err != nil {
			return err
		}
		if _, err := insert(ctx, q, "room", roomColumns, "", args...); err != nil {
			return err
		}
		return takeCodes(ctx, q, kept)
	})
	return kept, err
}

// fillCodes makes the codes that were not given.
func fillCodes(ctx context.Context, q querier, r *store.Room, digits int) error {
	for _, code := range []*string{&r.HostCode, &r.GuestCode} {
		if *code != "" {
			continue
		}
		free, err := freeCode(ctx, q, r.CodeSpace, digits, r.HostCode+" "+r.GuestCode)
		if err != nil {
			return err
		}
		*code = free
	}
	return nil
}

func freeCode(ctx context.Context, q querier, space string, digits int, not string) (string, error) {
	limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil)
	for range codeTries {
		n, err := rand.Int(rand.Reader, limit)
		if err != nil {
			return "", err
		}
		code := fmt.Sprintf("%0*d", digits, n)
		var taken int64
		if err := q.QueryRowContext(ctx, "SELECT COUNT(*) FROM room_code WHERE code_space = $1 AND code = $2", space, code).Scan(&taken); err != nil {
			return "", err
		}
		if taken == 0 && !strings.Contains(not, code) {
			return code, nil
		}
	}
	return "", fmt.Errorf("%w of %d digits in code space %s: use longer codes", store.ErrNoFreeCode, digits, space)
}

// takeCodes makes the room's codes lead to it. A code that is taken is a conflict;
// whose it is stays untold.
func takeCodes(ctx context.Context, q querier, r store.Room) error {
	for _, c := range []struct {
		field, code string
		host        bool
	}{{"host", r.HostCode, true}, {"guest", r.GuestCode, false}} {
		n, err := insert(ctx, q, "room_code", "code_space, code, room_id, host", "ON CONFLICT (code_space, code) DO NOTHING",
			r.CodeSpace, c.code, r.ID, flag(c.host))
		if err != nil {
			return err
		}
		if n == 0 {
			return fmt.Errorf("%w: the %s code is taken in code space %s; choose another or leave it empty for a random one",
				store.ErrConflict, c.field, r.CodeSpace)
		}
	}
	return nil
}

func (s *Store) room(ctx context.Context, q querier, sc store.Scope, id store.RoomID) (store.Room, error) {
	var w where
	w.and("id = ?", id).scope(sc, "customer_id")
	return scanRoom(q.QueryRowContext(ctx, "SELECT "+roomColumns+" FROM room"+w.text(), w.args...))
}

func (s *Store) Room(ctx context.Context, sc store.Scope, id store.RoomID) (store.Room, error) {
	r, err := s.room(ctx, s.reader(), sc, id)
	return r, s.wrap("room "+string(id), err)
}

func (s *Store) ListRooms(ctx context.Context, sc store.Scope, p store.Page) ([]store.Room, error) {
	var w where
	w.scope(sc, "customer_id")
	tail := w.page(p)
	all, err := list(ctx, s.reader(), scanRoom, "SELECT "+roomColumns+" FROM room"+tail, w.args...)
	return all, s.wrap("list rooms", err)
}

func (s *Store) UpdateRoom(ctx context.Context, sc store.Scope, r store.Room) (store.Room, error) {
	if err := r.Validate(); err != nil {
		return r, err
	}
	var kept store.Room
	err := s.write(ctx, "change room "+string(r.ID), func(q querier) error {
		old, err := s.room(ctx, q, sc, r.ID)
		if err != nil {
			return err
		}
		if old.Version != r.Version {
			return fmt.Errorf("%w: it has version %d, not %d", store.ErrVersion, old.Version, r.Version)
		}
		kept = r
		kept.CustomerID, kept.AccountID, kept.CodeSpace, kept.CreatedAt = old.CustomerID, old.AccountID, old.CodeSpace, old.CreatedAt
		kept.Version++
		if err := replaceRoom(ctx, q, kept, old.Version); err != nil {
			return err
		}
		if old.HostCode == kept.HostCode && old.GuestCode == kept.GuestCode {
			return nil
		}
		if _, err := q.ExecContext(ctx, "DELETE FROM room_code WHERE room_id = $1", kept.ID); err != nil {
			return err
		}
		return takeCodes(ctx, q, kept)
	})
	return kept, err
}

func replaceRoom(ctx context.Context, q querier, r store.Room, version int64) error {
	args, err := roomArgs(r)
	if err != nil {
		return err
	}
	var set []string
	for i, column := range strings.Split(roomColumns, ",") {
		set = append(set, fmt.Sprintf("%s = $%d", strings.TrimSpace(column), i+1))
	}
	args = append(args, version)
	err = one(q.ExecContext(ctx, fmt.Sprintf("UPDATE room SET %s WHERE id = $1 AND version = $%d", strings.Join(set, ", "), len(args)), args...))
	if errors.Is(err, store.ErrNotFound) {
		return store.ErrVersion
	}
	return err
}

func (s *Store) DeleteRoom(ctx context.Context, sc store.Scope, id store.RoomID) error {
	return s.write(ctx, "remove room "+string(id), func(q querier) error {
		if _, err := s.room(ctx, q, sc, id); err != nil {
			return err
		}
		var open int64
		if err := q.QueryRowContext(ctx, "SELECT COUNT(*) FROM conference WHERE room_id = $1 AND ended_at = 0", id).Scan(&open); err != nil {
			return err
		}
		if open > 0 {
			return fmt.Errorf("%w: a conference of it is open; end it first", store.ErrInUse)
		}
		if _, err := q.ExecContext(ctx, "DELETE FROM room_code WHERE room_id = $1", id); err != nil {
			return err
		}
		return one(q.ExecContext(ctx, "DELETE FROM room WHERE id = $1", id))
	})
}

func (s *Store) RoomByCode(ctx context.Context, codeSpace, code string) (m store.CodeMatch, err error) {
	var id store.RoomID
	var host bool
	err = s.reader().QueryRowContext(ctx, "SELECT room_id, host FROM room_code WHERE code_space = $1 AND code = $2", codeSpace, code).Scan(&id, &host)
	if err == nil {
		m.Room, err = s.room(ctx, s.reader(), store.Scope{}, id)
	}
	if m.Role = m.Room.GuestRole; host {
		m.Role = store.RoleModerator
	}
	return m, s.wrap("room by access code", err)
}
