package journal

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// MS7: whatever fails and whenever: the records of a key are over in order, one at a time;
// no more than so many are under way, and one while the store does not answer; all are
// over in the end.
func TestSchedule(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const most = 3
		s := newSchedule(most)
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		added, over := map[string]uint64{}, map[string]uint64{}
		var underWay []record
		busy := map[string]bool{}
		step := func(fails bool) {
			r, ok, wake := s.next(now)
			switch {
			case ok:
				if busy[r.Key] || r.seq != over[r.Key]+1 {
					t.Fatalf("record %d of %s is next, after %d, busy %v", r.seq, r.Key, over[r.Key], busy[r.Key])
				}
				busy[r.Key] = true
				underWay = append(underWay, r)
				if len(underWay) > most || (s.failures > 0 && len(underWay) > 1 && s.underWay > most) {
					t.Fatalf("%d under way", len(underWay))
				}
				return
			case len(underWay) > 0:
				r := underWay[0]
				underWay = underWay[1:]
				busy[r.Key] = false
				if fails && !s.stubborn(r.Key) {
					s.failed(r.Key, now)
					return
				}
				over[r.Key]++
				s.over(r.Key, !fails)
				return
			case !wake.IsZero():
				if wake.Sub(now) > laneMost || !wake.After(now) {
					t.Fatalf("wakes in %v", wake.Sub(now))
				}
				now = wake
			}
		}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "adds") {
				key := fmt.Sprint(rapid.IntRange(0, 4).Draw(t, "key"))
				added[key]++
				s.add(record{Key: key, seq: added[key], At: now})
			} else {
				step(rapid.Bool().Draw(t, "fails"))
			}
		}
		for n := 0; s.held > 0; n++ {
			if n > 10_000 {
				t.Fatalf("%d are never delivered", s.held)
			}
			step(false)
		}
		for key := range added {
			if over[key] != added[key] {
				t.Errorf("%d of %d of %s", over[key], added[key], key)
			}
		}
		if len(s.lanes) != 0 || len(s.paused) != 0 || !s.oldest().IsZero() {
			t.Errorf("%d lanes, %d paused, are left", len(s.lanes), len(s.paused))
		}
	})
}

// MS7: a record that fails by itself does not keep the others, and is given up; while the
// store is away none is.
func TestStubbornRecord(t *testing.T) {
	s := newSchedule(4)
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s.add(record{Key: "bad"})
	for n := 0; ; n++ {
		if n > mostStrikes {
			t.Fatal("it is never given up")
		}
		s.add(record{Key: fmt.Sprint(n)})
		r, _, _ := s.next(now)
		for ; r.Key != "bad"; r, _, _ = s.next(now) {
			if r.Key != "" {
				s.over(r.Key, true)
			}
			now = now.Add(time.Second)
		}
		if other, ok, _ := s.next(now); ok {
			s.over(other.Key, true)
		}
		if s.stubborn("bad") {
			break
		}
		s.failed("bad", now)
	}
	away := newSchedule(4)
	away.add(record{Key: "a"})
	away.add(record{Key: "b"})
	for range 10 * mostStrikes {
		now = now.Add(pauseMost)
		r, ok, _ := away.next(now)
		if !ok || away.stubborn(r.Key) {
			t.Fatalf("%v, given up though nothing succeeds", ok)
		}
		away.failed(r.Key, now)
	}
}

// What waits for another node's record is given up in the end, and holds nobody back.
func TestEarlyRecord(t *testing.T) {
	s := newSchedule(4)
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	now := begin
	s.add(record{Key: "early"})
	for {
		r, ok, wake := s.next(now)
		if !ok {
			now = wake
			continue
		}
		if r.Key != "early" {
			s.over(r.Key, true)
			continue
		}
		if !s.early(r.Key, now) {
			break
		}
		s.add(record{Key: "other"})
		if r, ok, _ := s.next(now); !ok || r.Key != "other" {
			t.Fatalf("%+v is held back", r)
		}
		s.over("other", true)
	}
	if d := now.Sub(begin); d < 40*time.Minute || d > 50*time.Minute {
		t.Errorf("given up after %v", d)
	}
}
