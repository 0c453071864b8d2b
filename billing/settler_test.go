package billing

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/jonboulle/clockwork"

	"github.com/conclave-voice/conclave/store"
)

// desk settles in memory. answer says what becomes of an attempt.
type desk struct {
	mu       sync.Mutex
	settled  []store.ParticipantID
	attempts int
	now      int // under way
	most     int
	answer   func(d *desk, x store.XDR) error
	takes    time.Duration
}

func (d *desk) SettleStay(ctx context.Context, x store.XDR) (bool, error) {
	d.mu.Lock()
	d.attempts++
	d.now++
	d.most = max(d.most, d.now)
	d.mu.Unlock()
	if d.takes > 0 {
		select {
		case <-time.After(d.takes):
		case <-ctx.Done():
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.now--
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if d.answer != nil {
		if err := d.answer(d, x); err != nil {
			return false, err
		}
	}
	if slices.Contains(d.settled, x.ID) {
		return false, nil
	}
	d.settled = append(d.settled, x.ID)
	return true, nil
}

// run starts a settler in a bubble whose time is its own, and returns how to stop it.
func run(t *testing.T, d *desk, capacity int, logger hclog.Logger) (s *Settler, stop func()) {
	s = NewSettler(d, capacity, clockwork.NewRealClock(), logger)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	return s, func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func xdr(i int) store.XDR { return store.XDR{ID: store.ParticipantID(fmt.Sprint("p", i))} }

// BL6: what ends during an outage is settled after it, once, within the longest pause.
func TestSettlerOutlivesAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		d := &desk{answer: func(*desk, store.XDR) error {
			if time.Since(begin) < time.Hour {
				return errAway
			}
			return nil
		}}
		s, stop := run(t, d, 1000, hclog.NewNullLogger())
		for i := range 500 {
			s.Put(xdr(i % 250)) // each is put twice
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		d.mu.Lock()
		if d.attempts > 3600 {
			t.Errorf("%d attempts in an hour of outage", d.attempts)
		}
		d.mu.Unlock()
		time.Sleep(pauseMost)
		synctest.Wait()
		if stats := s.Stats(); len(d.settled) != 250 || stats.Waiting != 0 || stats.Settled != 250 || stats.Repeated != 250 || d.most > settleAtOnce {
			t.Errorf("%d settled, %d at once, %+v", len(d.settled), d.most, stats)
		}
		stop()
	})
}

// A record that the store refuses by itself keeps no other back; one that it does not
// know is given up and logged with all that it says.
func TestSettlerPassesOverBadRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		d := &desk{answer: func(_ *desk, x store.XDR) error {
			switch x.ID {
			case "p0":
				return errors.New("constraint violated")
			case "p1":
				return fmt.Errorf("settle: %w", store.ErrNotFound)
			case "p2":
				return fmt.Errorf("settle: %w", store.ErrInvalid)
			}
			return nil
		}}
		s, stop := run(t, d, 1000, hclog.New(&hclog.LoggerOptions{Output: &log, Level: hclog.Error}))
		for i := range 300 {
			x := xdr(i)
			x.RoomName = fmt.Sprint("room ", i)
			s.Put(x)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if stats := s.Stats(); len(d.settled) != 297 || stats.Waiting != 1 || stats.GivenUp != 2 {
			t.Errorf("%d settled, %+v", len(d.settled), stats)
		}
		stop()
		if stats := s.Stats(); stats.Left != 1 || !strings.Contains(log.String(), "room 1") || !strings.Contains(log.String(), "participant=p0") {
			t.Errorf("%+v\n%s", stats, log.String())
		}
	})
}

// Put waits while as many records wait as may, and not for ever.
func TestSettlerFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		away := true
		d := &desk{answer: func(*desk, store.XDR) error {
			if away {
				return errAway
			}
			return nil
		}}
		s, stop := run(t, d, 3, hclog.NewNullLogger())
		for i := range 3 {
			s.Put(xdr(i))
		}
		begin := time.Now()
		s.Put(xdr(3))
		if waited := time.Since(begin); waited != putTime || s.Stats().Left != 1 {
			t.Errorf("waited %v, %+v", waited, s.Stats())
		}
		put := make(chan time.Time)
		go func() { s.Put(xdr(4)); put <- time.Now() }()
		synctest.Wait()
		d.mu.Lock()
		away = false
		d.mu.Unlock()
		<-put
		time.Sleep(time.Minute)
		stop()
		if len(d.settled) != 4 || slices.Contains(d.settled, "p3") {
			t.Errorf("settled %v", d.settled)
		}
	})
}

// On stop what waits is settled if the store takes it in five seconds; the rest, and
// what comes later, is left to recovery and said so.
func TestSettlerStops(t *testing.T) {
	for _, c := range []struct {
		name          string
		takes         time.Duration
		settled, left int
	}{
		{"at once", 0, 100, 0},
		{"slowly", 200 * time.Millisecond, 100, 0},
		{"too slowly", time.Second, 20, 80},
		{"not at all", time.Hour, 0, 100},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &desk{takes: c.takes}
				s, stop := run(t, d, 1000, hclog.NewNullLogger())
				for i := range 100 {
					s.Put(xdr(i))
				}
				begin := time.Now()
				stop()
				// One attempt may end in the very instant of the deadline.
				if n, left := len(d.settled), int(s.Stats().Left); n+left != 100 || n < c.settled-settleAtOnce || n > c.settled+settleAtOnce ||
					time.Since(begin) > lastTime {
					t.Errorf("%d settled, %d left, after %v", n, left, time.Since(begin))
				}
				before := s.Stats().Left
				s.Put(xdr(1000))
				if s.Stats().Left != before+1 {
					t.Error("a record after the end is not accounted for")
				}
			})
		})
	}
}

// What waits out a pause when the node stops is tried once more at once.
func TestSettlerHurriesOnStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		away := true
		d := &desk{answer: func(*desk, store.XDR) error {
			if away {
				return errAway
			}
			return nil
		}}
		s, stop := run(t, d, 10, hclog.NewNullLogger())
		s.Put(xdr(0))
		time.Sleep(time.Minute) // the pauses are long by now
		synctest.Wait()
		d.mu.Lock()
		away = false
		d.mu.Unlock()
		begin := time.Now()
		stop()
		if len(d.settled) != 1 || time.Since(begin) != 0 {
			t.Errorf("%d settled after %v", len(d.settled), time.Since(begin))
		}
	})
}
