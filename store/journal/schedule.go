package journal

import (
	"slices"
	"time"
)

const (
	pauseFirst = 50 * time.Millisecond
	pauseMost  = time.Second // while the store does not answer
	laneMost   = 5 * time.Second
	// mostStrikes is how often a record may fail while others succeed.
	mostStrikes = 100
	// earlyMost makes that some 45 minutes for a record that another node's has to precede.
	earlyMost = 30 * time.Second
	// batchMost are in a batch: some hundred stays with all that is told of them, which takes
	// no more round trips than a few stays one by one.
	batchMost = 1024
)

// schedule decides which records are delivered when: in order within a key, the keys side
// by side, and one at a time while the store does not answer. Where many wait, those that
// may be delivered together are, in one batch at a time. It is pure.
type schedule struct {
	atOnce   int
	lanes    map[string]*lane
	ready    []*lane // with a record to deliver now, first come, first served
	paused   []*lane
	underWay int  // attempts
	batch    bool // one of them is of several records
	room     int  // how many records a batch holds at most: fewer when one was not taken in time
	held     int  // records in all lanes

	failures  int       // in a row, of whatever record
	notUntil  time.Time // the store is left alone so long
	successes uint64
}

// lane holds the records of a key.
type lane struct {
	records  []record
	notUntil time.Time
	taken    int    // so many of the first are under way
	alone    int    // so many of the first are delivered one by one: the store refused their batch
	strikes  int    // how often the first record failed while others succeeded
	seen     uint64 // successes of all when it was last tried
}

// joining is how many of the first records may go into a batch.
func (l *lane) joining() (n int) {
	if l.alone > 0 || l.strikes > 0 {
		return 0
	}
	for n < len(l.records) && l.records[n].joins() {
		n++
	}
	return n
}

func newSchedule(atOnce int) *schedule {
	return &schedule{atOnce: atOnce, room: batchMost, lanes: map[string]*lane{}}
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

// next is what to deliver now, one record or a batch; else when there may be something, zero
// if only an event can tell. The lanes of the records are busy until over, failed, early
// or refused.
func (s *schedule) next(now time.Time) (work []record, wake time.Time) {
	if now.Before(s.notUntil) {
		return nil, s.notUntil
	}
	wake = s.resume(now)
	most := s.atOnce
	if s.failures > 0 {
		most = 1 // until one succeeds
	}
	if s.underWay >= most {
		return nil, wake
	}
	if s.failures == 0 && !s.batch {
		work = s.gather()
	}
	if work == nil {
		work = s.single()
	}
	if work == nil {
		return nil, wake
	}
	s.underWay++
	s.batch = s.batch || len(work) > 1
	return work, time.Time{}
}

// resume takes up the lanes whose pause is over, and returns when the next one's is.
func (s *schedule) resume(now time.Time) (wake time.Time) {
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
	return wake
}

// gather makes a batch of the first records of all lanes that are ready; nil if no two may
// be delivered together.
func (s *schedule) gather() (work []record) {
	total := 0
	for _, l := range s.ready {
		total += l.joining()
	}
	if min(total, s.room) < 2 {
		return nil
	}
	rest := s.ready[:0]
	for _, l := range s.ready {
		n := min(l.joining(), s.room-len(work))
		if n == 0 {
			rest = append(rest, l)
			continue
		}
		work = append(work, l.records[:n]...)
		l.taken = n
	}
	s.ready = rest
	return work
}

// single takes the first record of a lane. Beside a batch none is taken that could be in
// one: what changes the same account would only get in its way.
func (s *schedule) single() []record {
	for i, l := range s.ready {
		if s.batch && l.joining() > 0 {
			continue
		}
		s.ready = slices.Delete(s.ready, i, i+1)
		l.taken = 1
		if l.strikes == 0 {
			l.seen = s.successes
		}
		return l.records[:1]
	}
	return nil
}

// ended: an attempt is over, whatever came of it. What did is told next.
func (s *schedule) ended(records int) {
	s.underWay--
	s.batch = s.batch && records == 1
}

// over: the first record of a key needs no more attempts. answered says whether the
// store had to do with it.
func (s *schedule) over(key string, answered bool) {
	l := s.lanes[key]
	s.held--
	if answered {
		s.failures, s.notUntil = 0, time.Time{}
		s.successes++
	}
	l.records = l.records[1:]
	l.taken--
	l.alone = max(l.alone-1, 0)
	l.strikes = 0
	switch {
	case l.taken > 0: // the others of a batch follow
	case len(l.records) == 0:
		delete(s.lanes, key)
	default:
		s.ready = append(s.ready, l)
	}
}

// refused: the store answered that a record of a batch cannot be taken.
func (s *schedule) refused(batch []record) {
	s.split(batch)
	s.failures, s.notUntil = 0, time.Time{}
}

// unanswered: a batch was not taken. The next are smaller: it may have been too much for
// the time.
func (s *schedule) unanswered(batch []record, now time.Time) {
	s.split(batch)
	s.room = max(s.room/2, 2)
	s.fail(now)
}

// fits: a batch was taken. The next may be larger again.
func (s *schedule) fits() { s.room = min(2*s.room, batchMost) }

// split has each record of a batch delivered by itself, and so it is found out whether one
// of them is why it was not taken.
func (s *schedule) split(batch []record) {
	for _, r := range batch {
		if l := s.lanes[r.Key]; l.taken > 0 {
			l.alone, l.taken = l.taken, 0
			s.ready = append(s.ready, l)
		}
	}
}

// fail leaves the store alone for a while.
func (s *schedule) fail(now time.Time) {
	s.failures++
	s.notUntil = now.Add(doubled(pauseFirst, s.failures, pauseMost))
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
	l.taken = 0
	s.fail(now)
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
	l.taken = 0
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
