package sqlstore

import (
	"context"
	"crypto/rand"
	"fmt"
	"math/big"

	"github.com/conclave-voice/conclave/store"
)

// codeTries is how many random codes are tried before the space counts as full:
// with half of it taken, all of them fail once in a million million times; with 90
// in a hundred, once in 70. A space that full is a bad one anyway, because who
// guesses finds a room.
const codeTries = 40

// takeAllCodes takes the codes that the room names, and random ones for those that
// it does not.
func takeAllCodes(ctx context.Context, q querier, r *store.Room, digits int) error {
	if err := takeCodes(ctx, q, *r); err != nil {
		return err
	}
	for _, c := range []struct {
		code *string
		host bool
	}{{&r.HostCode, true}, {&r.GuestCode, false}} {
		if *c.code != "" {
			continue
		}
		free, err := takeRandomCode(ctx, q, *r, c.host, digits)
		if err != nil {
			return err
		}
		*c.code = free
	}
	return nil
}

// takeCodes makes the codes that the room names lead to it, as host or guest. A code
// of another room is a conflict; whose it is stays untold.
func takeCodes(ctx context.Context, q querier, r store.Room) error {
	for _, c := range []struct {
		name, code string
		host       bool
	}{{"host", r.HostCode, true}, {"guest", r.GuestCode, false}} {
		if c.code == "" {
			continue
		}
		// A code that is this room's already may change its role.
		n, err := takeCode(ctx, q, r, c.code, c.host,
			"ON CONFLICT (code_space, code) DO UPDATE SET host = excluded.host WHERE room_code.room_id = excluded.room_id")
		if err != nil {
			return err
		}
		if n == 0 {
			return fmt.Errorf("%w: the %s code is taken in code space %q; choose another, or a random one", store.ErrConflict, c.name, r.CodeSpace)
		}
	}
	return nil
}

// takeRandomCode goes by the table's key: of those who try the same code at once, one
// gets it.
func takeRandomCode(ctx context.Context, q querier, r store.Room, host bool, digits int) (string, error) {
	limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil)
	for range codeTries {
		n, err := rand.Int(rand.Reader, limit)
		if err != nil {
			return "", fmt.Errorf("make a random access code: %w", err)
		}
		code := fmt.Sprintf("%0*d", digits, n)
		taken, err := takeCode(ctx, q, r, code, host, "ON CONFLICT (code_space, code) DO NOTHING")
		if err != nil || taken == 1 {
			return code, err
		}
	}
	return "", fmt.Errorf("%w of %d digits in code space %q; use longer codes", store.ErrNoFreeCode, digits, r.CodeSpace)
}

func takeCode(ctx context.Context, q querier, r store.Room, code string, host bool, onConflict string) (int64, error) {
	return insert(ctx, q, "room_code", "code_space, code, room_id, host", onConflict, r.CodeSpace, code, r.ID, flag(host))
}

// freeOtherCodes lets go the codes that led to the room and are no longer its own.
func freeOtherCodes(ctx context.Context, q querier, r store.Room) error {
	_, err := q.ExecContext(ctx, "DELETE FROM room_code WHERE room_id = $1 AND code NOT IN ($2, $3)", r.ID, r.HostCode, r.GuestCode)
	return err
}

func (s *Store) RoomByCode(ctx context.Context, codeSpace, code string) (store.CodeMatch, error) {
	// One statement, so that the room and the role are of the same instant.
	return find(ctx, s, "room by access code", scanMatch, "SELECT "+roomColumns+", "+`(SELECT host FROM room_code WHERE code_space = $1 AND code = $2)
		FROM room WHERE id = (SELECT room_id FROM room_code WHERE code_space = $1 AND code = $2)`, codeSpace, code)
}

func scanMatch(r scanner) (m store.CodeMatch, err error) {
	var host bool
	m.Room, err = scanRoom(r, &host)
	if m.Role = m.Room.GuestRole; host {
		m.Role = store.RoleModerator
	}
	return m, err
}
