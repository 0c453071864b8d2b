package replica

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/conclave-voice/conclave/store"
)

// Reads is what calls are decided by. The store and its copy have it.
type Reads interface {
	ListCallRules(ctx context.Context) ([]store.CallRule, error)
	SIPUser(ctx context.Context, realm, username string) (store.SIPUser, error)
	AccessNumberByNumber(ctx context.Context, number string) (store.AccessNumber, error)
	RoomByCode(ctx context.Context, codeSpace, code string) (store.CodeMatch, error)
	Room(ctx context.Context, s store.Scope, id store.RoomID) (store.Room, error)
	Account(ctx context.Context, s store.Scope, id store.AccountID) (store.Account, error)
	RateFor(ctx context.Context, t store.TariffID, s store.Service, accessNumber string) (store.Rate, error)
	TokenByHash(ctx context.Context, hash string) (store.APIToken, error)
}

// Guard asks the store within a short time, or says at once that it does not answer.
type Guard interface {
	Do(ctx context.Context, ask func(context.Context) error) error
}

// Reader reads from the store, and from the copy when the store does not answer. It is
// safe for concurrent use.
type Reader struct {
	store   Reads
	replica *Replica
	guard   Guard
	copied  atomic.Uint64
}

// NewReader reads from a store, and a replica of it.
func NewReader(s Reads, r *Replica, g Guard) *Reader { return &Reader{store: s, replica: r, guard: g} }

// Copied is how many answers came from the copy.
func (r *Reader) Copied() uint64 { return r.copied.Load() }

// read asks the store, or the copy. If neither can be asked the error tells of both.
func read[T any](ctx context.Context, r *Reader, ask func(context.Context, Reads) (T, error)) (found T, err error) {
	away := r.guard.Do(ctx, func(ctx context.Context) (err error) {
		found, err = ask(ctx, r.store)
		return err
	})
	if store.Answered(away) || ctx.Err() != nil {
		return found, away
	}
	if err := r.replica.Usable(); err != nil {
		return found, errors.Join(away, err)
	}
	found, err = ask(ctx, r.replica.copy)
	if err == nil || store.Answered(err) {
		r.copied.Add(1)
		return found, err
	}
	return found, errors.Join(away, fmt.Errorf("local copy: %w", err))
}

func (r *Reader) ListCallRules(ctx context.Context) ([]store.CallRule, error) {
	return read(ctx, r, func(ctx context.Context, s Reads) ([]store.CallRule, error) { return s.ListCallRules(ctx) })
}

func (r *Reader) SIPUser(ctx context.Context, realm, username string) (store.SIPUser, error) {
	return read(ctx, r, func(ctx context.Context, s Reads) (store.SIPUser, error) { return s.SIPUser(ctx, realm, username) })
}

func (r *Reader) AccessNumberByNumber(ctx context.Context, number string) (store.AccessNumber, error) {
	return read(ctx, r, func(ctx context.Context, s Reads) (store.AccessNumber, error) {
		return s.AccessNumberByNumber(ctx, number)
	})
}

func (r *Reader) RoomByCode(ctx context.Context, codeSpace, code string) (store.CodeMatch, error) {
	return read(ctx, r, func(ctx context.Context, s Reads) (store.CodeMatch, error) { return s.RoomByCode(ctx, codeSpace, code) })
}

func (r *Reader) Room(ctx context.Context, sc store.Scope, id store.RoomID) (store.Room, error) {
	return read(ctx, r, func(ctx context.Context, s Reads) (store.Room, error) { return s.Room(ctx, sc, id) })
}

func (r *Reader) Account(ctx context.Context, sc store.Scope, id store.AccountID) (store.Account, error) {
	return read(ctx, r, func(ctx context.Context, s Reads) (store.Account, error) { return s.Account(ctx, sc, id) })
}

func (r *Reader) RateFor(ctx context.Context, t store.TariffID, sv store.Service, number string) (store.Rate, error) {
	return read(ctx, r, func(ctx context.Context, s Reads) (store.Rate, error) { return s.RateFor(ctx, t, sv, number) })
}

func (r *Reader) TokenByHash(ctx context.Context, hash string) (store.APIToken, error) {
	return read(ctx, r, func(ctx context.Context, s Reads) (store.APIToken, error) { return s.TokenByHash(ctx, hash) })
}
