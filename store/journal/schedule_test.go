package journal

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// MS7: whatever fails and whenever: the records of a key are over in order, those of a batch
// together; no more than so many attempts are under way, and one while the store does not
// answer, and never two batches; all are over in the end.
func TestSchedule(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const most = 3
		s := newSchedule(most)
		s.room = rapid.IntRange(2, 20).Draw(t, "room")
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		added, over := map[string]uint64{}, map[string]uint64{}
		var underWay [][]record
		busy := map[string]bool{}
		begin := func(work []record) {
			next := map[string]uint64{}
			for _, r := range work {
				if busy[r.Key] || r.seq != over[r.Key]+1+next[r.Key] {
					t.Fatalf("record %d of %s is next, after %d, busy %v", r.seq, r.Key, over[r.Key]+next[r.Key], busy[r.Key])
				}
				if len(work) > 1 && !r.joins() {
					t.Fatalf("%s is in a batch", r.Key)
				}
				next[r.Key]++
			}
			batches := 0
			for _, other := range append(underWay, work) {
				if len(other) > 1 {
					batches++
				}
			}
			for key := range next {
				busy[key] = true
			}
			underWay = append(underWay, work)
			if len(underWay) > most || batches > 1 || (s.failures > 0 && len(underWay) > 1 && s.underWay > most) {
				t.Fatalf("%d under way, %d batches", len(underWay), batches)
			}
		}
		end := func(work []record, fate int) {
			for _, r := range work {
				busy[r.Key] = false
			}
			s.ended(len(work))
			first := work[0]
			switch {
			case fate > 0 && len(work) > 1 && fate%2 == 0:
				s.refused(work)
				return
			case fate > 0 && len(work) > 1:
				s.unanswered(work, now)
				return
			case fate > 0 && !s.stubborn(first.Key):
				s.failed(first.Key, now)
				return
			case len(work) > 1:
				s.fits()
			}
			for _, r := range work {
				over[r.Key]++
				s.over(r.Key, fate == 0)
			}
		}
		step := func(fate int) {
			work, wake := s.next(now)
			switch {
			case len(work) > 0:
				begin(slices.Clone(work))
			case len(underWay) > 0:
				work := underWay[0]
				underWay = underWay[1:]
				end(work, fate)
			case !wake.IsZero():
				if wake.Sub(now) > laneMost || !wake.After(now) {
					t.Fatalf("wakes in %v", wake.Sub(now))
				}
				now = wake
			}
		}
		for range rapid.IntRange(1, 80).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "adds") {
				key := fmt.Sprint(rapid.IntRange(0, 4).Draw(t, "key"))
				added[key]++
				r := record{Key: key, seq: added[key], At: now, body: &conferenceEvents{}}
				if rapid.IntRange(0, 3).Draw(t, "kind") == 0 {
					r.body = &conferenceClosed{}
				}
				s.add(r)
			} else {
				step(rapid.IntRange(0, 2).Draw(t, "fate"))
			}
		}
		for n := 0; s.held > 0; n++ {
			if n > 10_000 {
				t.Fatalf("%d are never delivered", s.held)
			}
			step(0)
		}
		for key := range added {
			if over[key] != added[key] {
				t.Errorf("%d of %d of %s", over[key], added[key], key)
			}
		}
		if len(s.lanes) != 0 || len(s.paused) != 0 || !s.oldest().IsZero() || s.batch || s.underWay != 0 {
			t.Errorf("%d lanes, %d paused, %d under way are left", len(s.lanes), len(s.paused), s.underWay)
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
		key := nextKey(s, now)
		for ; key != "bad"; key = nextKey(s, now) {
			if key != "" {
				s.ended(1)
				s.over(key, true)
			}
			now = now.Add(time.Second)
		}
		if other := nextKey(s, now); other != "" {
			s.ended(1)
			s.over(other, true)
		}
		s.ended(1)
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
		key := nextKey(away, now)
		if key == "" || away.stubborn(key) {
			t.Fatalf("%q, given up though nothing succeeds", key)
		}
		away.ended(1)
		away.failed(key, now)
	}
}

// What waits for another node's record is given up in the end, and holds nobody back.
func TestEarlyRecord(t *testing.T) {
	s := newSchedule(4)
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	now := begin
	s.add(record{Key: "early"})
	for {
		work, wake := s.next(now)
		if len(work) == 0 {
			now = wake
			continue
		}
		s.ended(1)
		if !s.early("early", now) {
			break
		}
		s.add(record{Key: "other"})
		if key := nextKey(s, now); key != "other" {
			t.Fatalf("%q instead of what is held back", key)
		}
		s.ended(1)
		s.over("other", true)
	}
	if d := now.Sub(begin); d < 40*time.Minute || d > 50*time.Minute {
		t.Errorf("given up after %v", d)
	}
}

// nextKey is the key of the record to deliver, one that is delivered by itself; empty: none now.
func nextKey(s *schedule, now time.Time) string {
	if work, _ := s.next(now); len(work) > 0 {
		return work[0].Key
	}
	return ""
}
