package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// unlessSilent ends a context when nothing has been heard for most: a reading of everything
// may take long, and yet has to be given up soon where the network swallows the answers. The
// context's cause says so. Call stop when it is not needed any more.
func unlessSilent(ctx context.Context, most time.Duration) (_ context.Context, heard, stop func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(most, func() { cancel(fmt.Errorf("nothing came from the database for %v", most)) })
	return ctx, func() { timer.Reset(most) }, func() { timer.Stop(); cancel(nil) }
}

// telling says after each statement that it has been carried out.
type telling struct {
	querier
	done func()
}

func (t telling) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	r, err := t.querier.ExecContext(ctx, query, args...)
	t.done()
	return r, err
}
