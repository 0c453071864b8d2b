package journal

import "time"

const (
	pauseFirst = 50 * time.Millisecond
	pauseMost  = time.Second // while the store does not answer
	laneMost   = 5 * time.Second
	// mostStrikes is how often a record may fail while others succeed.
	mostStrikes = 100
	// earlyMost makes that some 45 minutes for a record that another node's has to precede.
	earlyMost = 30 * time.Second
)

// schedule decides which record is delivered when: in order within a key, the keys side
// by side, and one at a time while the store does not answer. It is pure.
type schedule struct {
	atOnce   int
	lanes    map[string]*lane
	ready    []*lane // with a record to deliver now, first come, first served
	paused   []*lane
	underWay int
	held     int // records in all lanes

	failures  int       // in a row, of whatever record
	notUntil  time.Time // the store is left alone so long
	successes uint64
}

// lane holds the records of a key.
type lane struct {
	records  []record
	notUntil time.Time
	strikes  int    // how often the first record failed while others succeeded
	seen     uint64 // successes of all when it was last tried
}

func newSchedule(atOnce int) *schedule {
	return &schedule{atOnce: atOnce, lanes: map[string]*lane{}}
}

// add puts a record behind those of its key.
func (s *schedule) add(r record) {
	l := s.lanes[r.Key]
	if l == nil {
		l = &lane{}
		s.lanes[r.Key] = l
		s.ready = append(s.ready, l)
	}
	l.records = append(l.records, r)
	s.held++
}

// next is a record to deliver now; else when there may be one, zero if only an event can
// tell. The lane of the record is busy until delivered or failed.
func (s *schedule) next(now time.Time) (r record, ok bool, wake time.Time) {
	if now.Before(s.notUntil) {
		return r, false, s.notUntil
	}
	still := s.paused[:0]
	for _, l := range s.paused {
		if !now.Before(l.notUntil) {
			s.ready = append(s.ready, l)
			continue
		}
		if wake.IsZero() || l.notUntil.Before(wake) {
			wake = l.notUntil
		}
		still = append(still, l)
	}
	s.paused = still
	most := s.atOnce
	if s.failures > 0 {
		most = 1 // until one succeeds
	}
	if len(s.ready) == 0 || s.underWay >= most {
		return r, false, wake
	}
	l := s.ready[0]
	s.ready = s.ready[1:]
	s.underWay++
	if l.strikes == 0 {
		l.seen = s.successes
	}
	return l.records[0], true, time.Time{}
}

// over: the first record of a key needs no more attempts. answered says whether the
// store had to do with it.
func (s *schedule) over(key string, answered bool) {
	l := s.lanes[key]
	s.underWay--
	s.held--
	if answered {
		s.failures, s.notUntil = 0, time.Time{}
		s.successes++
	}
	l.records = l.records[1:]
	l.strikes = 0
	if len(l.records) == 0 {
		delete(s.lanes, key)
		return
	}
	s.ready = append(s.ready, l)
}

// stubborn counts a failure of the first record of a key against the record itself, if
// others succeeded meanwhile, and says whether that has been so too often.
func (s *schedule) stubborn(key string) bool {
	l := s.lanes[key]
	if s.successes > l.seen {
		l.strikes++
		l.seen = s.successes
	}
	return l.strikes >= mostStrikes
}

// failed: the first record of a key was not taken, and is to be tried again: later than
// others, if it is its own fault.
func (s *schedule) failed(key string, now time.Time) {
	l := s.lanes[key]
	s.underWay--
	s.failures++
	s.notUntil = now.Add(doubled(pauseFirst, s.failures, pauseMost))
	if l.strikes == 0 {
		s.ready = append(s.ready, l)
		return
	}
	l.notUntil = now.Add(doubled(pauseFirst, l.strikes, laneMost))
	s.paused = append(s.paused, l)
}

// early: the store does not know yet what the first record of a key refers to, and which
// another node may have to tell. It says whether the record is to wait, and others go on;
// false: that has been so too often.
func (s *schedule) early(key string, now time.Time) bool {
	l := s.lanes[key]
	if l.strikes++; l.strikes >= mostStrikes {
		return false
	}
	s.underWay--
	s.failures, s.notUntil = 0, time.Time{}
	l.notUntil = now.Add(doubled(pauseFirst, l.strikes, earlyMost))
	s.paused = append(s.paused, l)
	return true
}

// hurry ends all pauses.
func (s *schedule) hurry() {
	s.notUntil = time.Time{}
	for _, l := range s.paused {
		l.notUntil = time.Time{}
	}
}

// oldest is when the oldest record was made that is held; zero if there is none.
func (s *schedule) oldest() (at time.Time) {
	for _, l := range s.lanes {
		if first := l.records[0].At; at.IsZero() || first.Before(at) {
			at = first
		}
	}
	return at
}

// doubled is first, doubled n-1 times, up to most.
func doubled(first time.Duration, n int, most time.Duration) time.Duration {
	for ; n > 1 && first < most; n-- {
		first *= 2
	}
	return min(first, most)
}
