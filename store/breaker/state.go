package breaker

import "time"

// state decides. It is pure: whoever owns it tells it the time.
type state struct {
	config Config
	open   bool
	since  time.Time     // of the present state
	pause  time.Duration // before the next probe
	next   time.Time     // the next probe, while open
}

// failed: a question had no answer. It says whether that opened the breaker.
func (s *state) failed(now time.Time) bool {
	if s.open {
		return false
	}
	if s.pause == 0 || now.Sub(s.since) > s.config.Stable {
		s.pause = s.config.Probe
	} else {
		s.pause = min(2*s.pause, s.config.ProbeMost)
	}
	s.open, s.since, s.next = true, now, now.Add(s.pause)
	return true
}

// probed tells what came of a probe, and says whether that closed the breaker.
func (s *state) probed(now time.Time, ok bool) bool {
	if !s.open {
		return false
	}
	s.next = now.Add(s.pause)
	if ok {
		s.open, s.since = false, now
	}
	return ok
}
