package sqlstore

import (
	"fmt"
	"testing"

	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/money"
)

// BenchmarkStay begins a stay and settles it: two transactions. In "one account" all
// stays change one row.
func BenchmarkStay(b *testing.B) {
	for name, dsn := range databases {
		for _, accounts := range []int{1, 64} {
			for _, callers := range []int{1, 16} {
				b.Run(fmt.Sprintf("%s/accounts=%d/callers=%d", name, accounts, callers), func(b *testing.B) {
					benchmarkStay(b, openMigrated(b, dsn(b)), accounts, callers)
				})
			}
		}
	}
}

func benchmarkStay(b *testing.B, s *Store, accounts, callers int) {
	worlds := make([]*world, accounts)
	for i := range worlds {
		worlds[i] = newWorld(b, s)
	}
	next := make(chan *world, b.N)
	for i := range b.N {
		next <- worlds[i%accounts]
	}
	close(next)
	done := make(chan error, callers)
	b.ResetTimer()
	for range callers {
		go func() {
			for w := range next {
				p := w.newStay()
				if err := w.s.BeginStay(b.Context(), p, money.Unit); err != nil {
					done <- err
					return
				}
				if err := yes(w.s.SettleStay(b.Context(), settlement(p))); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range callers {
		if err := <-done; err != nil {
			b.Error(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "stays/s")
}

// BenchmarkRoomByCode is what each caller waits for after the last digit.
func BenchmarkRoomByCode(b *testing.B) {
	for name, dsn := range databases {
		b.Run(name, func(b *testing.B) {
			w := newWorld(b, openMigrated(b, dsn(b)))
			for b.Loop() {
				if m, err := w.s.RoomByCode(b.Context(), "space", w.room.GuestCode); err != nil || m.Role != store.RoleSpeaker {
					b.Fatal(m, err)
				}
			}
		})
	}
}

// BenchmarkBacklog delivers stays that began and ended while the database was away, one
// record at a time or a batch.
func BenchmarkBacklog(b *testing.B) {
	for name, dsn := range databases {
		for _, stays := range []int{1, 10, 50} {
			b.Run(fmt.Sprintf("%s/batch=%d", name, stays), func(b *testing.B) {
				w := newWorld(b, openMigrated(b, dsn(b)))
				n := 0
				for b.Loop() {
					n += stays
					if err := deliver(b, w, stays); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "stays/s")
			})
		}
	}
}

// deliver tells of so many stays; of one, record by record.
func deliver(b *testing.B, w *world, stays int) error {
	var all store.Batch
	for range stays {
		p := w.newStay()
		all.Stays = append(all.Stays, store.PromisedStay{Participant: p, Total: money.Unit})
		all.Ends = append(all.Ends, settlement(p))
	}
	if stays > 1 {
		return w.s.Deliver(b.Context(), all)
	}
	if err := w.s.RecordStay(b.Context(), all.Stays[0].Participant, money.Unit); err != nil {
		return err
	}
	return yes(w.s.SettleStay(b.Context(), all.Ends[0]))
}
